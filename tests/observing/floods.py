"""A provider that streams without end, and clients that read slowly or not at all."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

HEAD = {"id": "chatcmpl-9", "object": "chat.completion.chunk", "created": 7, "model": "m"}


def frame(text: str) -> bytes:
    choices = [{"index": 0, "delta": {"content": text}, "finish_reason": None}]
    return b"data: " + json.dumps({**HEAD, "choices": choices}).encode() + b"\n\n"


def rss(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


class Flood:
    """Streams `frames` of a size, or one word and then nothing for as long as the client stays."""

    def __init__(self, frames: int = 1, size: int = 10) -> None:
        self.frame, self.frames = frame("x" * size), frames
        self.sent = self.open = 0
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
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            chunk = f"{len(self.frame):x}\r\n".encode() + self.frame + b"\r\n"
            for _ in range(self.frames):
                writer.write(chunk)
                await writer.drain()
                self.sent += len(chunk)
            await reader.read(1)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


def request(port: int, number: int = 0) -> bytes:
    body = json.dumps(
        {"model": "m", "stream": True, "user": f"u{number}", "messages": [{"role": "user", "content": f"hi {number}"}]}
    ).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body
