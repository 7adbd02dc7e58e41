"""What the events say should stand in the other tables: standings, ends, appeals, kept words."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

import msgspec

from quitbutton.core.ladder.standing import OPEN, Standing, higher_of
from quitbutton.core.ladder.transitions import Rung
from quitbutton.stores.database import Row

TURNS = ("turn.", "press.")
"""How the kinds of events begin that turns leave."""
REFUSED = "turn.refuse"
"""Events of turns that were refused, and left nothing in any other table."""
OPENED, DECIDED, REOPENED = "appeal.opened", "appeal.decided", "conversation.reopened"
ALL_OPEN = (OPEN,)


class Body(msgspec.Struct):
    """The members of an event that other tables repeat."""

    request_id: str = ""
    reason: str | None = None
    decided_by: str | None = None
    before: Standing | None = None
    after: Standing | None = None
    policy: str = ""
    model: str = ""
    draft: bool = False
    words: dict[str, str] = msgspec.field(default_factory=dict)
    end_id: str | None = None
    appeal: str = ""
    source: str = ""
    state: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class EndEvent:
    """An end as its event tells of it."""

    at: float
    tenant: str
    conversation: str
    message: str
    body: Body


@dataclass(slots=True)
class AppealEvents:
    """An appeal as its events tell of it."""

    end_id: str | None
    source: str
    at: float
    state: str = "open"
    by: str | None = None
    decided_at: float | None = None


@dataclass(slots=True)
class Ledger:
    """Everything that the events say, as they are taken in, oldest first."""

    standings: dict[str, tuple[Standing, ...]] = field(default_factory=dict)
    """What each turn of a message came to."""
    starts: dict[str, list[Standing]] = field(default_factory=dict)
    """Where the turns of a message started from, where that is not the beginning."""
    ends: dict[str, EndEvent] = field(default_factory=dict)
    reopened: dict[str, float] = field(default_factory=dict)
    appeals: dict[str, AppealEvents] = field(default_factory=dict)
    words: set[tuple[str, str, str, str]] = field(default_factory=set)
    """Message, speaker, request and digest."""
    newest: dict[str, tuple[str, float]] = field(default_factory=dict)
    """The message of each conversation's newest turn, and when it was."""
    times: dict[tuple[str, str], float] = field(default_factory=dict)
    """When the newest turn of each message was, by conversation and message."""

    def take(self, row: Row) -> str | None:
        """One event: seq, at, kind, tenant, conversation, message, body. What is wrong with it, if anything."""
        try:
            self._take(row)
        except (ValueError, TypeError):  # also those of msgspec
            return f"event number {row[0]} cannot be read"
        return None

    def _take(self, row: Row) -> None:
        _, at, kind, tenant, conversation, message, text = row
        if not str(kind).startswith(TURNS) and kind not in (OPENED, DECIDED, REOPENED):
            return  # an operator's act, which no table compared here repeats
        body = _body.decode(str(text))
        if body.after is not None and kind != REFUSED:
            self._take_turn(float(at), str(tenant), str(conversation), str(message), body)
        elif kind == OPENED:
            self.appeals[body.appeal] = AppealEvents(body.end_id, body.source, float(at))
        elif kind == DECIDED and body.appeal in self.appeals:
            one = self.appeals[body.appeal]
            one.state, one.by, one.decided_at = body.state, body.by, float(at)
        elif kind == REOPENED and body.end_id is not None:
            self.reopened[body.end_id] = float(at)

    def _take_turn(self, at: float, tenant: str, conversation: str, message: str, body: Body) -> None:
        after = OPEN if body.after is None or body.after == OPEN else body.after
        before = self.standings.get(message)
        self.standings[message] = ALL_OPEN if before is None and after is OPEN else (*(before or ()), after)
        if body.before is not None and body.before != OPEN:
            self.starts.setdefault(message, []).append(body.before)
        if after.rung is Rung.ENDED and body.end_id is not None:
            self.ends[body.end_id] = EndEvent(at, tenant, conversation, message, body)
        self.words.update((message, speaker, body.request_id, digest) for speaker, digest in body.words.items())
        self.newest[conversation] = (message, at)
        self.times[conversation, message] = at

    def standing(self, message: str) -> Standing | None:
        """What a message's turns come to together; None where it has none."""
        return together(self.standings.get(message, ()))


def together(standings: tuple[Standing, ...], start: Standing | None = None) -> Standing | None:
    """Several outcomes of one turn as one, one after another as they were recorded."""
    told = standings if start is None else (start, *standings)
    return reduce(lambda before, after: higher_of(after, before), told) if told else None


_body = msgspec.json.Decoder(Body)
