"""What the operators' console reads: counts by day; pages of conversations, ends and events; a conversation's ladder."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec

from quitbutton.core.addresses import address_start, message_id
from quitbutton.core.appeals import Appeal
from quitbutton.core.counting import counted_as, day_of
from quitbutton.core.records import End
from quitbutton.stores.database import EVERYTHING, Database, Row, Transaction
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.rights import appeal_of
from quitbutton.stores.rows import end_of, placed

AT_ONCE = 500
"""Events counted in one transaction."""
MOST = 20_000
"""Events counted in one go, so that an old store is counted bit by bit, beside everything else."""
LOCK = (b"counts",)
"""One process at a time counts."""
NEWEST = 1e15
LAST = "\U0010ffff"
LAST_SEQ = EVERYTHING
"""A number after that of every event."""
FILTERS = ("reason", "decided_by", "model", "policy")
"""Columns that ends can be filtered by."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: rows since a time, before a place in it (time, id), so many."""

    since: float = 0.0
    before: float = NEWEST
    last: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list."""

    id: str
    state: str
    redirections: int
    crisis_turns: int
    possible_turns: int
    created_at: float
    updated_at: float
    tenant: str


class Console:
    """Over the same database as the turns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, most: int = MOST) -> int:
        """Count events that are not in the counts by day yet, no more than about `most` of them; how many."""
        total, settled = 0, await self._database.settled()
        more = bool(await self._database.read(QUERIES["is_uncounted"], {"settled": settled}))
        while more and total < most:
            counted = await self._database.write(lambda transaction: _count(transaction, settled), locks=LOCK)
            total, more = total + counted, counted == AT_ONCE
        return total

    async def daily(self, first: int, last: int) -> list[Row]:
        """Counts by day: day, mode, name, count."""
        rows = await self._database.read(QUERIES["daily"], {"first": first, "last": last})
        stops = await self._database.read(QUERIES["stops_by_day"], {"first": first, "last": last})
        return [*rows, *((day, "enforce", "stopped", count) for day, count in stops if count)]

    async def daily_of(self, name: str) -> list[Row]:
        """The counts by day of one name: day, mode, name, count."""
        return await self._database.read(QUERIES["daily_of"], {"name": name})

    async def first_day(self) -> int | None:
        """The first day that anything was counted on."""
        day: int | None = (await self._database.read(QUERIES["first_day"]))[0][0]
        return day

    async def waiting(self, now: float) -> dict[str, int]:
        """What waits for somebody: open appeals, those over their time, deliveries that are dead or on their way."""
        opened, late = (await self._database.read(QUERIES["open_appeals"], {"now": now}))[0]
        found = {"open_appeals": int(opened), "overdue_appeals": int(late)}
        found["uncounted_events"] = int((await self._database.read(QUERIES["uncounted"]))[0][0])
        for state in ("dead", "waiting"):
            rows = await self._database.read(QUERIES["deliveries_by_state"], {"state": state})
            found[f"{state}_deliveries"] = int(rows[0][0])
        return found

    async def conversations(self, state: str | None, page: Page) -> list[Listed]:
        """Conversations by where their newest turn stands, newest first."""
        given = {"since": page.since, "before": page.before, "before_id": page.last or LAST, "limit": page.limit}
        name = "recent_conversations" if state is None else "conversations_on_rung"
        rung = {} if state is None else {"rung": state}
        return [Listed(*row) for row in await self._database.read(QUERIES[name], {**given, **rung})]

    async def ends(self, page: Page, filters: Mapping[str, str], reopened: bool | None = None) -> list[End]:
        """Ends, newest first, of those values of the columns in `FILTERS`."""
        clauses = [f"AND {name} = :{name}" for name in FILTERS if name in filters]
        if reopened is not None:
            clauses.append("AND reopened_at IS NOT NULL" if reopened else "AND reopened_at IS NULL")
        sql = QUERIES["ends_page"].replace("{filters}", " ".join(clauses))
        given = {"since": page.since, "before": page.before, "before_id": page.last or LAST, "limit": page.limit}
        return list(map(end_of, await self._database.read(sql, {**filters, **given})))

    async def events(self, kind: str, page: Page) -> list[dict[str, Any]]:
        """Events of a kind, newest first."""
        given = {"kind": kind, "since": page.since, "before": page.before, "limit": page.limit}
        rows = await self._database.read(QUERIES["events_page"], {**given, "before_seq": int(page.last or LAST_SEQ)})
        names = ("seq", "at", "kind", "conversation", "message")
        found = [{**dict(zip(names, row[:5], strict=True)), **json.loads(row[5])} for row in rows]
        explained = await self._explained({event["message"] for event in found if event.get("press_by")})
        return [
            {**event, "explanation": explained.get((event["message"], str(event.get("request_id"))))} for event in found
        ]

    async def _explained(self, messages: Collection[str]) -> dict[tuple[str, str], str]:
        """What models said when they pressed on these messages, by message and request, as far as it is kept."""
        found: dict[tuple[str, str], str] = {}
        for sql, params in placed("presses_at", messages) if messages else ():
            rows = await self._database.read(sql, params)
            found |= {(message, request): body for message, request, body in rows}
        return found

    async def names(self) -> dict[str, list[str]]:
        """The models and policies that ends have."""
        models = await self._database.read(QUERIES["names_of_models"])
        policies = await self._database.read(QUERIES["names_of_policies"])
        return {"models": [row[0] for row in models], "policies": [row[0] for row in policies]}

    async def conversation(self, conversation: str) -> Listed | None:
        """One conversation."""
        rows = await self._database.read(QUERIES["conversation_row"], {"id": conversation})
        return Listed(*rows[0]) if rows else None

    async def ladder(self, conversation: str, before: int, limit: int) -> list[dict[str, Any]]:
        """What was decided in a conversation, oldest first: the newest events before a number of the record."""
        given = {"conversation": conversation, "before": before, "limit": limit}
        rows = await self._database.read(QUERIES["ladder_page"], given)
        names = ("seq", "at", "kind", "message")
        found = [{**dict(zip(names, row[:4], strict=True)), **json.loads(row[4])} for row in reversed(rows)]
        parents = {name: await self._parent(name) for name in {event["message"] for event in found}}
        return [{**event, "parent": parents[event["message"]]} for event in found]

    async def words(self, conversation: str, first: float, last: float) -> list[Row]:
        """What was said from a time to a time, as far as it is kept: message, request, speaker, text."""
        given = {"conversation": conversation, "first": first, "last": last}
        return await self._database.read(QUERIES["words_between"], given)

    async def ends_of(self, conversation: str) -> list[End]:
        """The ends of a conversation, oldest first."""
        return list(map(end_of, await self._database.read(QUERIES["ends_of"], {"conversation": conversation})))

    async def appeals_of(self, conversation: str) -> list[Appeal]:
        """The appeals and reviews of a conversation's ends."""
        rows = await self._database.read(QUERIES["appeals_of_conversation"], {"conversation": conversation})
        return list(map(appeal_of, rows))

    async def key_name(self, tenant: str) -> str | None:
        """The name of the key that a tenant has, where it has one in the store."""
        rows = await self._database.read(QUERIES["key_name"], {"digest": tenant})
        return rows[0][0] if rows else None

    async def find(self, given: str) -> tuple[str, str | None] | None:
        """The conversation and message that an id leads to: of a conversation, message, end or request."""
        read = self._database.read
        match given.partition("_")[0]:
            case "msg":
                near = await self._near(given)
                return (near[2], None if near[3] else given) if near else None
            case "conv":
                return (given, None) if await read(QUERIES["conversation_exists"], {"id": given}) else None
            case "end":
                ends = await read(QUERIES["end_by_id"], {"id": given})
                return (ends[0][4], ends[0][5]) if ends else None
            case "req":
                await self.count(AT_ONCE)
                rows = await read(QUERIES["request_place"], {"id": given})
                return (rows[0][0], rows[0][1]) if rows else None
        return None

    async def _near(self, message: str) -> Row | None:
        start = address_start(message)
        if not start:
            return None
        rows = await self._database.read(QUERIES["turn_near"], {"from": start, "to": start + b"\xff" * 18})
        return rows[0] if rows and message_id(bytes(rows[0][0])) == message else None

    async def _parent(self, message: str) -> str | None:
        """The message before, as far as it is on record by itself."""
        near = await self._near(message)
        while near:
            parent = message_id(bytes(near[1]))
            near = await self._near(parent)
            if near is None or not near[3]:
                return parent
        return None


class _Verdict(TypedDict, total=False):
    label: Any


class _Counted(TypedDict, total=False):
    """What is looked at of an event's body; the rest is passed over."""

    request_id: Any
    mode: Any
    action: Any
    denial: Any
    reason: Any
    verdict: _Verdict | None
    source: Any
    state: Any
    draft: Any


_counted = msgspec.json.Decoder(_Counted)


def _count(transaction: Transaction, settled: int) -> int:
    # The row is locked first, so that two processes never count the same event.
    transaction.execute(QUERIES["lock_counted"])
    seen = int(transaction.execute(QUERIES["meta"], {"name": "counted"})[0][0])
    rows = transaction.execute(QUERIES["events_to_count"], {"seen": seen, "settled": settled, "limit": AT_ONCE})
    counts: Counter[tuple[int, str, str]] = Counter()
    requests: dict[str, dict[str, object]] = {}
    for seq, at, kind, body in rows:
        event = _counted.decode(body)
        day, mode = day_of(at), event.get("mode", "enforce")
        for name in counted_as(kind, event):
            counts[day, mode, name] += 1
        if (request := event.get("request_id")) and not event.get("draft"):
            requests[str(request)] = {"id": request, "seq": seq}
    transaction.insert(QUERIES["put_request"], list(requests.values()))
    for (day, mode, name), count in counts.items():
        transaction.execute(QUERIES["add_to_day"], {"day": day, "mode": mode, "name": name, "count": count})
    if rows:
        transaction.execute(QUERIES["move_counted"], {"value": str(rows[-1][0])})
    return len(rows)
