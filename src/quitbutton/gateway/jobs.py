"""What the gateway does on its own from time to time: words whose time is over are erased."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from quitbutton.core.appeals import DAY
from quitbutton.core.errors import QuitbuttonError
from quitbutton.stores.rights import Rights

EVERY = 3600.0
"""Seconds between two rounds."""

log = logging.getLogger("quitbutton.gateway")

Job = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Jobs:
    """Runs its jobs one after another, now and then every `every` seconds, until it is stopped."""

    jobs: Sequence[Job]
    every: float = EVERY
    _task: asyncio.Task[None] | None = field(default=None)

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End at once; what was under way is not half done, since each job is a transaction."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            for job in self.jobs:
                try:
                    await job()
                except QuitbuttonError as error:
                    log.warning("a job failed, and is tried again in the next round: %s", error)
                except Exception:
                    log.exception("a job failed, and is tried again in the next round")
            await asyncio.sleep(self.every)


def retention(rights: Rights, days: float, now: Callable[[], float]) -> Job:
    """Erases words that are older than `days`."""

    async def job() -> int:
        erased = await rights.drop_words(now() - days * DAY)
        if erased:
            log.info("erased %d kept messages older than %g days", erased, days)
        return erased

    return job
