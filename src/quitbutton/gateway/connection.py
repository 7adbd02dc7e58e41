"""A client's connection: uvicorn's HTTP/1.1 protocol on llhttp, with the limits and the strictness that it lacks."""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from quitbutton.gateway.heads import NO_REQUEST, Refused, check
from quitbutton.gateway.sending import Line, until_closed, until_read
from quitbutton.gateway.strangers import KNOWN, Strangers
from quitbutton.settings.installation import Settings

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

IDLE_SECONDS = 75.0
"""How long a connection is kept without a request: longer than load balancers keep theirs, so that they close first."""
LINGER_SECONDS = 5.0
"""How long what is left of a request is still taken in, and dropped, after its answer."""
PROBE_SECONDS = 0.1
"""How soon after a client's last byte it is looked whether the client has gone altogether."""
MOST_AHEAD = 100
"""Requests that a client may send ahead on one connection; what comes after them is not served."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(HttpToolsProtocol):
    """One client. Each way in which it may hold on to memory, to a connection or to a turn has a limit of its own."""

    def __init__(
        self,
        settings: Settings,
        strangers: Strangers,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = httptools.HttpRequestParser(self)  # without the leniency that uvicorn gives its own
        self._settings, self._strangers = settings, strangers
        self._address: str | None = None
        """Where it comes from, as long as it counts as a stranger's."""
        self._running: RequestResponseCycle | None = None
        """The request that is being answered; later ones wait in `pipeline`."""
        self._is_in_head = False
        self._is_whole = True
        """False from a request's first byte to its last."""
        self._is_over = False
        """True once nothing more is read of it."""
        self._is_lingering = False
        """True once it was sent all that it will be, while what it still sends is dropped."""
        self._head_bytes = 0
        self._idle_bytes = 0
        """Bytes that came since the last byte of a body or the last end of a part: all that the parser may have kept."""
        self._since = 0.0
        """When the client's time began for what it is expected to send."""
        self._blocked_since: float | None = None
        """Since when it does not take what it is sent."""
        self._is_half_closed = False

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here. One stranger too many is told so at once."""
        self._transport = cast(asyncio.Transport, transport)
        line = Line(self._transport, self._let_go, self._is_let_go)
        super().connection_made(cast(asyncio.Transport, line))
        self._since = self.loop.time()
        address = self.client[0] if self.client else ""
        if self._strangers.enter(address):
            self._address = address
        else:
            self._answer(503, "Too many connections without a key are open. Try again soon.")

    def connection_lost(self, exc: Exception | None) -> None:
        """It left: every request of it hears so."""
        self.become_known()
        for cycle in (self._running, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        self._is_over = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        if self._is_over:
            return
        self._unset_keepalive_if_required()
        self._idle_bytes += len(data)
        try:
            while data:
                data = self._parse(data)
            if self._idle_bytes > self._settings.max_header_bytes:
                raise self._too_long()
        except Refused as refused:
            self._refuse(refused)

    def eof_received(self) -> bool:  # type: ignore[override] # asyncio takes either
        """The client sends nothing more. It may wait for its answer still, or be gone: TCP says the same of both.

        A client that is gone refuses what it is sent, so an interim response that any client passes over is sent.
        """
        cycle = self._running
        if cycle is None or cycle.response_started or not self._is_whole or cycle.scope["http_version"] == "1.0":
            return False
        self._is_half_closed = True
        self.cycle.keep_alive = False
        self._transport.write(CONTINUE)
        self.loop.call_later(PROBE_SECONDS, self._leave_if_gone)
        return True

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._blocked_since = self.loop.time()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self._blocked_since = None

    # What the parser tells.

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head, self._is_whole = True, False
        self._head_bytes = self._idle_bytes = 0
        self._since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. One that follows a body is counted and dropped: nothing here reads trailers."""
        self._count(len(name) + len(value))
        if self._is_in_head:
            if len(self.headers) >= self._settings.max_headers:
                raise Refused(431, f"The request has more than {self._settings.max_headers} headers (max_headers).")
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The request can be taken up."""
        if len(self.pipeline) >= MOST_AHEAD:
            raise Refused(429, "Too many requests were sent ahead.")
        check(self.parser.get_http_version(), self.parser.get_method(), self.url, self.headers)
        self._is_in_head = False
        self._idle_bytes = 0
        self._since = self.loop.time()
        if self.parser.should_upgrade():
            return  # `data_received` goes on with it as if it had not asked
        if self._address is not None:
            cast(dict[str, Any], self.scope)["extensions"] = {KNOWN: self.become_known}
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of its body."""
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole."""
        if self.parser.should_upgrade():
            return
        self._is_whole = True
        self._head_bytes = self._idle_bytes = 0
        super().on_message_complete()

    # What uvicorn does.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        app = until_read(self.flow, app)
        super()._start_asgi_task(cycle, until_closed(cycle, app) if cycle.scope["http_version"] == "1.0" else app)

    def on_response_complete(self) -> None:
        """A response was sent; the next request's turn."""
        self._running = None
        if self._is_whole:
            self._since = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """The server stops: end it at once where nothing is under way, else after the response."""
        if self._running is None:
            self._transport.close()
        else:
            self.cycle.keep_alive = False

    # What the server does.

    def look(self, now: float) -> None:
        """Once a second: let go of a client that takes too long."""
        settings = self._settings
        if self._blocked_since is not None:
            if now > self._blocked_since + settings.write_timeout:
                self._reset()
        elif self._transport.is_closing():
            self._blocked_since = now  # what it was sent last is still to be taken
        elif self._is_lingering:
            if now > self._since + LINGER_SECONDS:
                self._transport.abort()
        elif self._is_half_closed:
            self._leave_if_gone()
        elif self.flow.read_paused:
            self._since = now  # it is the application that takes long
        elif not self._is_over:
            self._look_at_request(now)

    def become_known(self) -> None:
        """Its client has shown a key: it counts as a stranger's no longer."""
        if self._address is not None:
            self._strangers.leave(self._address)
            self._address = None

    def _look_at_request(self, now: float) -> None:
        settings, waited = self._settings, now - self._since
        if self._is_in_head and waited > settings.header_timeout:
            self._refuse(Refused(408, "The request's headers took too long (header_timeout)."))
        elif not (self._is_in_head or self._is_whole) and waited > settings.body_timeout:
            self._refuse(Refused(408, "The request's body took too long (body_timeout)."))
        elif self._is_whole and self._running is None:
            is_new = self.cycle is None
            if waited > (settings.header_timeout if is_new else IDLE_SECONDS):
                self._transport.close()

    def _parse(self, data: bytes) -> bytes:
        """Feed the parser. What is left is to be fed anew: a request that asked for another protocol, without the asking."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            head = [self.parser.get_method(), b" ", self.url, b" HTTP/1.1\r\n"]
            self.parser = httptools.HttpRequestParser(self)
            for name, value in self.headers:
                if name != b"upgrade":
                    head += [name, b": ", value, b"\r\n"]
            return b"".join([*head, b"\r\n", data[upgrade.args[0] :]])
        except httptools.HttpParserError as error:
            cause = error.__context__
            raise cause if isinstance(cause, Refused) else Refused(400, NO_REQUEST) from error
        return b""

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._settings.max_header_bytes:
            raise self._too_long()

    def _too_long(self) -> Refused:
        return Refused(
            431, f"The request's headers are over {self._settings.max_header_bytes} bytes (max_header_bytes)."
        )

    def _refuse(self, refused: Refused) -> None:
        """Say why, unless earlier requests are to be answered still: then end it after them."""
        cycle = self.cycle
        is_broken = not (self._is_whole or self._is_in_head) and cycle is not None and not cycle.response_complete
        if is_broken and self._running is not cycle:
            self.pipeline.popleft()  # it waits behind others
            self.cycle = cycle = self.pipeline[0][0] if self.pipeline else cast(RequestResponseCycle, self._running)
            is_broken = False
        self._is_over = True
        if is_broken:
            cycle.disconnected = True
            cycle.message_event.set()
            self._running = None
        if self._running is not None:
            cycle.keep_alive = False
        elif is_broken and cycle.response_started:
            self._transport.close()
        else:
            self._answer(refused.status, str(refused))

    def _answer(self, status: int, why: str) -> None:
        head = [STATUS_LINE[status], b"content-type: text/plain; charset=utf-8\r\n", b"connection: close\r\n"]
        if status == 503:
            head.append(b"retry-after: 1\r\n")
        self._transport.write(b"".join([*head, b"content-length: %d\r\n\r\n" % (len(why) + 1), why.encode(), b"\n"]))
        self._is_whole = False  # whatever follows is taken in for a while
        self._let_go()

    def _let_go(self) -> None:
        """End it. A client that only sends as yet would not see the answer of a closed connection: the rest is taken in."""
        if self._is_whole or self._is_half_closed:
            self._transport.close()
        elif not self._is_let_go():
            self._is_over = self._is_lingering = True
            self._running = None
            self._since = self.loop.time()
            self._transport.write_eof()
            self.flow.resume_reading()

    def _is_let_go(self) -> bool:
        return self._is_lingering or self._transport.is_closing()

    def _reset(self) -> None:
        """End it at once, and have the system drop what the client did not take."""
        handle = self._transport.get_extra_info("socket")
        if handle is not None:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _leave_if_gone(self) -> None:
        handle = self._transport.get_extra_info("socket")
        if self._transport.is_closing() or handle is None:
            return
        poll = select.poll()
        poll.register(handle.fileno(), 0)
        if any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
            self._transport.abort()
