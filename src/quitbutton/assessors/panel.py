"""Several assessors as one: a crisis seen by any is a crisis, and a member that fails proves no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quitbutton.core.errors import AssessorFailed
from quitbutton.core.messages import Message
from quitbutton.core.rules import Agreement
from quitbutton.core.verdicts import Label, Verdict, worst_of
from quitbutton.interfaces import Assessor

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

    async def _ask(self, member: Assessor, messages: Sequence[Message]) -> Verdict:
        try:
            async with asyncio.timeout(self.timeout):
                return await member.assess(messages)
        except TimeoutError:
            return Verdict(Label.UNKNOWN, assessor=member.name, why="timeout")
        except AssessorFailed as error:
            return Verdict(Label.UNKNOWN, assessor=member.name, why=error.why)
        except Exception as error:  # any failure of a member means the same: it could not tell
            return Verdict(Label.UNKNOWN, assessor=member.name, why=f"failed:{type(error).__name__}")
