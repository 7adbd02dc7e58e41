"""How answers leave: what stands between the application's `send` and the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope


class Line:
    """The transport as uvicorn sees it: closing it is up to the connection."""

    __slots__ = ("abort", "close", "get_extra_info", "is_closing", "pause_reading", "resume_reading", "write")

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None], is_closing: Callable[[], bool]) -> None:
        self.write, self.abort, self.get_extra_info = transport.write, transport.abort, transport.get_extra_info
        self.pause_reading, self.resume_reading = transport.pause_reading, transport.resume_reading
        self.close, self.is_closing = close, is_closing


def until_read(flow: FlowControl, app: ASGI3Application) -> ASGI3Application:
    """A turn is not over while its client does not take the answer: the answer stays in memory as long."""

    async def patient(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        async def send_on(message: ASGISendEvent) -> None:
            await send(message)
            if flow.write_paused:
                await flow.drain()

        await app(scope, receive, send_on)

    return patient


def until_closed(cycle: RequestResponseCycle, app: ASGI3Application) -> ASGI3Application:
    """HTTP/1.0 knows no chunks: a response of unknown length ends with the connection."""

    async def old(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        is_unknown = False

        async def send_on(message: ASGISendEvent) -> None:
            nonlocal is_unknown
            if message["type"] == "http.response.start":
                is_unknown = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
                cycle.chunked_encoding = False if is_unknown else None
            elif is_unknown and message["type"] == "http.response.body":
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_on)

    return old
