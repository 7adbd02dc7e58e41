"""Several assessors as one: a crisis seen by any is a crisis, and a member that fails proves no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quitbutton.core.messages import Message
from quitbutton.core.verdicts import Label, Verdict, worst_of
from quitbutton.interfaces import Assessor

PATIENCE = 2.0
"""Seconds that each member gets."""


class Panel:
    """Asks all members at once. An empty panel answers `UNKNOWN`."""

    def __init__(self, members: Sequence[Assessor], timeout: float = PATIENCE) -> None:
        self.members = tuple(members)
        self.timeout = timeout

    @property
    def name(self) -> str:
        """The members' names, joined by a plus."""
        return "+".join(member.name for member in self.members) or "panel@1"

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """The strongest verdict; harm only if every member answered."""
        return worst_of(await asyncio.gather(*(self._ask(member, messages) for member in self.members)))

    async def _ask(self, member: Assessor, messages: Sequence[Message]) -> Verdict:
        try:
            async with asyncio.timeout(self.timeout):
                return await member.assess(messages)
        except TimeoutError:
            return Verdict(Label.UNKNOWN, assessor=member.name, why="timeout")
        except Exception as error:  # any failure of a member means the same: it could not tell
            return Verdict(Label.UNKNOWN, assessor=member.name, why=f"failed:{type(error).__name__}")
