"""A provider over HTTP, its connections kept and used again; an abandoned reply closes its connection at once."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from urllib.parse import SplitResult, urlsplit

from quitbutton.core.errors import BadRequest, UpstreamFailed, UpstreamTimeout
from quitbutton.core.headers import of_another_site
from quitbutton.core.upstreams import REPLY_LIMITS, KeyHeader, ReplyLimits, base_of, keyed
from quitbutton.interfaces import Headers
from quitbutton.upstreams.bounded import Bounded, Unreadable, no_answer
from quitbutton.upstreams.connection import Broken, Connection

_UNSAFE = re.compile(rb"[\x00-\x20\x7f-\xff]")
REPEATABLE = ("GET", "HEAD", "OPTIONS", "DELETE")
"""Methods that do no more when they are done twice (RFC 9110, section 9.2.2). A POST is sent once, whatever happens."""
_REPEATABLE = tuple(f"{method} ".encode() for method in REPEATABLE)


class HTTPExchange:
    """One answer of a provider."""

    def __init__(self, connection: Connection, base: str, limits: ReplyLimits) -> None:
        self._connection = connection
        self._base = base
        self.status = connection.status
        self.headers: Headers = of_another_site(connection.headers)
        try:
            self._body = Bounded(self.status, self.headers, limits)
        except Unreadable as error:
            raise self._unreadable(error) from error

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, unpacked."""
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self  # a generator would be begun, kept account of and closed for every answer

    async def __anext__(self) -> bytes:
        try:
            while (part := self._body.next()) is None:
                self._body.feed(await self._connection.chunk())
        except UpstreamTimeout as error:
            raise UpstreamTimeout(f"The model at {self._base} stopped sending. Try again.") from error
        except Broken as error:
            raise UpstreamFailed(f"The model at {self._base} broke off its reply. Try again.") from error
        except Unreadable as error:
            raise self._unreadable(error) from error
        if not part:
            raise StopAsyncIteration
        return part

    def _unreadable(self, error: Unreadable) -> UpstreamFailed:
        self._connection.abort()
        return UpstreamFailed(f"The reply of the model at {self._base} was given up: {error}.")


class HTTPUpstream:
    """Any server that speaks the client's protocol. `base` is its URL, see `base_of()`."""

    def __init__(
        self,
        base: str,
        key: str | None,
        connect_timeout: float,
        read_timeout: float,
        key_header: KeyHeader | None = None,
        limits: ReplyLimits = REPLY_LIMITS,
    ) -> None:
        self.max_tokens: int | None = None
        self._limits = limits
        self._base, self._said = base_of(base)
        self._url = urlsplit(self._base)
        self._target = self._url.path.encode("ascii", "ignore")
        self._host = _authority(self._url)
        self._key = key
        self._key_header = key_header
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._tls = _tls() if self._url.scheme == "https" else None
        self._idle: list[Connection] = []

    def send(self, method: str, path: str, headers: Headers, body: bytes) -> _Sending:
        """Send a request. Leaving the context early aborts it."""
        sent = headers if self._key is None else keyed(headers, path, self._key, self._key_header)
        return _Sending(self, self._head(method, path, sent, body), body, method == "HEAD")

    async def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()

    async def answered(self, head: bytes, body: bytes, is_head: bool) -> Connection:
        """A connection on which the answer has begun. Raises `UpstreamFailed`, `UpstreamTimeout`.

        A request is sent once: the server may have acted on it, however little came back. Only what may be done twice is sent
        again, once, on a new connection, where a kept one ended without an answer.
        """
        connection = self._kept()
        may_repeat = connection is not None and head.startswith(_REPEATABLE)
        was_sent = False
        try:
            if connection is None:
                connection = await self._connect()
            was_sent = True
            try:
                return await _asked(connection, head, body, is_head)
            except Broken as error:
                if not may_repeat or error.began:
                    raise
            return await _asked(await self._connect(), head, body, is_head)
        except (TimeoutError, UpstreamTimeout) as error:
            raise UpstreamTimeout(f"The model at {self._base} did not answer in time. Is it overloaded?") from error
        except (Broken, OSError) as error:
            raise UpstreamFailed(self._no_answer(error, was_sent)) from error

    def _no_answer(self, error: Exception, was_sent: bool) -> str:
        if was_sent and isinstance(error, Broken) and not error.began:
            return no_answer(self._base, str(error))
        why = str(error) if isinstance(error, Broken) else type(error).__name__
        return f"The model at {self._base} cannot be reached ({why}). Check that it runs and that --upstream names it."

    def _kept(self) -> Connection | None:
        loop = asyncio.get_running_loop()
        while self._idle:
            connection = self._idle.pop()
            if connection.loop is loop and connection.is_fresh:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        port = self._url.port or (443 if self._tls else 80)
        async with asyncio.timeout(self._connect_timeout):
            _, connection = await loop.create_connection(
                lambda: Connection(self._read_timeout), self._url.hostname or "", port, ssl=self._tls
            )
        return connection

    def exchange(self, connection: Connection) -> HTTPExchange:
        """The answer on a connection."""
        return HTTPExchange(connection, self._base, self._limits)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose answer is over; end one whose answer is not."""
        if connection.is_reusable:
            connection.rest()
            self._idle.append(connection)
        else:
            connection.abort()
        if self._idle and self._idle[0].fresh_until < self._idle[0].loop.time():
            self._idle.pop(0).close()

    def _head(self, method: str, path: str, headers: Headers, body: bytes) -> bytes:
        target = _UNSAFE.sub(
            _quoted, path.removeprefix(self._said).encode("utf-8", "ignore")
        )  # a path that was unquoted must not end its line
        lines = [b"".join((method.encode(), b" ", self._target, target, b" HTTP/1.1")), b"host: " + self._host]
        lines += [f"{name}: {value}".encode("latin-1") for name, value in headers]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(b"content-length: %d" % len(body))
        head = b"\r\n".join([*lines, b"", b""])
        if head.count(b"\n") != len(lines) + 1:
            raise BadRequest("A header of the request holds a line end. Send it without.")
        return head


class _Sending:
    __slots__ = ("_body", "_connection", "_head", "_is_head", "_upstream")

    def __init__(self, upstream: HTTPUpstream, head: bytes, body: bytes, is_head: bool) -> None:
        self._upstream, self._head, self._body, self._is_head = upstream, head, body, is_head
        self._connection: Connection | None = None

    async def __aenter__(self) -> HTTPExchange:
        self._connection = await self._upstream.answered(self._head, self._body, self._is_head)
        return self._upstream.exchange(self._connection)

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            self._upstream.give_back(self._connection)


async def _asked(connection: Connection, head: bytes, body: bytes, is_head: bool) -> Connection:
    """The connection once the answer to the request has begun on it."""
    try:
        connection.send(head, body, is_head)
        await connection.answered()
        return connection
    except BaseException:
        connection.abort()
        raise


def _quoted(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


def _authority(url: SplitResult) -> bytes:
    """The `Host` header: no user, and no port that goes without saying."""
    host = url.netloc.rpartition("@")[2]
    usual = ":443" if url.scheme == "https" else ":80"
    return host.removesuffix(usual).encode("idna" if not host.isascii() else "ascii")


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
