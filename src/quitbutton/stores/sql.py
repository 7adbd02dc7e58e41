"""SQLStore: turns, ends and what hangs on them, written once for every database, with SQL from `queries/`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict

import msgspec

from quitbutton.core.conversation import Branch, Mark, Marks
from quitbutton.core.errors import NotFound
from quitbutton.core.ladder import Rung
from quitbutton.core.origins import KeptReply, Origin
from quitbutton.core.policy import Decision, Evidence, Standing, higher_of
from quitbutton.core.records import ConversationView, End, Outcome, Receipt, TurnRecord
from quitbutton.core.rules import Policy
from quitbutton.stores.database import Database, Row, Transaction
from quitbutton.stores.migrate import migrate
from quitbutton.stores.queries import QUERIES

NO_SUCH_END = "There is no end with this id. Its whole id stands in the notice and in `quitbutton.end_id`."
MAX_PLACES = 400
"""Addresses looked up in one statement."""


class SQLStore:
    """Satisfies `Store` over a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        migrate(database)

        def first(transaction: Transaction) -> None:
            transaction.execute(QUERIES["put_meta"], {"name": "address_key", "value": secrets.token_hex(32)})

        database.migrate(first)

    async def address_key(self) -> bytes:
        """The key of every address, made once for each installation: 32 bytes."""
        rows = await self._database.read(QUERIES["meta"], {"name": "address_key"})
        return bytes.fromhex(rows[0][0])

    async def ping(self) -> None:
        """Raises `StoreFailed` when the store cannot be read."""
        await self._database.read(QUERIES["ping"])

    async def marks(self, branch: Branch) -> Marks:
        """What is known of a branch. Two rows are read when its parent is known, the whole path when not."""
        found = {row[0]: _mark_of(row) for row in await self._turns_at({branch.address, branch.parent})}
        if branch.parent in found or (branch.parent == branch.root and not branch.beheaded):
            return Marks(found)
        wanted = set(branch.addresses)
        if branch.address in found:
            wanted.add(found[branch.address].base)
        head = await self.head(branch.conversation) if branch.named else None
        if head is not None:
            wanted.add(head)
        found |= {row[0]: _mark_of(row) for row in await self._turns_at(wanted - set(found))}
        return Marks(found, head)

    async def origin(self, owner: bytes, reply_id: str) -> Origin | None:
        """Where the reply with this id was given, to the owner it was given to."""
        rows = await self._database.read(QUERIES["reply"], {"owner": owner, "id": reply_id})
        if not rows:
            return None
        address, conversation, upstream_id, upstream, owed = rows[0]
        return Origin(bytes(address), conversation, KeptReply(reply_id, upstream_id, upstream, owed))

    async def reply_at(self, owner: bytes, address: bytes) -> KeptReply | None:
        """The newest reply that was given at a turn."""
        rows = await self._database.read(QUERIES["reply_at"], {"owner": owner, "address": address})
        return KeptReply(*rows[0]) if rows else None

    async def head(self, conversation: str) -> bytes | None:
        """The address of the newest turn of a conversation."""
        rows = await self._database.read(QUERIES["head_of"], {"id": conversation})
        return bytes(rows[0][0]) if rows else None

    async def put_reply(self, owner: bytes, origin: Origin, at: float) -> None:
        """Remember where a reply was given, so that a request can go on from its id."""
        await self._database.write(lambda transaction: _put_reply(transaction, owner, origin, at))

    async def record(self, record: TurnRecord) -> Outcome:
        """Write a turn and its event, all or nothing.

        Compare-and-set: when the branch has been ended meanwhile by another request, nothing of this turn is written
        but the event, and that other end is returned. Otherwise the turn stands. A refusal whose end was reopened since
        is not written either: its outcome has no end.
        """
        durable = record.decision.after.rung in (Rung.WARNED, Rung.ENDED)
        watched = _watched(record)
        return await self._database.write(lambda transaction: _record(transaction, record), durable, watched)

    async def end(self, end_id: str) -> End | None:
        """An end by its id."""
        rows = await self._database.read(QUERIES["end_by_id"], {"id": end_id})
        return end_of(rows[0]) if rows else None

    async def conversation(self, tenant: str, conversation: str) -> ConversationView | None:
        """What may be told of a conversation to the tenant it belongs to."""
        rows = await self._database.read(QUERIES["conversation"], {"id": conversation, "tenant": tenant})
        if not rows:
            return None
        ends = await self._database.read(QUERIES["ends_of"], {"conversation": conversation})
        found, state, created, updated, turns = rows[0]
        return ConversationView(found, state, turns, created, updated, tuple(map(end_of, ends)))

    async def events(self, conversation: str) -> list[dict[str, object]]:
        """The decisions about a conversation, oldest first."""
        rows = await self._database.read(QUERIES["events_of"], {"conversation": conversation})
        return [
            {"seq": seq, "at": at, "kind": kind, "message": m, **json.loads(body)} for seq, at, kind, m, body in rows
        ]

    async def put_policy(self, policy: Policy, at: float) -> None:
        """Remember which rules a digest stands for."""
        params = {"digest": policy.digest, "body": json.dumps(asdict(policy)), "at": at}
        await self._database.write(lambda transaction: transaction.execute(QUERIES["put_policy"], params))

    async def put_receipt(self, tenant: str, receipt: Receipt, at: float) -> None:
        """Keep the receipt of a stop; the first one stands."""
        params = {"request_id": receipt.request_id, "tenant": tenant, "body": json.dumps(asdict(receipt)), "at": at}
        await self._database.write(lambda transaction: transaction.execute(QUERIES["put_receipt"], params))

    async def receipt(self, tenant: str, request_id: str) -> Receipt | None:
        """The receipt of a stop, for the tenant whose request it was."""
        rows = await self._database.read(QUERIES["receipt"], {"request_id": request_id, "tenant": tenant})
        return Receipt(**json.loads(rows[0][0])) if rows else None

    async def put_feedback(self, tenant: str, about: str, rating: str, text: str, at: float) -> None:
        """Keep what a user thinks of an end, a warning, a stop or a reply. Raises `NotFound` for another's end."""
        params = {"tenant": tenant, "about": about, "rating": rating, "text": text, "at": at}
        if about.startswith("end_"):
            rows = await self._database.read(QUERIES["tenant_of_end"], {"id": about})
            if not rows or rows[0][0] != tenant:
                raise NotFound(NO_SUCH_END)
        await self._database.write(lambda transaction: transaction.execute(QUERIES["put_feedback"], params))

    def close(self) -> None:
        """Finish what waits, then close."""
        self._database.close()

    async def _turns_at(self, addresses: set[bytes]) -> list[Row]:
        rows: list[Row] = []
        ordered = sorted(addresses)
        for start in range(0, len(ordered), MAX_PLACES):
            sql, params = _placed(QUERIES["turns_at"], ordered[start : start + MAX_PLACES])
            rows += await self._database.read(sql, params)
        return rows


def _placed(sql: str, addresses: Iterable[bytes]) -> tuple[str, dict[str, object]]:
    params: dict[str, object] = {f"a{place}": address for place, address in enumerate(addresses)}
    return sql.replace(":addresses", ", ".join(f":{name}" for name in params)), params


def _record(transaction: Transaction, record: TurnRecord) -> Outcome:
    branch, footing = record.branch, record.footing
    watched = sorted(_watched(record))
    known: dict[bytes, Mark] = {}
    for start in range(0, len(watched), MAX_PLACES):
        sql, params = _placed(QUERIES["turns_at"], watched[start : start + MAX_PLACES])
        known |= {row[0]: _mark_of(row) for row in transaction.execute(sql, params)}
    locked = next((address for address, mark in known.items() if mark.standing.rung is Rung.ENDED), None)
    if locked is None and record.decision.before.rung is Rung.ENDED:
        return Outcome(record.decision.before)
    _put_reply(
        transaction, record.owner, Origin(locked or branch.address, branch.conversation, record.reply), record.at
    )
    if locked is not None:
        other = known[locked]
        _put_event(transaction, record, "turn.refuse", {"end_id": other.end_id})
        return Outcome(other.standing, end_of(transaction.execute(QUERIES["end_by_id"], {"id": other.end_id})[0]))
    _put_gap(transaction, record)
    _put_words(transaction, record)
    standing = record.decision.after
    if branch.address in known:
        standing = higher_of(standing, known[branch.address].standing)
    parent = branch.parent if footing.base in branch.addresses or footing.base == branch.root else footing.base
    values = _columns(standing, branch.conversation, footing.base, record.at)
    end_id = record.end.id if record.end else None
    transaction.execute(QUERIES["put_turn"], {"address": branch.address, "parent": parent, "end_id": end_id, **values})
    if record.end is not None:
        _put_end(transaction, record, record.end)
    transaction.execute(
        QUERIES["put_conversation"],
        {
            "id": branch.conversation,
            "tenant": record.tenant,
            "head": branch.address,
            "root": branch.root,
            "rung": standing.rung.value,
            "at": record.at,
            "is_draft": int(record.is_draft),
        },
    )
    _put_event(transaction, record, kind_of_event(record.decision), {"end_id": end_id} if end_id else {})
    return Outcome(standing)


def _watched(record: TurnRecord) -> set[bytes]:
    """The turns that a record hangs on. Where one of them is ended it is not written; every link it makes is between them."""
    branch = record.branch
    return {branch.parent, record.footing.base} - {branch.root} | {branch.address, *_gap(record)}


def _lock_below(transaction: Transaction, address: bytes) -> None:
    """Lock what an end reaches, and what was recorded below while it waited, until nobody can add any more."""
    known: set[bytes] = set()
    while fresh := {bytes(row[0]) for row in transaction.execute(QUERIES["below"], {"address": address})} - known:
        transaction.lock(fresh)
        known |= fresh


def _put_reply(transaction: Transaction, owner: bytes, origin: Origin, at: float) -> None:
    if origin.reply is None:
        return
    kept = {name: getattr(origin.reply, name) for name in ("id", "upstream_id", "upstream", "owed")}
    place = {"owner": owner, "address": origin.address, "conversation": origin.conversation, "at": at}
    transaction.execute(QUERIES["put_reply"], {**place, **kept})


def _gap(record: TurnRecord) -> tuple[bytes, ...]:
    """The addresses between the base and this turn that no request has brought yet; all before it where it is the first."""
    branch, base = record.branch, record.footing.base
    if base == branch.root and not branch.beheaded:
        return branch.addresses[:-1]
    if base not in branch.addresses[:-1]:
        return ()
    return branch.addresses[branch.addresses.index(base) + 1 : -1]


def _put_words(transaction: Transaction, record: TurnRecord) -> None:
    place = {"message": record.branch.message, "conversation": record.branch.conversation, "tenant": record.tenant}
    if record.words and transaction.execute(QUERIES["erased_since"], {**place, "began": record.began}):
        return
    for words in record.words:
        said = {"speaker": words.speaker, "salt": words.salt, "body": words.text}
        transaction.execute(QUERIES["put_words"], {**place, **said, "request_id": record.request_id, "at": record.at})


def _put_gap(transaction: Transaction, record: TurnRecord) -> None:
    # Without these rows an end inside the gap could not find the turns below it.
    parent = record.footing.base
    values = _columns(record.footing.standing, record.branch.conversation, record.footing.base, record.at)
    for address in _gap(record):
        transaction.execute(QUERIES["fill_gap"], {"address": address, "parent": parent, **values})
        parent = address


def _put_end(transaction: Transaction, record: TurnRecord, end: End) -> None:
    transaction.execute(
        QUERIES["put_end"],
        {
            "id": end.id,
            "address": record.branch.address,
            "conversation": end.conversation,
            "tenant": record.tenant,
            "reason": end.reason,
            "decided_by": end.decided_by,
            "policy": end.policy,
            "message": end.message,
            "explanation": end.explanation,
            "evidence": _evidence_text(end.evidence),
            "model": end.model,
            "at": end.ended_at,
            "is_draft": int(record.is_draft),
        },
    )
    if not transaction.is_alone:
        _lock_below(transaction, record.branch.address)
    below = {"address": record.branch.address, "end_id": end.id, "at": record.at}
    transaction.execute(QUERIES["end_descendants"], below)
    transaction.execute(QUERIES["conversations_of_end"], {"end_id": end.id, "rung": Rung.ENDED.value})


def kind_of_event(decision: Decision) -> str:
    """The event's name: what was done, or that a press was denied."""
    if decision.denial is not None:
        return "press.denied"
    return f"turn.{decision.action.value}"


def _put_event(transaction: Transaction, record: TurnRecord, kind: str, more: dict[str, object]) -> None:
    decision = record.decision
    body = {
        "request_id": record.request_id,
        "mode": record.mode,
        "action": decision.action,
        "signal": decision.signal,
        "press_by": record.press,
        "denial": decision.denial,
        "reason": decision.reason,
        "decided_by": decision.decided_by,
        "before": decision.before,
        "after": decision.after,
        "verdict": decision.verdict,
        "reply": decision.reply,
        "policy": decision.policy,
        "model": record.model,
        **({"draft": True} if record.is_draft else {}),
        "words": {words.speaker: words.digest for words in record.words},
        **more,
    }
    transaction.execute(
        QUERIES["put_event"],
        {
            "at": record.at,
            "kind": kind,
            "tenant": record.tenant,
            "conversation": record.branch.conversation,
            "message": record.branch.message,
            "body": msgspec.json.encode(body).decode(),
        },
    )


def _columns(standing: Standing, conversation: str, base: bytes, at: float) -> dict[str, object]:
    return {
        "base": base,
        "conversation": conversation,
        "rung": standing.rung.value,
        "redirections": standing.redirections,
        "clean_turns": standing.clean_turns,
        "crisis_turns": standing.crisis_turns,
        "asked": int(standing.asked),
        "evidence": _evidence_text(standing.evidence),
        "at": at,
    }


def _evidence_text(evidence: tuple[Evidence, ...]) -> str:
    return msgspec.json.encode(evidence).decode() if evidence else "[]"


def _evidence_of(text: str) -> tuple[Evidence, ...]:
    if text == "[]":
        return ()
    return msgspec.json.decode(text, type=tuple[Evidence, ...])


def _mark_of(row: Row) -> Mark:
    _, _, base, rung, redirections, clean, crisis, asked, evidence, end_id = row
    standing = Standing(Rung(rung), redirections, clean, crisis, bool(asked), _evidence_of(evidence))
    return Mark(standing, bytes(base), end_id)


def end_of(row: Row) -> End:
    """An end from its row."""
    end_id, reason, decided_by, ended_at, conversation, message, policy, explanation, evidence, model, reopened_at = row
    proofs = _evidence_of(evidence)
    told = (reason, decided_by, ended_at, conversation, message, policy, explanation)
    return End(end_id, *told, proofs, model, reopened_at)
