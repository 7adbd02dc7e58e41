"""A client's connection: bytes become requests, each runs through the application, one after another."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any, Protocol, cast
from urllib.parse import unquote

import httptools
from starlette.types import ASGIApp, Send

from quitbutton.gateway.server.cycle import HANGUP, Cycle

MOST_HEADER_BYTES = 64 * 1024
MOST_BODY_WAITING = 256 * 1024
"""Bytes of a body that wait for the application; beyond that the client is made to wait."""
LINGER_SECONDS = 20.0
"""How long what is left of a request is still taken in, and dropped, after its answer."""
MOST_QUEUED = 100
"""Requests that a client may send ahead on one connection; one that sends more is let go."""
ASGI = {"version": "3.0", "spec_version": "2.3"}

log = logging.getLogger("quitbutton.server")


class Host(Protocol):
    """What a connection needs of the one that took it."""

    @property
    def app(self) -> ASGIApp:
        """The application."""
        ...

    loop: asyncio.AbstractEventLoop
    connections: set[ClientConnection]
    tasks: set[asyncio.Task[None]]
    date: bytes
    is_closing: bool

    def forwarded(self, scope: dict[str, Any]) -> None:
        """Take a client's address and scheme from its proxy's headers, where that one is believed."""
        ...


class TooManyHeaders(Exception):
    """Over `MOST_HEADER_BYTES`."""


class ClientConnection(asyncio.Protocol):
    """Satisfies asyncio's protocol, and `Line` for its cycles."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._loop = host.loop
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._cycle: Cycle | None = None
        """The one whose request comes in."""
        self._queue: deque[Cycle] = deque()
        """Those whose responses are to be sent; the first is under way."""
        self.drained: asyncio.Future[None] | None = None
        """What is to be waited for while the client does not read."""
        self._is_paused = False
        self._closes = False
        self.is_lost = False
        self.heard = self._loop.time()
        """When bytes came last, or a response was over."""
        self._client: tuple[str, int] | None = None
        self._server: tuple[str, int] | None = None
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._header_bytes = 0

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here."""
        self._transport = cast(asyncio.Transport, transport)
        self._client = _address(transport.get_extra_info("peername"))
        self._server = _address(transport.get_extra_info("sockname"))
        self._scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self._host.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """It left."""
        self.is_lost = True
        self._host.connections.discard(self)
        for cycle in self._queue:
            cycle.lost()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        self.heard = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._closes = True  # nobody here speaks anything else; the request itself was a whole one
        except (httptools.HttpParserError, TooManyHeaders) as error:
            self._refuse(error)

    def pause_writing(self) -> None:
        """The client does not read."""
        if self.drained is None:
            self.drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """It reads again, or is gone."""
        if self.drained is not None:
            self.drained.set_result(None)
            self.drained = None

    # What the parser tells.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url, self._headers, self._header_bytes = b"", [], 0

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._count(len(name) + len(value))
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The request can be taken up."""
        version, method = self._parser.get_http_version(), self._parser.get_method().decode("ascii")
        raw_path, _, query = self._url.partition(b"?")
        if not raw_path.startswith(b"/"):  # absolute form, as proxies are sent it
            raw_path = httptools.parse_url(self._url).path or b"/"
        path = raw_path.decode("ascii", "replace")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": ASGI,
            "http_version": version,
            "method": method,
            "scheme": self._scheme,
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "client": self._client,
            "server": self._server,
            "extensions": {},
        }
        self._host.forwarded(scope)
        expects = any(name == b"expect" and value.lower() == b"100-continue" for name, value in self._headers)
        keeps = bool(self._parser.should_keep_alive()) and not self._closes
        cycle = Cycle(self, scope, keeps, method == "HEAD", version == "1.0", expects)
        scope["extensions"][HANGUP] = cycle.watch
        self._header_bytes = 0
        self._cycle = cycle
        self._queue.append(cycle)
        if len(self._queue) == 1:
            self._start(cycle)
        elif len(self._queue) > MOST_QUEUED:
            self._transport.abort()

    def on_body(self, data: bytes) -> None:
        """A part of its body."""
        if self._cycle is not None and not self._cycle.is_over:
            self._cycle.feed(data)
            if self._cycle.size > MOST_BODY_WAITING:
                self._pause()

    def on_message_complete(self) -> None:
        """It is whole."""
        if self._cycle is not None:
            if self._cycle.is_over:
                self._transport.close()
            self._cycle.ended()
            self._cycle = None

    # What a cycle does.

    @property
    def date(self) -> bytes:
        """The `Date` header."""
        return self._host.date

    @property
    def is_closing(self) -> bool:
        """True where no further request is taken: the client is told, so that it sends none."""
        return self._closes or self._host.is_closing

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def wants_more(self) -> None:
        """Let the client send on."""
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

    def over(self, keeps: bool) -> None:
        """The next request's turn, or the end of the connection."""
        self.heard = self._loop.time()
        cycle = self._queue.popleft()
        self.wants_more()
        if cycle is self._cycle:
            # Answered before all of it came: a client that only sends as yet would not see the answer of a closed connection.
            self._closes = True
            self._loop.call_later(LINGER_SECONDS, self._transport.close)
            return
        if not keeps or self._closes or self._host.is_closing:
            self._closes = True
            self._transport.close()
            return
        if self._queue:
            self._start(self._queue[0])

    # What the listener does.

    @property
    def is_idle(self) -> bool:
        """True while no request is under way."""
        return not self._queue

    @property
    def is_halfway(self) -> bool:
        """True where a request has begun that is not whole, and nothing keeps its client from sending on."""
        return (self._header_bytes > 0 or self._cycle is not None) and not self._is_paused

    def close(self) -> None:
        """End it: at once where nothing is under way, else after the response."""
        if self._queue:
            self._closes = True
        else:
            self._transport.close()

    def abort(self) -> None:
        """End it at once."""
        self._transport.abort()

    def _start(self, cycle: Cycle) -> None:
        task = self._loop.create_task(self._run(cycle))
        self._host.tasks.add(task)
        task.add_done_callback(self._host.tasks.discard)

    async def _run(self, cycle: Cycle) -> None:
        try:
            await self._host.app(cycle.scope, cycle.receive, cast(Send, cycle.send))
        except Exception:
            log.exception("a request failed")
        finally:
            cycle.left()
        if not cycle.is_over and not self.is_lost:
            self._transport.abort()  # nothing that a client could take for a whole answer

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MOST_HEADER_BYTES:
            raise TooManyHeaders(f"more than {MOST_HEADER_BYTES} bytes")

    def _refuse(self, error: Exception) -> None:
        is_long = isinstance(error, TooManyHeaders) or isinstance(error.__context__, TooManyHeaders)
        status, why = (b"431 Request Header Fields Too Large", error) if is_long else (b"400 Bad Request", error)
        log.info("a request could not be read: %s", why)
        if self._queue or self.is_lost:
            self._closes = True  # what came before it is answered still
            return
        text = b"The request is no HTTP/1.1 that can be read here.\n"
        if is_long:
            text = b"The request's headers are over %d bytes.\n" % MOST_HEADER_BYTES
        head = b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n" % status
        self._transport.write(head + b"content-length: %d\r\n\r\n" % len(text) + text)
        self._transport.close()

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()


def _address(given: object) -> tuple[str, int] | None:
    return (str(given[0]), int(given[1])) if isinstance(given, tuple) and len(given) >= 2 else None
