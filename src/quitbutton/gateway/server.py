"""The HTTP server: uvicorn on a socket that is there already, without its signals, its logging and its lifespan."""

from __future__ import annotations

import asyncio
import math
import os
import socket
from contextlib import suppress
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from quitbutton.gateway.connection import IDLE_SECONDS, Connection
from quitbutton.gateway.strangers import Strangers
from quitbutton.settings.installation import Settings

LOOK_SECONDS = 1.0
"""Between two looks at how long clients take."""
LOOPBACK = "127.0.0.1,::1"


class Server:
    """Serves one application. `FORWARDED_ALLOW_IPS` names the proxies whose `X-Forwarded-*` headers are believed."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        proxies = ProxyHeadersMiddleware(cast(Any, app), os.environ.get("FORWARDED_ALLOW_IPS", LOOPBACK))
        strangers = Strangers(
            settings.max_unknown_connections, settings.max_unknown_per_address, cast(Any, proxies.trusted_hosts)
        )
        config = uvicorn.Config(
            cast(Any, proxies),
            http=cast(Any, partial(Connection, settings, strangers)),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=math.ceil(IDLE_SECONDS),
        )
        config.load()
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._looking: asyncio.Task[None] | None = None

    async def open(self, sock: socket.socket) -> None:
        """Take connections from now on."""
        self._sock = sock
        await self._server.on_tick(0)
        await self._server.startup(sockets=[sock])
        self._looking = asyncio.create_task(self._look())

    async def close(self, seconds: float) -> None:
        """No more connections; wait until what is under way is over, `seconds` at most."""
        self._server.config.timeout_graceful_shutdown = math.ceil(seconds)
        await self._server.shutdown(sockets=[self._sock])
        for connection in list(self._server.server_state.connections):
            cast(Connection, connection).transport.abort()
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self) -> None:
        """Renew the date, and let go of clients that take too long."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._server.on_tick(0)
            now = asyncio.get_running_loop().time()
            for connection in list(self._server.server_state.connections):
                cast(Connection, connection).look(now)
