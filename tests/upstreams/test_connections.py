"""Connections to a provider are used again, and no reply but its own ever reaches a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from quitbutton.upstreams.http import HTTPUpstream

STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecond"


async def served(go: Callable[[HTTPUpstream], Awaitable[None]]) -> int:
    """A provider that answers its first request with `STREAM` and others with `WHOLE`; the connections it was asked for."""
    connections: list[asyncio.StreamWriter] = []
    answers = iter([STREAM])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(next(answers, WHOLE))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    upstream = HTTPUpstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", None, 5, 5)
    try:
        await go(upstream)
    finally:
        await upstream.close()
        server.close()
        await server.wait_closed()
    return len(connections)


async def said(upstream: HTTPUpstream) -> bytes:
    async with upstream.send("POST", "/v1/chat/completions", [], b"") as exchange:
        return b"".join([chunk async for chunk in exchange.chunks()])


def test_a_connection_is_used_again() -> None:
    async def go(upstream: HTTPUpstream) -> None:
        assert await said(upstream) == b"first"
        assert await said(upstream) == b"second"

    assert asyncio.run(served(go)) == 1


@pytest.mark.parametrize("reason", ["left", "cancelled"])
def test_a_reply_that_came_and_was_not_read_is_no_beginning_of_the_next(reason: str) -> None:
    """Its client left after all of it had come, before it was passed on: another user's request follows."""

    async def leave(upstream: HTTPUpstream) -> None:
        async with upstream.send("POST", "/v1/chat/completions", [], b""):
            await asyncio.sleep(0.1)  # all of it comes
            if reason == "cancelled":
                raise asyncio.CancelledError

    async def go(upstream: HTTPUpstream) -> None:
        await asyncio.gather(leave(upstream), return_exceptions=True)
        assert await said(upstream) == b"second"

    asyncio.run(served(go))
