"""One HTTP/1.1 connection to a provider, on asyncio and llhttp: a request at a time, its answer as it comes."""

from __future__ import annotations

import asyncio
import re
import select
from typing import cast

import httptools

from quitbutton.core.errors import UpstreamFailed, UpstreamTimeout

MOST_WAITING = 256 * 1024
"""Bytes of an answer that wait to be read; beyond that the provider is made to wait."""
MOST_HEADERS = 256
MOST_HEADER_BYTES = 128 * 1024
KEPT_SECONDS = 55.0
"""How long an idle connection is used again, where its server names no time: most keep one for a minute or more."""

_TIMEOUT = re.compile(rb"(?:^|[\s,])timeout=(\d{1,6})")


class Broken(Exception):
    """The connection ended, or what came is no HTTP. `began` says whether any of the answer had come."""

    def __init__(self, why: str, began: bool) -> None:
        super().__init__(why)
        self.began = began


class Connection(asyncio.Protocol):
    """Satisfies asyncio's protocol. `send()`, `answered()`, then `chunk()` until it is empty."""

    _has_headers: bool
    _is_done: bool
    _is_head: bool
    _began: bool
    """True once any of the answer has come."""
    _keeps: bool
    """True where the server keeps the connection after this answer."""
    _until_close: bool
    """True for an answer that states no length: it ends with its connection."""
    _failure: str | None
    _header_bytes: int

    def __init__(self, read_timeout: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.is_open = False
        self.fresh_until = 0.0
        """When an idle connection is too old to be used again; by the loop's clock."""
        self._kept_for = KEPT_SECONDS
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self._read_timeout = read_timeout
        self._transport: asyncio.Transport
        self._parser: httptools.HttpResponseParser
        self._waiter: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._chunks: list[bytes] = []
        self._waiting = 0
        self._is_paused = False
        self._reset(is_head=False)
        self._is_done = True

    # What the caller does.

    def send(self, head: bytes, body: bytes, is_head: bool = False) -> None:
        """Send a request. The answer to it, whole or broken off, is over before the next."""
        self._reset(is_head)
        self._parser = httptools.HttpResponseParser(self)
        self._transport.writelines((head, body) if body else (head,))

    async def answered(self) -> None:
        """Wait for status and headers. Raises `Broken`, or `UpstreamTimeout` after the read time-out."""
        while not self._has_headers:
            if self._failure is not None:
                raise Broken(self._failure, self._began)
            await self._wait()

    async def chunk(self) -> bytes:
        """What has come of the body since the last call; empty once it is over. Raises `Broken`, `UpstreamTimeout`."""
        while not self._chunks:
            if self._is_done:
                return b""
            if self._failure is not None:
                raise Broken(self._failure, self._began)
            await self._wait()
        chunks, self._chunks, self._waiting = self._chunks, [], 0
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    @property
    def is_reusable(self) -> bool:
        """True when the answer is over, all of it was read, and the server keeps the connection."""
        is_over = self._is_done and not self._chunks  # what nobody read must not become the next answer's beginning
        return self.is_open and is_over and self._keeps and not self._transport.is_closing()

    def rest(self) -> None:
        """Idle from now on."""
        self.fresh_until = self.loop.time() + self._kept_for

    @property
    def is_fresh(self) -> bool:
        """True when an idle connection may be used again: young enough, and nothing came on it, not even its end.

        The system is asked, since the loop may not have heard of the end yet.
        """
        if not self.is_reusable or self.loop.time() >= self.fresh_until:
            return False
        handle = self._transport.get_extra_info("socket").fileno()
        if not hasattr(select, "poll"):
            return not select.select([handle], [], [], 0)[0]
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return not poll.poll(0)

    def abort(self) -> None:
        """Let go at once, with whatever is still under way."""
        self.is_open = False
        self._transport.abort()
        self._calm()

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected, with TLS where that is spoken."""
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone. An answer that states no length ends so."""
        self.is_open = False
        if not self._is_done:
            if self._has_headers and self._until_close and exc is None:
                self._finish()
            else:
                self._failure = self._failure or "the connection was closed"
        self._wake()

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer; any that nobody asked for end the connection."""
        if self._is_done:
            self.abort()
            return
        self._began = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("it switched protocols")
        except (httptools.HttpParserError, UpstreamFailed) as error:
            self._fail(str(error) or "no HTTP")
        if self._waiting > MOST_WAITING and not self._is_paused and not self._is_done:
            self._is_paused = True
            self._transport.pause_reading()
        if self._waiter is not None:
            self._wake()

    # What the parser tells.

    def on_message_begin(self) -> None:
        """An answer begins. Raises `UpstreamFailed` for one that nobody asked for."""
        if self._is_done:
            raise UpstreamFailed("it answered twice")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._header_bytes += len(name) + len(value)
        if len(self.headers) >= MOST_HEADERS or self._header_bytes > MOST_HEADER_BYTES:
            raise UpstreamFailed("its headers are too many")
        if self._has_headers:
            return  # a trailer: nobody gets it, and no header changes once the body has begun
        self.headers.append((name.decode("latin-1"), value.decode("latin-1")))
        lowered = name.lower()
        if lowered in (b"content-length", b"transfer-encoding"):
            self._until_close = False
        elif lowered == b"keep-alive" and (found := _TIMEOUT.search(value.lower())):
            self._kept_for = min(KEPT_SECONDS, int(found[1]) - 1.0)  # it closes then: that must not meet a request

    def on_headers_complete(self) -> None:
        """Status and headers are whole; those of an interim answer are not the answer's."""
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.headers, self._until_close = [], True
            return
        self._has_headers = True
        self._keeps = bool(self._parser.should_keep_alive())
        if self._is_head or self.status in (204, 304):
            self._finish()

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        if data:
            self._chunks.append(data)
            self._waiting += len(data)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was an interim one."""
        if self._has_headers and not self._is_done:
            self._finish()

    def _finish(self) -> None:
        self._is_done = True
        self._until_close = False

    def _fail(self, why: str) -> None:
        self._failure = self._failure or why
        self.abort()

    def _reset(self, is_head: bool) -> None:
        self.status, self.headers = 0, []
        self._is_head = is_head
        self._has_headers = self._is_done = self._began = self._keeps = False
        self._until_close = True
        self._failure = None
        self._header_bytes = 0

    async def _wait(self) -> None:
        """Until something comes. Raises `UpstreamTimeout` when nothing does."""
        self._waiter = waiter = self.loop.create_future()
        self._deadline = self.loop.time() + self._read_timeout
        if self._alarm is None:  # one for many waits: a chunk moves the deadline, not the alarm
            self._alarm = self.loop.call_at(self._deadline, self._ring)
        try:
            await waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _ring(self) -> None:
        self._alarm = None
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        if self.loop.time() < self._deadline:
            self._alarm = self.loop.call_at(self._deadline, self._ring)
        else:
            waiter.set_exception(UpstreamTimeout("it stopped sending"))

    def close(self) -> None:
        """Let go of an idle connection."""
        self._calm()
        if self.is_open:
            self.is_open = False
            self._transport.close()

    def _calm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
