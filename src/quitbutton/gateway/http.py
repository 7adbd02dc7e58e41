"""The little of HTTP that the hot path needs: read a body, watch for a hang-up, send a reply. Pure ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send

from quitbutton.core.codings import MOST_RATIO, WINDOWS, Overgrown, Unpackable, Unpacker, is_packed
from quitbutton.core.errors import BadRequest, Overloaded, QuitbuttonError, RateLimited, TooLarge, UnknownCoding
from quitbutton.core.headers import HOP_BY_HOP, OURS_BEGIN, connection_names
from quitbutton.interfaces import Headers

KEPT_BACK = HOP_BY_HOP | {"host", "accept-encoding", "content-encoding", "expect", "cookie", "origin", "referer"}
"""Request headers that do not go upstream: those of this connection and its codings, and what belongs to our own pages."""
KEPT_BACK_WITH_KEYS = KEPT_BACK | {"authorization", "x-api-key", "api-key"}
"""The same where the client's key is one of ours."""
HEADERS = "quitbutton.headers"
"""Where a scope keeps its headers as text."""
CUT_SECONDS = 1.0
"""How long a client that does not read holds up a cut."""


class Hangup(Exception):
    """The client left before its request was whole."""


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, names in lower case; the last of several wins."""
    found: dict[str, str] | None = scope.get(HEADERS)
    if found is None:
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        scope[HEADERS] = found
    return found


def headers_upstream(scope: Scope, with_key: bool) -> Headers:
    """The client's headers that go upstream. Ours stay; the client's key goes along only where it is the provider's."""
    found, kept_back = headers_of(scope), KEPT_BACK if with_key else KEPT_BACK_WITH_KEYS
    passed: Iterable[tuple[str, str]] = found.items()
    if len(found) < len(scope["headers"]):  # some come several times
        passed = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    if "connection" in found:
        kept_back = kept_back | connection_names(value for name, value in passed if name == "connection")
    return [
        (name, value) for name, value in passed if name not in kept_back and not name.startswith((OURS_BEGIN, "sec-"))
    ]


def address_of(scope: Scope) -> str:
    """The network address that a request comes from, as the server knows it."""
    client = scope.get("client")
    return client[0] if client else ""


def error_headers(error: QuitbuttonError) -> Headers:
    """The headers of an error's answer."""
    wait = [("retry-after", str(error.retry_after))] if isinstance(error, RateLimited | Overloaded) else []
    return [("content-type", "application/json"), *wait]


async def read_body(
    receive: Receive,
    headers: Mapping[str, str],
    limit: int,
    name: str = "setting max_body",
    most_ratio: int = MOST_RATIO,
) -> bytes:
    """The request's body, unpacked where it comes compressed.

    Raises `TooLarge` over `limit` bytes, which has this name, before all of it was read, `BadRequest` or `UnknownCoding`.
    """
    declared = headers.get("content-length", "0")
    if not declared.isdigit():
        raise BadRequest("The Content-Length header is not a number.")
    if int(declared) > limit:
        raise _too_large(limit, name)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Hangup
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit, name)
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    body, coding = b"".join(chunks), headers.get("content-encoding", "")
    return _unpacked(body, coding, limit, name, most_ratio) if is_packed(coding) else body


def _unpacked(body: bytes, coding: str, limit: int, name: str, most_ratio: int) -> bytes:
    if coding.strip().lower() not in WINDOWS:
        raise UnknownCoding(
            "The request body is coded in a way that is not read here. Send it plain, or as gzip or deflate."
        )
    unpacker, parts, size = Unpacker(coding, most_ratio), [], 0
    try:
        for part in unpacker.feed(body):
            size += len(part)
            if size > limit:
                raise _too_large(limit, name)
            parts.append(part)
        unpacker.close()
    except Overgrown as error:
        raise TooLarge(
            f"The request body grows to over {most_ratio} times its size (max_ratio). Send it plain."
        ) from error
    except Unpackable as error:
        raise BadRequest(
            f"The request body cannot be unpacked: {error}. Send it plain, or compress it anew."
        ) from error
    return b"".join(parts)


def _too_large(limit: int, name: str) -> TooLarge:
    return TooLarge(f"The request body is over {limit} bytes ({name}). Send a smaller request.")


def _start(status: int, headers: Headers) -> Message:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": raw}


class HTTPClient:
    """The client of one request, as the guard sees it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_gone = False
        self.is_open = False
        self.is_done = False
        """True once the server has the whole answer."""

    async def open(self, status: int, headers: Headers) -> None:
        """Send status and headers."""
        if self.is_open:
            return
        self.is_open = True
        await self._put(_start(status, headers))

    async def send(self, data: bytes, is_last: bool = False) -> None:
        """Send a part of the body."""
        if self.is_gone or self.is_done or not (data or is_last):
            return
        self.is_done = is_last
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": not is_last})
        except OSError:
            self.is_gone = True

    async def close(self) -> None:
        """The body is over."""
        if self.is_open:
            await self.send(b"", is_last=True)

    async def answer(self, status: int, headers: Headers, data: bytes) -> None:
        """A whole answer at once."""
        await self.open(status, [*headers, ("content-length", str(len(data)))])
        await self.send(data, is_last=True)

    async def cut(self, status: int, headers: Headers, body: bytes, frame: bytes) -> None:
        """Take the client away from whoever answers it: an error as an answer, or as the last frame of a stream.

        The blank line before the frame ends what a relayed stream may have left half said.
        """
        if self.is_gone or self.is_done:
            return
        send, was_open, self.is_gone = self._send, self.is_open, True
        self.is_open = self.is_done = True
        with suppress(OSError, RuntimeError, TimeoutError):
            async with asyncio.timeout(CUT_SECONDS):
                if not was_open:
                    await send(_start(status, [*headers, ("content-length", str(len(body)))]))
                last = b"\n\n" + frame if was_open else body
                await send({"type": "http.response.body", "body": last, "more_body": False})

    async def _put(self, message: Message) -> None:
        if self.is_gone:
            return
        try:
            await self._send(message)
        except OSError:
            self.is_gone = True


class Watch:
    """Watches for the client's hang-up until its answer is whole: from then on servers say of every client that it left."""

    def __init__(self, client: HTTPClient, receive: Receive, on_hangup: Callable[[], None]) -> None:
        self._client, self._receive, self._on_hangup = client, receive, on_hangup

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._wait())

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._client.is_done:
            self._on_hangup()
