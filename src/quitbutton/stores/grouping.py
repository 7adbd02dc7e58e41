"""Group commit: what waits while a group is written becomes the next group."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from quitbutton.core.errors import RecordRefused

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class Groups(Generic[Item, Result]):
    """Runs `work` on items in groups, at most `at_once` of them at a time, each of at most `size` items.

    An item on which a group founders fails alone: the others are run again without it.
    """

    work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]
    size: int
    at_once: int = 1
    _waiting: list[tuple[Item, asyncio.Future[Result]]] = field(default_factory=list)
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _about: int = 0
    """Those of the running that have yet to take their group."""

    @property
    def waiting(self) -> int:
        """Items that no group has taken yet."""
        return len(self._waiting)

    async def add(self, item: Item) -> Result:
        """The result of an item, once its group is through. Raises what its work raised."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._start()
        return await future

    def _start(self) -> None:
        while len(self._waiting) > self._about * self.size and len(self._running) < self.at_once:
            self._about += 1
            task = asyncio.create_task(self._next())
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._start()

    async def _next(self) -> None:
        """The group of all that wait by now: those who came in the same round of the event loop are in it."""
        self._about -= 1
        group, self._waiting = self._waiting[: self.size], self._waiting[self.size :]
        await self._run(group)

    async def _run(self, group: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self.work([item for item, _ in group])
        except RecordRefused as error:
            if len(group) == 1:
                _fail(group, error)
                return
            await asyncio.gather(*(self._run([one]) for one in group))
        except BaseException as error:
            _fail(group, error)
        else:
            for (_, future), result in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(result)


def _fail(group: Sequence[tuple[Item, asyncio.Future[Result]]], error: BaseException) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
