"""One request and its response, as an ASGI application sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

Message = dict[str, Any]
STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HANGUP = "quitbutton.hangup"
"""The extension of a scope that takes a function to call when the client leaves: a task that waits for it costs more."""


class Line(Protocol):
    """The connection as a cycle sees it."""

    @property
    def is_lost(self) -> bool:
        """True once the client left."""
        ...

    @property
    def is_closing(self) -> bool:
        """True where no further request is taken."""
        ...

    @property
    def date(self) -> bytes:
        """The `Date` header, ready to send."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    @property
    def drained(self) -> asyncio.Future[None] | None:
        """What is to be waited for while the client does not read."""
        ...

    def wants_more(self) -> None:
        """The body that waited was read."""
        ...

    def over(self, keeps: bool) -> None:
        """The response is over; `keeps` says whether the connection may go on."""
        ...


class Cycle:
    """`receive` and `send` of one request."""

    __slots__ = (
        "_body", "_chunked", "_expects", "_head", "_keeps", "_left", "_line", "_on_hangup", "_state", "_told", "_waiter",
        "_whole", "is_old", "only_head", "scope", "size",
    )  # fmt: skip

    def __init__(self, line: Line, scope: Message, keeps: bool, only_head: bool, is_old: bool, expects: bool) -> None:
        self.scope, self.only_head, self.is_old = scope, only_head, is_old
        self.size = 0
        """Bytes of the body that wait to be read."""
        self._line, self._keeps, self._expects = line, keeps, expects
        self._body: list[bytes] = []
        self._whole = self._told = False
        self._waiter: asyncio.Future[None] | None = None
        self._on_hangup: Callable[[], None] | None = None
        self._state = 0  # 0: nothing sent; 1: status known; 2: body under way; 3: over
        self._head: list[bytes] = []
        self._left: int | None = None
        self._chunked = False

    # What the connection tells.

    def feed(self, data: bytes) -> None:
        """A part of the body."""
        self._body.append(data)
        self.size += len(data)
        self._wake()

    def ended(self) -> None:
        """The body is whole."""
        self._whole = True
        self._wake()

    def lost(self) -> None:
        """The client left."""
        self._wake()
        if self._on_hangup is not None and self._state < 3:
            self._on_hangup()

    @property
    def is_over(self) -> bool:
        """True once the response was sent."""
        return self._state == 3

    def watch(self, on_hangup: Callable[[], None]) -> None:
        """Call this when the client leaves; at once where it has."""
        self._on_hangup = on_hangup
        if self._line.is_lost:
            on_hangup()

    def left(self) -> None:
        """The application is through. What it was given refers back to this: a circle, which would stay for a while."""
        self.scope, self._on_hangup = {}, None

    # What the application does.

    async def receive(self) -> Message:
        """A part of the body, or that the client left."""
        while not (self._is_finished or self._has_news):
            if self._expects:
                self._expects = False
                self._line.write(CONTINUE)
            await self._wait()
        if self._is_finished:
            return {"type": "http.disconnect"}
        data = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body, self.size = [], 0
        self._told = self._whole
        self._line.wants_more()
        return {"type": "http.request", "body": data, "more_body": not self._whole}

    @property
    def _is_finished(self) -> bool:
        return self._line.is_lost or self._state == 3

    @property
    def _has_news(self) -> bool:
        return bool(self._body) or (self._whole and not self._told)

    async def send(self, message: Message) -> None:
        """Status and headers, or a part of the body; nothing once the client left."""
        if self._line.is_lost:
            return
        if message["type"] == "http.response.start":
            if self._state:
                raise RuntimeError("a response was begun twice")
            self._begin(message["status"], message.get("headers", ()))
            return
        if message["type"] != "http.response.body" or not 0 < self._state < 3:
            raise RuntimeError(f"{message['type']} does not belong here")
        self._put(message.get("body", b""), bool(message.get("more_body", False)))
        if (drained := self._line.drained) is not None:
            await asyncio.shield(drained)

    def _begin(self, status: int, headers: Any) -> None:
        self._state = 1
        head = [STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode(), self._line.date]
        for name, value in headers:
            if name == b"connection":
                self._keeps = self._keeps and value.lower() != b"close"
                continue
            head += (name, b": ", value, b"\r\n")
            if name == b"content-length":
                self._left = int(value)
        if status < 200 or status in (204, 304):
            self._left = 0
            self.only_head = True
        self._head = head

    def _put(self, data: bytes, more: bool) -> None:
        if self._state == 1:
            self._open(len(data), more)
        if self._left is not None and not self.only_head:
            self._left -= len(data)
            if self._left < 0:
                raise RuntimeError("the body is longer than its content-length")
        if self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self.only_head:
            data = b""
        if self._chunked and not more:
            data += b"0\r\n\r\n"
        if self._head:
            data = b"".join([*self._head, data])
            self._head = []
        if data:
            self._line.write(data)
        if not more:
            self._state = 3
            self._line.over(self._keeps and not (self._left and not self.only_head))

    def _open(self, size: int, more: bool) -> None:
        """Frame the body, now that it is known whether more of it follows."""
        self._state = 2
        self._keeps = self._keeps and not self._line.is_closing
        if self._left is None and not more:
            self._left = size
            self._head.append(b"content-length: %d\r\n" % size)
        elif self._left is None and self.is_old:
            self._keeps = False
        elif self._left is None:
            self._chunked = not self.only_head
            self._head.append(b"transfer-encoding: chunked\r\n")
        if not self._keeps:
            self._head.append(b"connection: close\r\n")
        elif self.is_old:
            self._head.append(b"connection: keep-alive\r\n")
        self._head.append(b"\r\n")

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
