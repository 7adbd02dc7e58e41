"""Asks a reader in time: one that fails or takes too long proves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

from quitbutton.core.errors import AssessorFailed
from quitbutton.core.ladder.verdicts import Label, Verdict

T = TypeVar("T")
LATE_AFTER = 0.03
"""Seconds that an assessor may take before it counts as late: the local one is faster as a rule."""


async def with_timeout(
    seconds: float, work: Awaitable[T], patience: float = 0.0, late: Callable[[], None] | None = None
) -> T:
    """The result of `work`. Raises `TimeoutError` when it takes longer; after `patience` seconds `late` is called.

    As under `asyncio.timeout`, whose clock costs more than many an answer that is there at once.
    """
    steps = work.__await__()
    try:
        waits_for = next(steps)
    except StopIteration as done:
        result: T = done.value
        return result
    alarm = None if late is None else asyncio.get_running_loop().call_later(patience, late)
    try:
        async with asyncio.timeout(seconds):
            return await _Rest(steps, waits_for)
    finally:
        if alarm is not None:
            alarm.cancel()


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


async def verdict_in_time(
    name: str, work: Awaitable[Verdict | None], timeout: float, late: Callable[[], None] | None = None
) -> Verdict | None:
    """A verdict of the assessor `name`; one that fails or takes too long is `UNKNOWN`. `late` is called where it takes
    a while."""
    try:
        return await with_timeout(timeout, work, LATE_AFTER, late)
    except TimeoutError:
        return Verdict(Label.UNKNOWN, assessor=name, why="timeout")
    except AssessorFailed as error:
        return Verdict(Label.UNKNOWN, assessor=name, why=error.why)
    except Exception as error:
        return Verdict(Label.UNKNOWN, assessor=name, why=f"failed: {type(error).__name__}")
