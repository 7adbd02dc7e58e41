"""A request is sent upstream once. Whoever pays for it, or runs tools by it, never does so twice on our account."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from quitbutton.core.errors import UpstreamFailed
from quitbutton.upstreams.http import HTTPUpstream
from quitbutton.upstreams.proxied import ProxiedUpstream

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
MANY = 20


class Server:
    """Answers until it is told to swallow: then it reads a request whole and closes without a word."""

    def __init__(self) -> None:
        self.swallows = False
        self.headers = b""
        self.seen: list[bytes] = []
        self.connections: list[asyncio.StreamWriter] = []
        self.all_in = asyncio.Event()
        self.expected = 1

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                self.seen.append(head + await reader.readexactly(size))
                if self.swallows:
                    break
                if len(self.seen) >= self.expected:
                    self.all_in.set()
                await self.all_in.wait()
                writer.write(OK.replace(b"\r\n\r\n", b"\r\n" + self.headers + b"\r\n", 1))
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


async def said(upstream: Any, method: str = "POST") -> bytes:
    async with upstream.send(method, "/v1/x", [], b"{}" if method == "POST" else b"") as exchange:
        return b"".join([chunk async for chunk in exchange.chunks()])


def played(scene: Callable[[Server, Any], Awaitable[None]], make: Callable[[str], Any] | None = None) -> Server:
    async def run() -> Server:
        server = Server()
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        upstream = make(url) if make else HTTPUpstream(url, None, 5, 5)
        try:
            await scene(server, upstream)
        finally:
            await upstream.close()
            listening.close()
        return server

    return asyncio.run(run())


async def keep_open(server: Server, upstream: Any, many: int = MANY) -> None:
    """So many connections, each used once and kept."""
    server.expected = many
    await asyncio.gather(*(said(upstream) for _ in range(many)))
    assert len(server.connections) == many
    server.seen.clear()


@pytest.mark.parametrize("kind", [HTTPUpstream, ProxiedUpstream])
def test_a_post_that_is_swallowed_is_not_sent_again_on_each_kept_connection(kind: Any) -> None:
    async def scene(server: Server, upstream: Any) -> None:
        await keep_open(server, upstream)
        server.swallows = True
        with pytest.raises(UpstreamFailed, match=r"gave no answer.*sent once") as failed:
            await said(upstream)
        assert failed.value.status == 502

    server = played(scene, lambda url: kind(url, None, 5, 5))
    assert [one.split(b" ")[0] for one in server.seen] == [b"POST"]


def test_what_may_be_done_twice_is_sent_again_once_on_a_new_connection() -> None:
    async def scene(server: Server, upstream: HTTPUpstream) -> None:
        await keep_open(server, upstream)
        server.swallows = True
        with pytest.raises(UpstreamFailed):
            await said(upstream, "GET")

    server = played(scene)
    assert [one.split(b" ")[0] for one in server.seen] == [b"GET", b"GET"]
    assert len(server.connections) == MANY + 1


def test_kept_connections_that_were_closed_are_found_out_before_anything_is_written() -> None:
    """Their ends lie in the system's buffers; the loop has not heard of them, since it was busy."""

    async def scene(server: Server, upstream: HTTPUpstream) -> None:
        await keep_open(server, upstream)
        for writer in server.connections:
            sock = writer.get_extra_info("socket")
            sock.shutdown(1)  # at once, without a turn of the loop in between
        time.sleep(0.05)
        assert await said(upstream) == b"hi"

    server = played(scene)
    assert len(server.seen) == 1
    assert len(server.connections) == MANY + 1


def test_a_connection_is_not_used_for_longer_than_its_server_keeps_it() -> None:
    async def scene(server: Server, upstream: HTTPUpstream) -> None:
        server.headers = b"keep-alive: timeout=1\r\n"
        assert await said(upstream) == b"hi"
        assert await said(upstream) == b"hi"

    assert len(played(scene).connections) == 2
