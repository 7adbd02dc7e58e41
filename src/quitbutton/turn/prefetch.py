"""A call begun before the verdict is there, so that a clean conversation does not wait for a slow assessor."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from quitbutton.interfaces import Exchange


class Ahead:
    """An upstream's call in a task of its own, to be entered once or cancelled. Nothing of its answer's body is read before.

    Whoever waits for it may be cancelled at any point: the call is left all the same.
    """

    __slots__ = ("_begun", "_call", "_over", "_task", "body")

    def __init__(self, call: AbstractAsyncContextManager[Exchange], body: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.body = body
        self._call = call
        self._begun: asyncio.Future[Exchange] = loop.create_future()
        self._over: asyncio.Future[BaseException | None] = loop.create_future()
        self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            async with self._call as exchange:
                self._begun.set_result(exchange)
                error = await self._over
                if error is not None:
                    raise error  # the call hears how it went, as it would without this
        except Exception as error:
            if self._begun.done():
                raise
            self._begun.set_exception(error)
            self._begun.exception()  # whoever enters is told; that may be nobody
        finally:
            self._begun.cancel()

    async def __aenter__(self) -> Exchange:
        try:
            return await asyncio.shield(self._begun)
        except BaseException:
            self.cancel()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._over.done():
            self._over.set_result(error)
        await asyncio.wait({self._task})
        failure = None if self._task.cancelled() else self._task.exception()
        if failure is not None and failure is not error:
            raise failure

    def cancel(self) -> None:
        """Abort it."""
        self._task.cancel()
