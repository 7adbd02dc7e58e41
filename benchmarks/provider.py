"""A provider that costs next to nothing: fixed bytes, whole or streamed, on bare asyncio."""

from __future__ import annotations

import asyncio
import json
import sys

CHUNKS = 40
HEAD = {"id": "chatcmpl-b", "created": 1, "model": "m"}
WHOLE = json.dumps(
    {
        **HEAD,
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "word " * CHUNKS}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": CHUNKS, "total_tokens": 9 + CHUNKS},
    }
).encode()


def _frame(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = b"data: " + json.dumps({**HEAD, "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


WORD, LAST = _frame({"content": "word "}), _frame({}, "stop")
DONE = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
OPEN = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(WHOLE), WHOLE)


class Provider(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        if len(body) < length:
            return
        self.buffer = body[length:]
        if b'"stream":true' in body or b'"stream": true' in body:
            self.transport.write(OPEN)
            self._stream(CHUNKS)
        else:
            self.transport.write(ANSWER)

    def _stream(self, left: int) -> None:
        if left:
            self.transport.write(WORD)
            asyncio.get_running_loop().call_soon(self._stream, left - 1)
        else:
            self.transport.write(LAST + DONE)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
