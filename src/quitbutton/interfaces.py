"""The four doors of the house as Protocols: Adapter, Assessor, Store, Upstream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from quitbutton.core.messages import Message
from quitbutton.core.verdicts import Verdict


@runtime_checkable
class Assessor(Protocol):
    """Reads a turn, says what it sees."""

    @property
    def name(self) -> str:
        """Name and version, `name@version`."""
        ...

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """Answer about the newest user message in the context of those before it, oldest first.

        An assessor that cannot answer raises; the guard then counts the turn as `UNKNOWN`, which proves no harm.
        """
        ...


@runtime_checkable
class ReplyAssessor(Protocol):
    """Reads a reply, says how far it was a refusal."""

    async def assess_reply(self, messages: Sequence[Message]) -> float:
        """The probability, 0 to 1, that the last assistant message refuses or redirects the request before it."""
        ...
