"""Whole conversations through the gateway's own turn, with verdicts from what models read that did not learn their author."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from quitbutton.assessors.branch import Read, Standpoints
from quitbutton.assessors.crisis import crisis_sign
from quitbutton.assessors.local import LocalAssessor, Thresholds
from quitbutton.assessors.normal import fold
from quitbutton.assessors.reader import NOTHING, Reader, Reading, Seen
from quitbutton.core.ladder.policy import Policy, Speaker
from quitbutton.core.provenance import words_of
from quitbutton.replay.simulate import simulate
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from training.branch import Floats

POLICY = Policy(assist=True, speaker=Speaker.GATEWAY)
"""The gateway climbs the ladder itself: the hardest case, as no model has a say in it. There is no second reader."""


class Known(Reading):
    """A reading whose logits are known beforehand."""

    logits: Floats


class KnownReader(Reader):
    """Stands in for the reader: what it read of a text is given, all that follows from it is the real thing."""

    def __init__(self, read: Mapping[str, Floats], scores: Floats, pleas: Mapping[str, Standpoints]) -> None:
        super().__init__()
        self._read, self._scores, self._pleas = read, scores, pleas

    def read(self, text: str) -> Reading:
        """What is known of a text, and what the rules see in it."""
        plea = Plea((), NOTHING) if text in self._pleas else None
        if plea is not None:
            plea.stand = self._pleas[text]
        known = Known(None, None, (), sign_in(text), plea)
        known.logits = self._read[text]
        return known

    def logits(self, reading: Reading, before: Sequence[Reading]) -> Floats:
        """Those that are known."""
        assert isinstance(reading, Known)  # noqa: S101 - read() makes no others
        return reading.logits

    def by_itself(self, seen: Seen) -> Standpoints:
        """What is known of a plea."""
        assert isinstance(seen, Plea)  # noqa: S101 - read() makes no others
        return seen.stand

    def standpoints(self, read: Read) -> Standpoints:
        """The branch's after so many messages."""
        return Standpoints(*(float(value) for value in self._scores[len(read.logits) - 1]))


class Plea(Seen):
    """A statement of danger of which it is known what it is by itself."""

    stand: Standpoints


@cache
def sign_in(text: str) -> str | None:
    """The plain statement of danger that a rule finds in a text."""
    return crisis_sign(fold(words_of(text).for_crisis))


@dataclass(frozen=True, slots=True)
class Course:
    """How a conversation went. Turns count from 1; None where it did not happen."""

    group: str
    warned_at: int | None
    ended_at: int | None
    crisis: tuple[str | None, ...]
    """After each turn: `clear`, `possible` or None."""

    def sees(self, strengths: Sequence[str], since: int = 1) -> bool:
        """Whether a crisis of such a strength is on record from a turn on."""
        return any(found in strengths for found in self.crisis[since - 1 :])


def played(
    said: Sequence[str],
    logits: Floats,
    scores: Floats,
    limits: Thresholds,
    replies: Sequence[str] = (),
    group: str = "",
    pleas: Mapping[str, Standpoints] | None = None,
) -> Course:
    """One conversation of at most `LOOK_BACK` messages through the gateway; `scores` are its standpoints.

    `pleas` holds what the plain statements of danger in its messages are by themselves.
    """
    reader = KnownReader(dict(zip(said, logits, strict=True)), scores, pleas or {})
    messages: list[dict[str, str]] = []
    for place, text in enumerate(said):
        messages.append({"role": "user", "content": text})
        if place < len(replies):
            messages.append({"role": "assistant", "content": replies[place]})
    store, assessor = SQLStore(SQLite(":memory:")), LocalAssessor(limits, reader=reader)
    try:
        found = asyncio.run(simulate({"id": group, "messages": messages}, POLICY, assessor, store))
    finally:
        store.close()
    crisis = tuple(one["crisis"] for one in found["decisions"])
    return Course(group, found["warned_at"], found["ended_at"], crisis)
