"""What a request took up is free as soon as it is over, not when a collector of cycles comes by."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from quitbutton.gateway.http import HTTPClient, Watch
from quitbutton.gateway.server import Server
from quitbutton.gateway.sockets import socket_at
from quitbutton.settings.installation import Settings
from tests.conftest import free_port

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\nhi"


class Turn:
    """Stands for all that hangs on a request."""


def test_a_request_that_is_over_leaves_nothing_behind() -> None:
    turns: list[weakref.ref[Turn]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        turn, client = Turn(), HTTPClient(send)
        turns.append(weakref.ref(turn))

        def on_hangup() -> None:
            client.is_gone = bool(turn)

        async with Watch(client, receive, on_hangup):
            await receive()
            await client.answer(200, [("content-length", "2")], b"ok")

    async def go() -> list[Turn | None]:
        port = free_port()
        server = Server(app, Settings())
        await server.open(socket_at("127.0.0.1", port))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(REQUEST)
            assert await reader.readuntil(b"ok")
        await asyncio.sleep(0.05)
        left = [turn() for turn in turns]
        writer.close()
        await server.close(1)
        return left

    gc.disable()
    try:
        assert asyncio.run(go()) == [None] * 3
    finally:
        gc.enable()
