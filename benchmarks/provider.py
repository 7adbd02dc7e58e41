"""A provider that costs next to nothing: fixed bytes, whole or streamed, on a bare protocol; tens of thousands a second.

A streamed answer has 40 pieces as fast as they go. `[[100 pieces, 10 ms]]` in a message asks for others: how many, how far
apart.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

import uvloop

PIECES = 40
HEAD = {"id": "chatcmpl-b", "created": 1, "model": "m"}
MARK = re.compile(rb"\[\[(\d+) pieces, (\d+) ms\]\]")


def _answer() -> bytes:
    message = {"role": "assistant", "content": "word " * PIECES}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": PIECES, "total_tokens": 9 + PIECES}
    body = json.dumps({**HEAD, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def _frame(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = b"data: " + json.dumps({**HEAD, "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


WHOLE = _answer()
WORD, LAST = _frame({"content": "word "}), _frame({}, "stop")
DONE = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
OPEN = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Provider(asyncio.Protocol):
    """One connection; a request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self.loop = asyncio.get_running_loop()
        self.parts: list[bytes] = []
        self.missing: int | None = None

    def data_received(self, data: bytes) -> None:
        self.parts.append(data)
        if self.missing is None:
            whole = b"".join(self.parts)
            end = whole.find(b"\r\n\r\n")
            if end < 0:
                return
            self.parts, self.missing = [whole], length_in(whole[:end]) - (len(whole) - end - 4)
        else:
            self.missing -= len(data)
        if self.missing <= 0:
            self._reply(self.parts[0] if len(self.parts) == 1 else b"".join(self.parts))
            self.parts, self.missing = [], None

    def _reply(self, request: bytes) -> None:
        if b'"stream":true' not in request and b'"stream": true' not in request:
            self.transport.write(WHOLE)
            return
        mark = MARK.search(request)
        pieces, pause = (int(mark[1]), int(mark[2]) / 1000) if mark else (PIECES, 0.0)
        self.transport.write(OPEN)
        self._stream(pieces, pause)

    def _stream(self, left: int, pause: float) -> None:
        if self.transport.is_closing():
            return
        if not left:
            self.transport.write(LAST + DONE)
            return
        self.transport.write(WORD)
        if pause:
            self.loop.call_later(pause, self._stream, left - 1, pause)
        else:
            self.loop.call_soon(self._stream, left - 1, pause)


def length_in(head: bytes) -> int:
    """The body's length, as a head says."""
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
