"""The tables beside the events, held against them: kept words, ends, standings, appeals. Each difference is named.

A gateway may write meanwhile, so that a row is newer than the events that were read. What is said twice is a difference:
everything is compared again where there was one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from quitbutton.core.addresses import message_id
from quitbutton.core.audit.log import MOST
from quitbutton.core.kept_words import digest_of
from quitbutton.core.ladder.standing import OPEN, Standing
from quitbutton.core.ladder.transitions import Rung
from quitbutton.stores.database import Database, Row
from quitbutton.stores.ledger import Ledger, together
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.rows import evidence_of, marks_of
from quitbutton.stores.skips import SIZE, parts_of

PAGE = 1000
CLOSE = 60.0
"""Seconds between two turns of a conversation that went on at the same time: either may have been written last."""
LONGEST_TURN = 3600.0
"""Seconds between the moment of an end and that of its event."""


async def differences(database: Database) -> list[str]:
    """What in the other tables is not as the events say, each in a sentence; the first few."""
    found = await _Comparison(database).run()
    if not found:
        return []
    again = set(await _Comparison(database).run())
    return [one for one in found if one in again][:MOST]


class _Comparison:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._ledger = Ledger()
        self._found: list[str] = []
        self._close = 0.0 if database.words["database"] == "sqlite" else CLOSE  # SQLite writes one turn after another

    async def run(self) -> list[str]:
        """Compare everything once."""
        async for row in self._pages("all_events", lambda row: {"seq": row[0]}, {"seq": -(1 << 62)}):
            self._say(self._ledger.take(row))
        await self._compare_words()
        await self._compare_ends()
        await self._compare_appeals()
        await self._compare_turns()
        await self._compare_locks()
        await self._compare_heads()
        return self._found

    async def _pages(
        self, name: str, next_after: Callable[[Row], dict[str, object]], start: dict[str, object]
    ) -> AsyncIterator[Row]:
        after = start
        while page := await self._database.read(QUERIES[name], {**after, "limit": PAGE}):
            for row in page:
                yield row
            after = next_after(page[-1])

    def _say(self, problem: str | None) -> None:
        if problem is not None:
            self._found.append(problem)

    def _look(self, table: str, look: Callable[[Row], str | None], row: Row) -> None:
        """One row; whoever writes to a database may have left anything in it."""
        try:
            self._say(look(row))
        except (ValueError, TypeError, LookupError):
            self._say(f"a row of the table {table} cannot be read")

    async def _compare_words(self) -> None:
        places = ("message", "speaker", "request_id")
        start: dict[str, object] = dict.fromkeys(places, "")
        async for row in self._pages("all_words", lambda row: dict(zip(places, row[:3], strict=True)), start):
            self._look("words", self._word_problem, row)

    def _word_problem(self, row: Row) -> str | None:
        message, speaker, request, salt, body = row
        if (message, speaker, request, digest_of(bytes(salt), str(body))) in self._ledger.words:
            return None
        return f"the {speaker}'s kept words at {message} are not those whose digest is on record"

    async def _compare_ends(self) -> None:
        seen = set()
        async for row in self._pages("all_ends", _by_key, {"after": ""}):
            seen.add(row[0])
            self._look("ends", self._end_problem, row)
        for end_id in self._ledger.ends.keys() - seen:
            self._say(f"the end {end_id} is on record, and its row was removed")

    def _end_problem(self, row: Row) -> str | None:
        end_id, address, conversation, tenant, reason, by, policy, message, evidence, model, at, reopened, draft = row
        told = self._ledger.ends.get(end_id)
        if told is None or told.body.after is None:
            return f"no event tells of the end {end_id}: it was put in"
        body = told.body
        pairs = {
            "its turn": (message_id(bytes(address)), told.message),
            "its message": (message, told.message),
            "its conversation": (conversation, told.conversation),
            "its tenant": (tenant, told.tenant),
            "its reason": (reason, str(body.reason)),
            "who decided": (by, body.decided_by),
            "its policy": (policy, body.policy),
            "its model": (model, body.model) if model else ("", ""),  # records from before it was kept have none
            "its evidence": (_evidence(evidence), told.body.after.evidence),
            "whether it is a draft": (bool(draft), body.draft),
            "when it was reopened": (reopened, self._ledger.reopened.get(end_id)),
            "when it was": (abs(float(at) - told.at) <= LONGEST_TURN, True),
        }
        wrong = [what for what, (here, there) in pairs.items() if here != there]
        return f"the end {end_id} was changed: {', '.join(wrong)}" if wrong else None

    async def _compare_appeals(self) -> None:
        seen = set()
        async for row in self._pages("all_appeals", _by_key, {"after": ""}):
            seen.add(row[0])
            self._look("appeals", self._appeal_problem, row)
        for appeal_id in self._ledger.appeals.keys() - seen:
            self._say(f"the appeal {appeal_id} is on record, and its row was removed")

    def _appeal_problem(self, row: Row) -> str | None:
        appeal_id, end_id, source, state, opened_at, decided_at, by = row
        told = self._ledger.appeals.get(appeal_id)
        if told is None:
            return f"no event tells of the appeal {appeal_id}: it was put in"
        if (end_id, source, state, opened_at) != (told.end_id, told.source, told.state, told.at):
            return f"the appeal {appeal_id} was changed: on record it is {told.state}"
        if (decided_at, by or None) != (told.decided_at, told.by or None):
            return f"the appeal {appeal_id} was changed: when it was decided, or by whom"
        return None

    async def _compare_turns(self) -> None:
        left, odd = dict.fromkeys(self._ledger.standings), list[tuple[bytes, Standing, bool]]()

        def look(row: Row) -> str | None:
            address = bytes(row[0])
            left.pop(message_id(address), None)
            standing = marks_of([row])[address].standing
            if standing.rung is not Rung.ENDED and standing != self._ledger.standing(message_id(address)):
                odd.append((address, standing, bool(row[10])))
            return None

        async for row in self._pages("all_turns", _by_key, {"after": b""}):
            self._look("turns", look, row)
        over = await self._stepped_over({address for address, _, _ in odd})
        for address, standing, is_brought in odd:
            if not await self._is_explained(address, standing, is_brought, over.get(address, [])):
                self._say(self._standing_problem(message_id(address), standing))
        for message in left:
            self._say(f"the standing at {message} is on record, and its row was removed")

    def _standing_problem(self, message: str, standing: Standing) -> str:
        there = self._ledger.standing(message)
        here = f"the standing at {message} is {standing.rung} ({standing.redirections})"
        return f"{here}, on record {there.rung} ({there.redirections})" if there else f"{here}, of which no event tells"

    async def _stepped_over(self, messages: set[bytes]) -> dict[bytes, list[bytes]]:
        """The turns right after these messages that hang on a row above: they were on record before the message was."""
        found: dict[bytes, list[bytes]] = {}
        if messages:
            async for _, address, path in self._pages("all_skips", _by_place, {"first": b"", "address": b""}):
                if (last := bytes(path)[-SIZE:]) in messages:
                    found.setdefault(last, []).append(bytes(address))
        return found

    async def _is_explained(self, address: bytes, standing: Standing, is_brought: bool, over: list[bytes]) -> bool:
        """A standing that is not simply what its own events came to: it came along with a history, or was reopened.

        `over` are the turns that step over its message.
        """
        told = self._ledger.standings.get(message_id(address), ())
        if not told and not is_brought:
            return False
        children = await self._database.read(QUERIES["children_of"], {"address": address})
        below = [*(bytes(child) for (child,) in children), *over]
        starts = [one for child in below for one in self._ledger.starts.get(message_id(child), ())]
        if any(standing == together(told, start) for start in (starts if told else [*starts, OPEN])):
            return True
        reached = await self._database.read(QUERIES["ends_reaching"], {"address": address})
        if not any(end_id in self._ledger.reopened for (end_id,) in reached) and not await self._is_skipped_to(address):
            return False
        later = [OPEN, *(together(told[cut:], OPEN) for cut in range(len(told)))]
        return any(one is not None and _place(standing) == _place(one) for one in later)

    async def _is_skipped_to(self, address: bytes) -> bool:
        """Whether an end that was reopened reached this turn by a history that stepped over messages."""
        paths = await self._database.read(QUERIES["skips_above"], {"address": address})
        messages = {message_id(part) for (path,) in paths for part in parts_of(bytes(path))}
        return any(
            self._ledger.ends[end_id].message in messages
            for end_id in self._ledger.reopened
            if end_id in self._ledger.ends
        )

    async def _compare_locks(self) -> None:
        few = {"limit": MOST}
        for (address,) in await self._database.read(QUERIES["free_below_ended"], few):
            self._say(f"the turn at {message_id(bytes(address))} stands below an end and is not locked")
        for (end_id,) in await self._database.read(QUERIES["free_at_ends"], few):
            self._say(f"the end {end_id} is in force, and its turn is not locked")
        for (address,) in await self._database.read(QUERIES["ended_for_nothing"], few):
            self._say(f"the turn at {message_id(bytes(address))} is locked by no end in force")
        alone = {bytes(one) for (one,) in await self._database.read(QUERIES["ended_alone"], few)}
        ended = {bytes(row[0]) async for row in self._pages("all_ended", _by_key, {"after": b""})}
        async for _, address, path in self._pages("all_skips", _by_place, {"first": b"", "address": b""}):
            if ended.intersection(parts_of(bytes(path))):
                alone.discard(bytes(address))
                if bytes(address) not in ended:
                    self._say(f"the turn at {message_id(bytes(address))} stands below an end and is not locked")
        for address in alone:
            self._say(f"the turn at {message_id(address)} is locked, and no end stands at it or above it")

    async def _compare_heads(self) -> None:
        async for row in self._pages("all_heads", _by_key, {"after": ""}):
            self._look("conversations", self._head_problem, row)

    def _head_problem(self, row: Row) -> str | None:
        conversation, head = row
        if conversation not in self._ledger.newest:
            return f"no event tells of the conversation {conversation}: it was put in"
        message, at = self._ledger.newest[conversation]
        here = message_id(bytes(head))
        was = self._ledger.times.get((conversation, here))
        if here == message or (was is not None and at - was < self._close):
            return None
        return f"the newest turn of {conversation} was changed: it is {here}, on record {message}"


def _by_key(row: Row) -> dict[str, object]:
    return {"after": row[0]}


def _by_place(row: Row) -> dict[str, object]:
    return {"first": bytes(row[0]), "address": bytes(row[1])}


def _evidence(text: Any) -> object:
    try:
        return evidence_of(str(text))
    except ValueError:
        return None


def _place(standing: Standing) -> tuple[object, ...]:
    """Where on the ladder, on what evidence; what an upheld appeal sets back."""
    return standing.rung, standing.redirections, standing.evidence
