"""The server around the application: it stops in order, and streams under way finish."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
from contextlib import suppress
from types import FrameType

import uvicorn

from quitbutton.gateway.app import Gateway
from quitbutton.settings import Settings

RECORD_SECONDS = 4.0
"""Time for the records of turns that were cut."""
BACKLOG = 2048
"""Connections that may wait to be accepted."""

log = logging.getLogger("quitbutton.gateway")


class Serving(uvicorn.Server):
    """Told to stop it says so at /readyz, takes requests for `shutdown_delay` more seconds, then no new ones.

    What is under way has `shutdown_grace` seconds. A second signal leaves out both.
    """

    def __init__(self, gateway: Gateway) -> None:
        settings = gateway.settings
        self.gateway = gateway
        self._hurry = asyncio.Event()
        super().__init__(_config(gateway, settings))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM is an order like any other, and ends in status 0; Ctrl-C is told on as it came."""
        if self.should_exit:
            self._hurry.set()
        self.gateway.room.is_stopping = True
        if sig == signal.SIGTERM:
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, finish, cut, record."""
        self.gateway.room.is_stopping = True
        await self._wait(self.gateway.settings.shutdown_delay)
        cutting = asyncio.create_task(self._cut())
        try:
            await super().shutdown(sockets)
        finally:
            cutting.cancel()
            with suppress(asyncio.CancelledError):
                await cutting

    async def _cut(self) -> None:
        await self._wait(self.gateway.settings.shutdown_grace)
        number = await self.gateway.cut()
        if number:
            log.warning("cut %d turns that did not finish within shutdown_grace", number)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()


def _config(gateway: Gateway, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        gateway,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=int(settings.shutdown_grace + RECORD_SECONDS),
        ws="none",
        backlog=BACKLOG,
    )


def open_files() -> int:
    """Let this process have as many connections as the system allows it; how many files that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft
