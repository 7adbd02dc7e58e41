"""Takes connections for an application, watches over those that are idle, and lets go of them in order."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from starlette.types import ASGIApp

from quitbutton.gateway.server.connection import ClientConnection

IDLE_SECONDS = 75.0
"""How long a connection is kept without a request: longer than load balancers keep theirs, so that they close first."""
HALFWAY_SECONDS = 60.0
"""How long a client may pause in the middle of a request."""
LOOK_SECONDS = 1.0
BACKLOG = 2048
"""Connections that may wait to be accepted."""
LOOPBACK = "127.0.0.1,::1"


@dataclass(slots=True)
class Listener:
    """A server of one application. `FORWARDED_ALLOW_IPS` names the proxies whose `X-Forwarded-*` headers are believed."""

    app: ASGIApp
    loop: asyncio.AbstractEventLoop
    connections: set[ClientConnection] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    date: bytes = b""
    is_closing: bool = False
    _server: asyncio.Server | None = None
    _sock: socket.socket | None = None
    _proxies: frozenset[str] = frozenset()
    _timer: asyncio.TimerHandle | None = None

    async def open(self, sock: socket.socket) -> None:
        """Take connections from now on."""
        named = os.environ.get("FORWARDED_ALLOW_IPS", LOOPBACK)
        self._proxies = frozenset(one.strip() for one in named.split(",") if one.strip())
        self._look()
        self._sock = sock
        self._server = await self.loop.create_server(lambda: ClientConnection(self), sock=sock, backlog=BACKLOG)

    async def close(self, seconds: float) -> None:
        """No more connections; wait until what is under way is over, `seconds` at most."""
        self.is_closing = True
        if self._server is not None and self._sock is not None:
            self._server.close()
            self._sock.close()  # as long as it is open the system takes connections that nobody answers
        for connection in list(self.connections):
            connection.close()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=seconds)
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()

    def forwarded(self, scope: dict[str, Any]) -> None:
        """Take a client's address and scheme from its proxy's headers, where that one is believed."""
        client = scope["client"]
        if "*" not in self._proxies and (client is None or client[0] not in self._proxies):
            return
        for name, value in scope["headers"]:
            if name == b"x-forwarded-proto" and value in (b"http", b"https"):
                scope["scheme"] = value.decode()
            elif name == b"x-forwarded-for":
                hops = [one.strip() for one in value.decode("latin-1").split(",") if one.strip()]
                strangers = [one for one in hops if one not in self._proxies]
                if hops:
                    scope["client"] = ((strangers or hops)[-1 if strangers else 0], 0)

    def _look(self) -> None:
        """Once a second: the date, and connections that nobody uses."""
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()
        now = self.loop.time()
        for connection in list(self.connections):
            if connection.is_halfway and now > connection.heard + HALFWAY_SECONDS:
                connection.abort()
            elif connection.is_idle and now > connection.heard + IDLE_SECONDS:
                connection.close()
        self._timer = self.loop.call_later(LOOK_SECONDS, self._look)
