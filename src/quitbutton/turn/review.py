"""Reads the whole branch once more before a warning or an end: the last look for a crisis, then the second reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

from quitbutton.assessors.deadline import verdict_in_time
from quitbutton.assessors.second import ModelReader
from quitbutton.core.conversation import Branch
from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.transitions import Action, Rung
from quitbutton.core.ladder.verdicts import Label, Strength, Verdict
from quitbutton.core.messages import Message
from quitbutton.core.second import Review, SecondAnswer, SecondReading
from quitbutton.core.value import value
from quitbutton.interfaces import Assessor, LooksBack, SecondReader, Store
from quitbutton.observing.seen import saw_reading
from quitbutton.turn.assess import read_branch
from quitbutton.turn.turn import Turn

PATIENCE = 10.0
"""Seconds that a second reader gets where nothing else is set."""
STOPPED = "stopped"
"""Why a reading is missing that the user, or a client that left, did not wait for."""


@value
class Second:
    """Who is the second reader, and how long it may take."""

    name: str
    """As the record names the duty to ask it."""
    reader: SecondReader | None = None
    """None is the model of the turn's own upstream, in a fresh context."""
    seconds: float = PATIENCE

    def of(self, turn: Turn) -> SecondReader:
        """The reader for a turn. The upstream's own model is asked the way the client asks it: same path, key and model."""
        if self.reader is not None:
            return self.reader
        name = f"{turn.upstream_name or 'upstream'}@{turn.request.model}"
        return ModelReader(
            name,
            turn.adapter,
            turn.request.model,
            lambda body: turn.upstream.send("POST", turn.path, turn.headers_beside, body),
        )


@value
class Reviewing:
    """Reviews branches under one policy."""

    policy: Policy
    assessor: Assessor
    store: Store
    second: Second | None = None

    async def review(self, turn: Turn, branch: Branch, decision: Decision) -> Review:
        """What is to be read before this decision may stand. A possible crisis needs no further look for one.

        Nobody is asked for what cannot change anything any more: a look that failed stops the press already.
        """
        is_possible = decision.action is Action.CHECK_IN
        messages = await self._messages(turn, branch, decision)
        look = None if is_possible else await self._look_back(turn, messages)
        if self.second is None or (look is not None and not _leaves_open(look, decision)):
            return Review(look)
        return Review(look, await self._read(turn, messages, self.second))

    async def _messages(self, turn: Turn, branch: Branch, decision: Decision) -> tuple[Message, ...]:
        """The branch as far as it is known: what the request brings, after the rungs' own turns, as far as their words are
        kept, where the provider keeps the history."""
        if not branch.continued:
            return turn.request.messages
        proven = {proof.message for proof in decision.before.evidence}
        return (*await self.store.said(branch.conversation, proven), *turn.request.messages)

    async def _look_back(self, turn: Turn, messages: Sequence[Message]) -> Verdict | None:
        if not isinstance(self.assessor, LooksBack):
            return None
        look: Verdict | None = Verdict(Label.UNKNOWN, assessor=self.assessor.name, why=STOPPED)
        if not turn.is_stopped:
            with turn.cancellable():
                work = _sound_look(self.assessor, messages)
                look = await verdict_in_time(self.assessor.name, work, self.policy.assess_timeout)
        return look

    async def _read(self, turn: Turn, messages: Sequence[Message], second: Second) -> SecondReading:
        reader, began = second.of(turn), perf_counter()
        reading = SecondReading(SecondAnswer.LATE, why=STOPPED, assessor=reader.name)
        if not turn.is_stopped:
            with turn.cancellable():
                reading = await read_branch(reader, messages, second.seconds)
        seconds = perf_counter() - began
        if second.reader is None:
            turn.delivery.aside += reading.completion_tokens or 0
        saw_reading(reading.answer, reading.assessor, seconds)
        return replace(reading, ms=round(seconds * 1000))


async def _sound_look(assessor: LooksBack, messages: Sequence[Message]) -> Verdict | None:
    look = await assessor.look_back(messages)
    if look is None or isinstance(look, Verdict):
        return look
    raise TypeError("a last look answers with a Verdict, or None")


def _leaves_open(look: Verdict, decision: Decision) -> bool:
    """Whether a second reader can still make a difference after this look: it saw nothing, or a possible crisis on a ladder
    that has moved."""
    if look.label is Label.CRISIS:
        return look.strength is not Strength.CLEAR and decision.before.rung is not Rung.OPEN
    return look.label is not Label.UNKNOWN
