"""What is loaded while the gateway already listens: an assessor's weights, before the first message needs them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from quitbutton.assessors.panel import Panel
from quitbutton.interfaces import Assessor, Loads, ReplyAssessor
from quitbutton.observing.doors import WatchedAssessor, WatchedReader

log = logging.getLogger("quitbutton.gateway")


@dataclass(slots=True)
class Loading:
    """Loads, in a thread. What fails is tried again by whoever uses it first; until then turns are `unknown`."""

    assessors: Sequence[Assessor | None]
    reader: ReplyAssessor | None = None
    """Loaded after them, and only where one of them has something to load: a gateway without models stays small."""
    state: str = "ready"
    """`loading`, `ready` or `failed`."""
    _task: asyncio.Task[None] | None = field(default=None)

    def start(self) -> None:
        """Begin, where there is something to load."""
        found = [one for assessor in self.assessors for one in members_of(assessor) if isinstance(one, Loads)]
        if found:
            found += [one for one in members_of(self.reader) if isinstance(one, Loads)]
            self.state = "loading"
            self._task = asyncio.create_task(self._load(found))

    async def stop(self) -> None:
        """Wait for nothing any more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _load(self, found: Sequence[Loads]) -> None:
        try:
            for one in found:
                await asyncio.to_thread(one.load)
            self.state = "ready"
        except Exception:
            self.state = "failed"
            log.exception("an assessor could not be loaded")


def members_of(assessor: Assessor | ReplyAssessor | None) -> Iterator[Assessor | ReplyAssessor]:
    """The assessors behind one: those of a panel, or itself."""
    if isinstance(assessor, WatchedAssessor | WatchedReader):
        yield from members_of(assessor.inner)
    elif isinstance(assessor, Panel):
        for member in assessor.members:
            yield from members_of(member)
    elif assessor is not None:
        yield assessor
