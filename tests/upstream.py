"""A provider for tests: a real HTTP server that scripts its replies and keeps what it was sent, to the byte."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DEFAULT = {
    "id": "chatcmpl-9",
    "object": "chat.completion",
    "created": 7,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


@dataclass
class Seen:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    closed_at: float | None = None

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Reply:
    """What to answer: parts, each after its delay in seconds. `hang` keeps the connection open at the end."""

    parts: list[bytes]
    status: int = 200
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay: float = 0.0
    hang: bool = False
    breaks: bool = False
    is_silent: bool = False
    """Close the connection without a byte."""


def whole(body: dict[str, Any] | None = None, **more: Any) -> Reply:
    return Reply([json.dumps(body or DEFAULT, ensure_ascii=False, indent=1).encode()], **more)


def stream(*texts: str, **more: Any) -> Reply:
    head = {"id": "chatcmpl-9", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": text} for text in texts), {}]
    frames = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": "stop" if not delta else None}]}
        for delta in deltas
    ]
    parts = [b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames]
    return Reply([*parts, b"data: [DONE]\n\n"], content_type="text/event-stream", **more)


def press(streams: bool, reason: str = "abuse", explanation: str = "x") -> Reply:
    arguments = json.dumps({"reason": reason, "explanation": explanation})
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "end_conversation", "arguments": arguments},
    }
    if streams:
        head = {"id": "chatcmpl-9", "object": "chat.completion.chunk", "created": 7, "model": "m"}
        choices = [{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None}]
        choices.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
        parts = [b"data: " + json.dumps({**head, "choices": [one]}).encode() + b"\n\n" for one in choices]
        return Reply([*parts, b"data: [DONE]\n\n"], content_type="text/event-stream")
    message = {"role": "assistant", "content": None, "tool_calls": [{k: v for k, v in call.items() if k != "index"}]}
    return whole({**DEFAULT, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})


class Provider:
    """Runs on a thread of its own. `answer` is asked for each request."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answer: Callable[[Seen], Reply] = lambda seen: whole()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 26))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)  # connections that a client keeps open
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._serve_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        low = {name.lower(): value for name, value in headers.items()}
        seen = Seen(head[0].split(" ")[1], low, await reader.readexactly(int(low.get("content-length", 0))))
        self.seen.append(seen)
        reply = self.answer(seen)
        if reply.is_silent:
            return False
        lines = [f"HTTP/1.1 {reply.status} X", f"content-type: {reply.content_type}", "transfer-encoding: chunked"]
        lines.append("connection: close")
        lines += [f"{name}: {value}" for name, value in reply.headers]
        watch = asyncio.ensure_future(reader.read(1))

        def on_close(done: asyncio.Future[bytes]) -> None:
            seen.closed_at = time.monotonic()
            if not done.cancelled():
                done.exception()  # a broken pipe is a close too

        watch.add_done_callback(on_close)
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        for part in reply.parts:
            await asyncio.sleep(reply.delay)
            if watch.done():
                return False
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await writer.drain()
        if reply.breaks:
            return False
        if reply.hang:
            await watch
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        watch.cancel()
        # A keep-alive connection would have lost the byte that the watch was reading.
        return False
