"""A call begun before the verdict is there, so that a clean conversation does not wait for a slow assessor."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from quitbutton.interfaces import Exchange

AFTER = 0.03
"""Seconds that an assessor may take before the call is begun: the local one is faster, so that what it finds is sent once."""


class Ahead:
    """An upstream's call under way, to be entered once or abandoned. Nothing of its answer's body is read before."""

    __slots__ = ("_answer", "_call", "body")

    def __init__(self, call: AbstractAsyncContextManager[Exchange], body: bytes) -> None:
        self.body = body
        self._call = call
        self._answer = asyncio.create_task(self._begin())

    async def _begin(self) -> Exchange:
        return await self._call.__aenter__()

    async def __aenter__(self) -> Exchange:
        return await self._answer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._call.__aexit__(kind, error, trace)

    async def abandon(self) -> None:
        """Abort it. What it failed with is of no interest any more."""
        self._answer.cancel()
        await asyncio.wait({self._answer})
        if not self._answer.cancelled() and self._answer.exception() is None:
            await self._call.__aexit__(None, None, None)
