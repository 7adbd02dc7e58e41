"""Several assessors as one: a crisis seen by any is a crisis, and a member that fails proves no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from quitbutton.assessors.deadline import verdict_in_time
from quitbutton.core.ladder.policy import Agreement
from quitbutton.core.ladder.verdicts import UNKNOWN, Verdict, worst_of
from quitbutton.core.messages import Message
from quitbutton.interfaces import Assessor, LooksBack

PATIENCE = 2.0
"""Seconds that each member gets."""


class Panel:
    """Asks all members at once. An empty panel answers `UNKNOWN`."""

    def __init__(
        self, members: Sequence[Assessor], timeout: float = PATIENCE, agreement: Agreement = Agreement.ALL
    ) -> None:
        self.members = tuple(members)
        self.timeout = timeout
        self.agreement = agreement

    @property
    def name(self) -> str:
        """The members' names, joined by a plus."""
        return "+".join(member.name for member in self.members) or "panel@1"

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """Any crisis; else harm only if every member that was asked answered, and enough of them agree."""
        verdicts = await asyncio.gather(*(self._ask(member, messages) for member in self.members))
        return worst_of(verdicts, self.agreement)

    async def look_back(self, messages: Sequence[Message]) -> Verdict | None:
        """What the members that can look back see of a crisis, the strongest; `UNKNOWN` where one of them failed.

        None where no member can.
        """
        asked = [
            verdict_in_time(one.name, one.look_back(messages), self.timeout)
            for one in self.members
            if isinstance(one, _Looker)
        ]
        looks = [look for look in await asyncio.gather(*asked) if look is not None]
        return worst_of(looks) if looks else None

    async def _ask(self, member: Assessor, messages: Sequence[Message]) -> Verdict:
        return await verdict_in_time(member.name, member.assess(messages), self.timeout) or UNKNOWN


@runtime_checkable
class _Looker(Assessor, LooksBack, Protocol):
    """A member that can look back."""
