"""A limit on how long something is waited for, set only where there is something to wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Awaitable[T]) -> T:
    """The result of `work`. Raises `TimeoutError` when it takes longer.

    As under `asyncio.timeout`, whose clock costs more than many an answer that is there at once.
    """
    steps = work.__await__()
    try:
        waits_for = next(steps)
    except StopIteration as done:
        result: T = done.value
        return result
    async with asyncio.timeout(seconds):
        return await _Rest(steps, waits_for)


class _Rest(Awaitable[T]):
    """What is left of something that was begun, and waits."""

    def __init__(self, steps: Generator[Any, Any, T], waits_for: Any) -> None:
        self._steps, self._waits_for = steps, waits_for

    def __await__(self) -> Generator[Any, Any, T]:
        steps, waits_for = self._steps, self._waits_for
        while True:
            try:
                try:
                    answer = yield waits_for
                except BaseException as error:
                    waits_for = steps.throw(error)
                else:
                    waits_for = steps.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result
