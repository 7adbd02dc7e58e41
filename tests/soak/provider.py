"""A provider that costs next to nothing: canned replies, whole or streamed with pauses, that press where they are asked to.

python -m tests.soak.provider PORT
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

import uvloop

ASKED = re.compile(rb'"model": ?"(\d+)\.(\w)"')
PIECES, WORDS, PAUSE = 6, 4, 0.012
"""A streamed reply: so many writes of so many frames each, and seconds between them."""
NUMBER = b"0000000000"
"""Stands for the call's own, which is in every frame: a reply that goes astray is noticed."""
HEAD = {"id": f"soak-{NUMBER.decode()}", "created": 1, "model": "m"}
SAID = "Let us talk of something else. " * PIECES
ARGUMENTS = json.dumps({"reason": "abuse", "explanation": "It goes on and on."})
CALL = {"id": "call_1", "type": "function", "function": {"name": "end_conversation", "arguments": ARGUMENTS}}
OPEN = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
DONE = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


def _whole(finish: str, **message: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    usage = {"prompt_tokens": 9, "completion_tokens": 24, "total_tokens": 33}
    body = json.dumps({**HEAD, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def _frame(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    data = b"data: " + json.dumps({**HEAD, "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(data), data)


ANSWER, PRESS = _whole("stop", content=SAID), _whole("tool_calls", content=None, tool_calls=[CALL])
STREAM = [OPEN + _frame({"role": "assistant", "content": ""})]
STREAM += [_frame({"content": "something "}) * WORDS] * PIECES
STREAM += [_frame({}, "stop") + DONE]
PRESS_STREAM = [
    OPEN + _frame({"role": "assistant", "tool_calls": [{"index": 0, **CALL}]}),
    _frame({}, "tool_calls") + DONE,
]


class Provider(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A gateway is here."""
        self._transport: Any = transport
        self._buffer, self._number = b"", NUMBER
        self._timer: asyncio.TimerHandle | None = None

    def connection_lost(self, error: Exception | None) -> None:
        """It hung up."""
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        if len(body) < length:
            return
        self._buffer = b""
        asked = ASKED.search(body)
        assert asked is not None
        self._number = b"%010d" % int(asked[1])
        presses = asked[2] == b"p" and b'"end_conversation"' in body
        if b'"stream":true' in body or b'"stream": true' in body:
            self._say(PRESS_STREAM if presses else STREAM, 0)
        else:
            self._write(PRESS if presses else ANSWER)

    def _write(self, data: bytes) -> None:
        self._transport.write(data.replace(NUMBER, self._number))

    def _say(self, pieces: list[bytes], place: int) -> None:
        self._write(pieces[place])
        if place + 1 < len(pieces):
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._say, pieces, place + 1)


async def main(port: int) -> None:
    """Serve for ever."""
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
