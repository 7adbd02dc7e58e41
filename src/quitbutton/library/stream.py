"""A reply as it comes, for a caller in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from quitbutton.adapters.sse import Frames, data_of
from quitbutton.core.errors import QuitbuttonError
from quitbutton.interfaces import Headers
from quitbutton.library.answer import Answer, answer_of, error_of
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.assembled import Assembly


class StreamListener:
    """A client in memory that hands on what comes. Satisfies `Client`."""

    def __init__(self) -> None:
        self.is_gone = False
        self.is_open = False
        self.status = 0
        self.opened = asyncio.Event()
        self.parts: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def open(self, status: int, headers: Headers) -> None:
        """The status is known."""
        self.is_open, self.status = True, status
        self.opened.set()

    async def send(self, data: bytes, is_last: bool = False) -> None:
        """A part of the body."""
        if not self.is_gone:
            self.parts.put_nowait(data)


class Stream:
    """An async context manager; iterate over it for texts, or over `chunks()` for chat-completion chunks.

    Entering raises `ConversationEnded` on a locked turn, before anything is shown. Leaving early stops the model; what
    was said until then stays on record. `answer` is the whole reply once the iteration is over.
    """

    def __init__(self, turn: Turn, client: StreamListener, take: Callable[[Turn], Awaitable[None]]) -> None:
        self._turn, self._client, self._take = turn, client, take
        self._task: asyncio.Task[None] | None = None
        self._assembly = Assembly()
        self._answer: Answer | None = None

    async def __aenter__(self) -> Stream:
        self._task = asyncio.create_task(self._run())
        await self._client.opened.wait()
        if self._client.status != 200:
            await self._task
            raise error_of(await self._rest())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is None or self._task.done():
            return
        self._client.is_gone = True
        self._turn.stop("client")
        with suppress(QuitbuttonError):
            await self._task

    async def __aiter__(self) -> AsyncIterator[str]:
        async for chunk in self.chunks():
            for choice in chunk.get("choices") or ():
                if text := (choice.get("delta") or {}).get("content"):
                    yield text

    async def chunks(self) -> AsyncIterator[dict[str, Any]]:
        """Chunks in OpenAI's shape; the last has the `quitbutton` object. Raises what the model raised."""
        frames = Frames()
        while (part := await self._client.parts.get()) is not None:
            for frame in frames.feed(part):
                data = data_of(frame).decode()
                if data.startswith("{"):
                    self._assembly.add(data)
                    yield json.loads(data)
        if self._task is not None:
            await self._task
        self._answer = answer_of(self._assembly.whole())

    def stop(self) -> None:
        """Stop the model, as the user's Stop does. What was said until then stays, and the iteration comes to its end."""
        self._turn.stop("user")

    @property
    def answer(self) -> Answer:
        """The whole reply. Raises `RuntimeError` before the iteration is over."""
        if self._answer is None:
            raise RuntimeError("The reply is not over: iterate over the stream to its end, then ask for `answer`.")
        return self._answer

    async def _run(self) -> None:
        try:
            await self._take(self._turn)
        finally:
            self._client.status = self._client.status or 200
            self._client.opened.set()
            self._client.parts.put_nowait(None)

    async def _rest(self) -> bytes:
        parts = []
        while (part := await self._client.parts.get()) is not None:
            parts.append(part)
        return b"".join(parts)
