"""Keep-alive connections to the gateway, and what one call came to."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import httptools

HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
)
STATE = re.compile(rb'"quitbutton":\s*\{[^{}]*?"state":\s*"(\w+)"')
NUMBER = re.compile(rb'"soak-(\d+)"')
PATIENCE = 60.0


@dataclass(slots=True)
class Call:
    """One call, as its client saw it."""

    result: str = "lost"
    """answered, refused, uncounted, maybe, cancelled, wrong, or lost."""
    status: int = 0
    request: str = ""
    """The id of the request, from its header."""
    state: str = ""
    sent: float = 0.0
    first: float = 0.0
    """Seconds to the first byte."""
    whole: float = 0.0
    said: str = ""
    """What went wrong."""


class Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self.is_lost = self.is_whole = False
        self.request, self.first = "", 0.0
        """Its id, and when the first byte came."""
        self.body: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)
        self._done: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        self._transport: Any = transport

    def connection_lost(self, error: Exception | None) -> None:
        """The gateway closed it."""
        self.is_lost = True
        self._finish()

    def data_received(self, data: bytes) -> None:
        """A part of an answer."""
        if not self.first:
            self.first = time.monotonic()
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of it."""
        if name.lower() == b"x-quitbutton-request-id":
            self.request = value.decode()

    def on_body(self, data: bytes) -> None:
        """A part of its body."""
        self.body.append(data)

    def on_message_complete(self) -> None:
        """It is whole."""
        self.is_whole = True
        self._finish()

    async def exchange(self, body: bytes, leaves_after: float | None) -> bool:
        """Send a request. False where the client left after so many seconds, before the answer was whole."""
        self.request, self.first, self.is_whole, self.body = "", 0.0, False, []
        self._parser = httptools.HttpResponseParser(self)
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(HEAD % len(body) + body)
        done, _ = await asyncio.wait((self._done,), timeout=PATIENCE if leaves_after is None else leaves_after)
        return bool(done)

    @property
    def status(self) -> int:
        """The answer's, 0 before it came."""
        return int(self._parser.get_status_code()) if self.first else 0

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()

    def _finish(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(None)


class Clients:
    """As many connections as there are calls at once, kept for the next."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: deque[Connection] = deque()
        self.opened = 0

    async def call(self, number: int, body: bytes, sent: float, leaves_after: float | None) -> Call:
        """One call that was due at `sent`."""
        made = Call(sent=sent)
        try:
            line = await self._take()
        except OSError as error:
            made.said = type(error).__name__
            return made
        is_done = await line.exchange(body, leaves_after)
        told = b"".join(line.body)
        made.status, made.request = line.status, line.request
        made.first, made.whole = (line.first or time.monotonic()) - sent, time.monotonic() - sent
        if astray := {int(found) for found in NUMBER.findall(told)} - {number}:
            line.close()
            made.result, made.said = "wrong", f"the reply to {astray}"
            return made
        if not is_done:
            line.close()
            made.result, made.said = ("lost", "no answer") if leaves_after is None else ("cancelled", "")
            return made
        if not line.is_whole:
            made.said = "cut"
            return made
        _tell(made, told)
        self._idle.append(line)
        return made

    async def _take(self) -> Connection:
        while self._idle:
            line = self._idle.pop()
            if not line.is_lost:
                return line
        self.opened += 1
        _, made = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self._port)
        return made

    def close(self) -> None:
        """Hang up everywhere."""
        while self._idle:
            self._idle.pop().close()


def _tell(made: Call, body: bytes) -> None:
    error = _error_of(body)
    if error is None:
        found = STATE.search(body)
        made.state = found[1].decode() if found else ""
        made.result = "answered" if made.status == 200 and found else "wrong"
        if made.result == "wrong":
            made.said = body[-300:].decode(errors="replace")
        return
    code, words = error.get("code"), str(error.get("message"))
    made.said = f"{code}: {words}"
    if code == "conversation_ended" and made.status == 400:
        made.result, made.state = "refused", "ended"
    elif code == "store_unavailable" and made.status in (503, 200):
        made.result = (
            "uncounted" if "othing was counted" in words else "maybe" if "may have been counted" in words else "wrong"
        )
    else:
        made.result = "wrong"


def _error_of(body: bytes) -> dict[str, Any] | None:
    if b'"error"' not in body:
        return None
    text = body[body.rfind(b'{"error"') :].split(b"\n", 1)[0]
    try:
        return dict(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return {"code": "unread", "message": body[-300:].decode(errors="replace")}
