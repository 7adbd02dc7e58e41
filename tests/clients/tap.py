"""A tap on the line between a client and the gateway: bytes pass untouched, requests and replies are noted."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httptools

STATE = re.compile(rb'"state": ?"(\w+)"')


@dataclass
class Exchange:
    """One request as the gateway received it, and its reply."""

    method: str = ""
    path: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    status: int = 0
    reply: bytes = b""

    @property
    def is_task(self) -> bool:
        """True for what Open WebUI does beside a turn: titles, tags, follow-ups."""
        return any(name.lower() == "x-quitbutton-task" and value for name, value in self.headers)

    @property
    def state(self) -> str | None:
        """The state that the reply tells; None when it tells none."""
        found = STATE.findall(self.reply)
        return found[-1].decode() if found else None


class Requests:
    """Reads the client's half of a connection."""

    def __init__(self, begin: Callable[[Exchange], None]) -> None:
        self._begin = begin
        self._parser = httptools.HttpRequestParser(self)
        self.feed: Callable[[bytes], Any] = self._parser.feed_data

    def on_message_begin(self) -> None:
        self._one = Exchange()
        self._begin(self._one)  # a reply may come before the request is complete

    def on_url(self, url: bytes) -> None:
        self._one.path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._one.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, data: bytes) -> None:
        self._one.body += data

    def on_headers_complete(self) -> None:
        self._one.method = self._parser.get_method().decode()


class Replies:
    """Reads the gateway's half: the replies come in the order of the requests."""

    def __init__(self, waiting: list[Exchange]) -> None:
        self._waiting = waiting
        self._parser = httptools.HttpResponseParser(self)
        self.feed: Callable[[bytes], Any] = self._parser.feed_data

    def on_headers_complete(self) -> None:
        self._waiting[0].status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        self._waiting[0].reply += data

    def on_message_complete(self) -> None:
        self._waiting.pop(0)


class Tap:
    """Listens on a port of its own, on a thread of its own, and passes everything on to `port`."""

    def __init__(self, port: int) -> None:
        self.seen: list[Exchange] = []
        self._behind = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(5)

    @property
    def url(self) -> str:
        """Where clients call."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._behind)
        waiting: list[Exchange] = []

        def on_request(one: Exchange) -> None:
            self.seen.append(one)
            waiting.append(one)

        halves = [(reader, back, Requests(on_request).feed), (there, writer, Replies(waiting).feed)]
        with suppress(asyncio.CancelledError):  # the tap is closed
            await asyncio.gather(*(_pass_on(*half) for half in halves))


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, feed: Callable[[bytes], Any]) -> None:
    try:
        while data := await source.read(1 << 16):
            feed(data)
            target.write(data)
            await target.drain()
    except (OSError, httptools.HttpParserError):
        pass
    finally:
        target.close()
