"""The load: keep-alive connections on bare asyncio that send one request after another and time each."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field

TEXT = "This sentence stands for an ordinary message of a person. " * 7


@dataclass
class Timing:
    """Seconds of each request: to its first body byte, and in all."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    wall: float = 0.0


def request_body(number: int, messages: int, stream: bool) -> bytes:
    """A conversation of its own, `messages` long, that ends with a user message."""
    roles = ["assistant" if place % 2 else "user" for place in range(messages - 1)] + ["user"]
    said = [{"role": role, "content": f"{number} {place} {TEXT}"} for place, role in enumerate(roles)]
    return json.dumps({"model": "m", "messages": said, "stream": stream, "user": f"u{number}"}).encode()


async def load(port: int, bodies: list[bytes], connections: int) -> Timing:
    """Send the bodies over so many connections."""
    timing = Timing()
    waiting = iter(bodies)
    start = time.perf_counter()
    await asyncio.gather(*(_client(port, waiting, timing) for _ in range(connections)))
    timing.wall = time.perf_counter() - start
    return timing


async def _client(port: int, waiting: object, timing: Timing) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    for body in waiting:  # type: ignore[attr-defined]
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        start = time.perf_counter()
        writer.write(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)
        headers = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert headers.startswith(b"http/1.1 200"), headers
        if b"content-length:" in headers:
            length = int(headers.split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            first = time.perf_counter()
        else:
            first = await _chunked(reader)
        timing.first.append(first - start)
        timing.whole.append(time.perf_counter() - start)
    writer.close()


async def _chunked(reader: asyncio.StreamReader) -> float:
    first = 0.0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        first = first or time.perf_counter()
    await reader.readline()
    return first
