"""Answers of upstreams are taken up to limits that have names: no server, broken or hostile, fills the memory."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from typing import Any

import pytest

from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.upstreams import ReplyLimits
from quitbutton.upstreams.http import HTTPUpstream
from quitbutton.upstreams.proxied import ProxiedUpstream

MEGA = 1 << 20
LIMITS = ReplyLimits(whole=2 * MEGA, stream=8 * MEGA, ratio=50)


def bomb(size: int) -> bytes:
    """That many zeros, as gzip."""
    packer, out = zlib.compressobj(9, wbits=31), bytearray()
    for _ in range(size // MEGA):
        out += packer.compress(bytes(MEGA))
    return bytes(out + packer.flush())


def head(body: bytes | None, *more: str) -> bytes:
    framing = "transfer-encoding: chunked" if body is None else f"content-length: {len(body)}"
    return "\r\n".join(["HTTP/1.1 200 OK", framing, *more, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def took(
    answer: list[bytes], limits: ReplyLimits, kind: Any = HTTPUpstream, ends: bool = True
) -> tuple[int, bool]:
    """How many bytes of the answer came through, and whether it was given up, which ends the connection.

    The last part comes again and again.
    """
    is_closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for part in answer[:-1]:
                writer.write(part)
            while True:
                writer.write(answer[-1])
                await writer.drain()
                if len(answer) == 1:
                    break
            await reader.read()
        except OSError:
            pass
        finally:
            is_closed.set()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    upstream = kind(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", None, 5, 5, limits=limits)
    size = 0
    try:
        async with upstream.send("POST", "/v1/x", [], b"") as exchange:
            async for part in exchange.chunks():
                size += len(part)
    except UpstreamFailed as error:
        if "given up" not in str(error):
            raise
        if ends:
            async with asyncio.timeout(2):
                await is_closed.wait()
        return size, True
    finally:
        await upstream.close()
        server.close()
    return size, False


BOTH = pytest.mark.parametrize("kind", [HTTPUpstream, ProxiedUpstream])


@BOTH
def test_a_little_gzip_that_becomes_a_lot_is_given_up_and_the_memory_stays_flat(kind: Any) -> None:
    packed = bomb(512 * MEGA)
    answer = [head(packed, "content-type: text/event-stream", "content-encoding: gzip") + packed]
    limits = ReplyLimits(stream=1 << 40)  # only the ratio is in the way
    tracemalloc.start()
    try:
        size, was_given_up = asyncio.run(took(answer, limits, kind))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert was_given_up
    assert size <= 60 * MEGA, "the ratio of all that had come by then"
    assert peak < 8 * MEGA, "a part at a time, and what waits"


@BOTH
@pytest.mark.parametrize("status", ["200 OK", "500 X"])
def test_an_answer_that_does_not_end_is_given_up(kind: Any, status: str) -> None:
    kind_of_body = "application/json" if status.startswith("200") else "text/event-stream"
    began = head(None, f"content-type: {kind_of_body}").replace(b"200 OK", status.encode())
    size, was_given_up = asyncio.run(took([began, chunk(b"x" * 65536)], LIMITS, kind))
    assert was_given_up
    assert size <= LIMITS.whole


@BOTH
def test_a_stream_has_a_limit_of_its_own(kind: Any) -> None:
    began = head(None, "content-type: text/event-stream")
    size, was_given_up = asyncio.run(took([began, chunk(b": x\n\n" * 8192)], LIMITS, kind))
    assert was_given_up
    assert LIMITS.whole < size <= LIMITS.stream


@BOTH
def test_an_answer_that_says_it_is_too_long_is_not_begun(kind: Any) -> None:
    began = head(None, "content-type: application/json").replace(
        b"transfer-encoding: chunked", b"content-length: 9999999"
    )
    assert asyncio.run(took([began, b"x" * 65536], LIMITS, kind)) == (0, True)


@BOTH
def test_usual_answers_come_whole(kind: Any) -> None:
    words = b'{"index": %d, "delta": {"content": "word"}}\n' * 1000
    text = words * 20
    packed = gzip.compress(text[: len(text) // 2]) + gzip.compress(text[len(text) // 2 :])  # two packs in a row
    coded = head(packed, "content-encoding: gzip") + packed
    assert asyncio.run(took([coded], LIMITS, kind)) == (len(text), False)
    assert asyncio.run(took([head(text) + text], LIMITS, kind)) == (len(text), False)


@BOTH
def test_half_a_pack_is_no_answer(kind: Any) -> None:
    packed = gzip.compress(b"hello" * 1000)[:-9]
    answer = [head(packed, "content-encoding: gzip") + packed]
    assert asyncio.run(took(answer, LIMITS, kind, ends=False))[1]  # its framing was whole: the connection is sound
