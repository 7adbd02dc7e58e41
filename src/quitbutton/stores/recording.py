"""Turns into rows: many in one transaction, each as if it came after the one before it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from quitbutton.core.conversation import Mark
from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.standing import OPEN, Standing, higher_of
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.origins import Origin
from quitbutton.core.records import End, Outcome, TurnRecord
from quitbutton.stores.database import Transaction
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.rows import end_of, ended_among, evidence_text, marks_at, trace_row
from quitbutton.stores.skips import end_below, first_is_known, skipped_by, top_of

Rows = list[dict[str, object]]


def watched(record: TurnRecord) -> set[bytes]:
    """What a record hangs on, and what it locks. Where a turn of these is ended it is not written.

    Of a path with messages that have no turns its first stands for all: ends on such a path lock that as well.
    """
    branch, base = record.branch, record.footing.base
    found = {branch.address}
    found.update(one for one in (branch.parent, base) if one != branch.root)
    if record.end is not None or skipped_by(record) is not None:
        found.add(branch.addresses[0])
    return found


class Recorder:
    """Collects the rows of several records, then writes those of a table together."""

    def __init__(self, transaction: Transaction, records: Sequence[TurnRecord], watching: Collection[bytes]) -> None:
        self._transaction = transaction
        self._records = records
        self._known: dict[bytes, Mark] = marks_at(transaction, watching)
        self._turns: dict[bytes, dict[str, object]] = {}
        self._conversations: dict[str, dict[str, object]] = {}
        self._replies: Rows = []
        self._skips: Rows = []
        self._words: Rows = []
        self._traces: Rows = []
        self._events: Rows = []

    def run(self) -> list[Outcome]:
        """Write them; what became of each. A record with an end must be alone."""
        self._lock_tops()
        outcomes = [self._take(record) for record in self._records]
        insert = self._transaction.insert
        insert(QUERIES["put_reply"], self._replies)
        insert(QUERIES["put_skip"], self._skips)
        insert(QUERIES["put_words"], self._words)
        insert(QUERIES["put_trace"], self._traces)
        insert(QUERIES["put_turn"], list(self._turns.values()))
        for record in self._records:
            if record.end is not None and record.branch.address in self._turns:
                self._put_end(record, record.end)
        insert(QUERIES["put_conversation"], list(self._conversations.values()))
        insert(QUERIES["put_event"], self._events)
        return outcomes

    def _lock_tops(self) -> None:
        """What steps over messages is kept under the first of its path: a provider that keeps a history does not name it."""
        told = [record.branch for record in self._records if record.branch.continued and skipped_by(record)]
        if told and not self._transaction.is_alone:
            self._transaction.lock([top_of(self._transaction, branch) for branch in told])

    def _take(self, record: TurnRecord) -> Outcome:
        branch, base = record.branch, record.footing.base
        locked = self._locked(record)
        if locked is None and record.decision.before.rung is Rung.ENDED:
            return Outcome(record.decision.before)  # the end was reopened meanwhile: there is nothing to refuse
        self._take_reply(record, branch.address if locked is None else locked)
        if locked is not None:
            other = self._known[locked]
            self._take_trace(record, locked, other.standing)
            self._events.append(_event(record, "turn.refuse", {"end_id": other.end_id}))
            end = end_of(self._transaction.execute(QUERIES["end_by_id"], {"id": other.end_id})[0])
            return Outcome(other.standing, end)
        self._take_words(record)
        self._take_skipped(record)
        standing = record.decision.after
        before = self._known.get(branch.address)
        if before is not None:
            standing = higher_of(standing, before.standing)
        end_id = record.end.id if record.end else None
        row = _turn(record, standing, end_id, branch.address, self._link(record))
        if first := self._turns.get(branch.address):
            row |= {name: first[name] for name in ("parent", "base", "conversation")}
        self._turns[branch.address] = row
        self._known[branch.address] = Mark(standing, base, end_id)
        self._take_trace(record, branch.address, standing)
        self._take_conversation(record, standing)
        more: dict[str, object] = {"end_id": end_id} if end_id else {}
        self._events.append(_event(record, kind_of_event(record.decision), more))
        return Outcome(standing)

    def _locked(self, record: TurnRecord) -> bytes | None:
        """The ended turn that this one hangs on or is, if there is one."""
        branch, known = record.branch, self._known
        for address in (branch.parent, record.footing.base, branch.address):
            mark = known.get(address)
            if mark is not None and mark.standing.rung is Rung.ENDED:
                return address
        path = skipped_by(record)
        if path and first_is_known(self._transaction, branch.addresses[0]):
            ended = ended_among(self._transaction, path)
            self._known |= marks_at(self._transaction, ended)
            return next(iter(ended), None)
        return None

    def _take_skipped(self, record: TurnRecord) -> None:
        """The messages before, where they are not on record: the last as a row that stands where this turn starts from.

        Not so in a named conversation, where whatever comes with the same rewritten history goes on from the newest turn;
        nor where a turn starts from one that is not above it.
        """
        path = skipped_by(record)
        if path is None or self._link(record) != record.footing.base:
            return
        branch, address = record.branch, record.branch.address
        if path and not branch.named and _is_above(record):
            path, address = path[:-1], path[-1]
            standing, base = record.footing.standing, record.footing.base
            self._turns[address] = _turn(record, standing, None, address, base, brought=True)
            self._known[address] = Mark(standing, base, brought=True)
        if path or not _is_above(record):
            skip: dict[str, object] = {"first": top_of(self._transaction, branch), "address": address}
            self._skips.append({**skip, "path": b"".join(path)})

    def _link(self, record: TurnRecord) -> bytes:
        """Which row a turn hangs on: that of the message before, where it is known and the turn starts from a row above."""
        parent, base = record.branch.parent, record.footing.base
        return parent if parent != base and parent in self._known and _is_above(record) else base

    def _take_reply(self, record: TurnRecord, address: bytes) -> None:
        if record.reply is not None:
            origin = Origin(address, record.branch.conversation, record.reply)
            self._replies.append(reply_row(record.owner, origin, record.at))

    def _take_words(self, record: TurnRecord) -> None:
        if not record.words:
            return
        place = {"message": record.branch.message, "conversation": record.branch.conversation, "tenant": record.tenant}
        if self._is_erased(record):
            return
        for words in record.words:
            said = {"speaker": words.speaker, "salt": words.salt, "body": words.text}
            self._words.append({**place, **said, "request_id": record.request_id, "at": record.at})

    def _take_trace(self, record: TurnRecord, address: bytes, standing: Standing) -> None:
        """What the turn is known again by: on a ladder or in a crisis, and beside such turns of the same scope.

        There too since what another chat said in the same words must be seen to be another chat's.
        """
        trace = record.trace
        if trace is None:
            return
        is_quiet = standing == OPEN and record.decision.before == OPEN
        is_beside = is_quiet and self._transaction.execute(QUERIES["has_traces"], {"root": trace.root})
        if (not is_quiet or is_beside) and not self._is_erased(record):
            self._traces.append(trace_row(trace, address, record.at))

    def _is_erased(self, record: TurnRecord) -> bool:
        """Whether what was said in the conversation was erased while the turn was under way."""
        asked = {"conversation": record.branch.conversation, "began": record.began}
        return bool(self._transaction.execute(QUERIES["erased_since"], asked))

    def _take_conversation(self, record: TurnRecord, standing: Standing) -> None:
        branch = record.branch
        self._conversations[branch.conversation] = {
            "id": branch.conversation,
            "tenant": record.tenant,
            "head": branch.address,
            "root": branch.root,
            "rung": str(standing.rung),
            "at": record.at,
            "is_draft": int(record.is_draft),
        }

    def _put_end(self, record: TurnRecord, end: End) -> None:
        row = {
            "id": end.id,
            "address": record.branch.address,
            "conversation": end.conversation,
            "tenant": record.tenant,
            "reason": end.reason,
            "decided_by": end.decided_by,
            "policy": end.policy,
            "message": end.message,
            "explanation": end.explanation,
            "evidence": evidence_text(end.evidence),
            "model": end.model,
            "at": end.ended_at,
            "is_draft": int(record.is_draft),
        }
        self._transaction.execute(QUERIES["put_end"], row)
        end_below(self._transaction, record.branch, end.id, record.at)
        standing, address = record.decision.after, record.branch.address
        tails = [_turn(record, standing, end.id, tail, address, brought=True) for tail in record.branch.own_tails()]
        self._transaction.insert(QUERIES["put_turn"], tails)
        self._transaction.execute(QUERIES["conversations_of_end"], {"end_id": end.id, "rung": Rung.ENDED.value})


def record_all(transaction: Transaction, records: Sequence[TurnRecord], watching: Collection[bytes]) -> list[Outcome]:
    """Write turns and their events in one transaction; what became of each. `watching` is what they hang on, `watched()`.

    Compare-and-set: where the branch of one has been ended meanwhile by another request, nothing of that turn is written but
    the event, and that other end is returned. Otherwise the turn stands.
    """
    return Recorder(transaction, records, watching).run()


def reply_row(owner: bytes, origin: Origin, at: float) -> dict[str, object]:
    """Where a reply was given, as a row."""
    kept = {name: getattr(origin.reply, name) for name in ("id", "upstream_id", "upstream", "owed")}
    return {"owner": owner, "address": origin.address, "conversation": origin.conversation, "at": at, **kept}


def kind_of_event(decision: Decision) -> str:
    """The event's name: what was done, or that a press was denied."""
    if decision.denial is not None:
        return "press.denied"
    return f"turn.{decision.action}"


def _turn(
    record: TurnRecord, standing: Standing, end_id: str | None, address: bytes, parent: bytes, brought: bool = False
) -> dict[str, object]:
    return {
        "address": address,
        "parent": parent,
        "base": record.footing.base,
        "conversation": record.branch.conversation,
        "rung": str(standing.rung),
        "redirections": standing.redirections,
        "clean_turns": standing.clean_turns,
        "crisis_turns": standing.crisis_turns,
        "possible_turns": standing.possible_turns,
        "asked": int(standing.asked),
        "evidence": evidence_text(standing.evidence),
        "end_id": end_id,
        "at": record.at,
        "brought": int(brought),
    }


def _is_above(record: TurnRecord) -> bool:
    """Whether a turn starts from a place on its own path, not from where a rewritten history goes on."""
    base, branch = record.footing.base, record.branch
    return base == branch.root or base in branch.addresses


def _event(record: TurnRecord, kind: str, more: dict[str, object]) -> dict[str, object]:
    decision = record.decision
    body = {
        "request_id": record.request_id,
        "mode": record.mode,
        "action": decision.action,
        "signal": decision.signal,
        "press_by": record.press,
        **({"press_reason": record.press_reason} if record.press_reason else {}),
        "denial": decision.denial,
        "reason": decision.reason,
        "decided_by": decision.decided_by,
        "before": decision.before,
        "after": decision.after,
        "verdict": decision.verdict,
        "crisis": decision.crisis,
        "reply": decision.reply,
        "look": decision.review.look,
        "second": decision.review.second,
        "policy": decision.policy,
        "model": record.model,
        **({"draft": True} if record.is_draft else {}),
        "words": {words.speaker: words.digest for words in record.words},
        **more,
    }
    return {
        "at": record.at,
        "kind": kind,
        "tenant": record.tenant,
        "conversation": record.branch.conversation,
        "message": record.branch.message,
        "body": msgspec.json.encode(body).decode(),
    }
