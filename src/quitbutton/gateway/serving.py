"""The process that serves: it starts, stops in order, and streams under way finish."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from quitbutton.core.errors import QuitbuttonError
from quitbutton.gateway.app import Gateway
from quitbutton.gateway.server import Server

COLLECT_AFTER = 20_000
"""New objects after which cycles among them are looked for."""
SWITCH_SECONDS = 0.0003
"""How long a thread may keep the interpreter while another wants it."""
RECORD_SECONDS = 4.0
"""Time for the records of turns that were cut."""

log = logging.getLogger("quitbutton.server")


@dataclass(slots=True)
class Serving:
    """Told to stop it says so at /readyz, takes requests for `shutdown_delay` more seconds, then no new ones.

    What is under way has `shutdown_grace` seconds. A second signal leaves out both.
    """

    gateway: Gateway
    sock: socket.socket
    """Where it listens; several processes may share it."""
    started: bool = False
    _told: asyncio.Event = field(default_factory=asyncio.Event)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)

    def run(self) -> None:
        """Serve until a signal says to stop."""
        with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop, settings = asyncio.get_running_loop(), self.gateway.settings
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        try:
            await self.gateway.start()
        except QuitbuttonError:
            await self.gateway.stop()
            raise
        server = Server(self.gateway, settings)
        try:
            await server.open(self.sock)
            self.started = True
            tune_interpreter()
            log.info("serving on %s port %d", settings.host, settings.port)
            await self._told.wait()
            await self._wait(settings.shutdown_delay)
            await self._finish(server)
        finally:
            await self.gateway.stop()
        log.info("stopped")

    async def _finish(self, server: Server) -> None:
        """No new requests; those under way finish, or are cut."""
        closing = asyncio.create_task(server.close(self.gateway.settings.shutdown_grace + RECORD_SECONDS))
        waiting = asyncio.create_task(self._wait(self.gateway.settings.shutdown_grace))
        await asyncio.wait({closing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not closing.done() and (number := await self.gateway.cut()):
            log.warning("cut %d turns that did not finish within shutdown_grace", number)
        await closing

    def _stop(self) -> None:
        if self._told.is_set():
            self._hurry.set()
        self.gateway.room.is_stopping = True
        self._told.set()

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()


def tune_interpreter() -> None:
    """What stands at the start stays: the collector of cycles need not look at it, nor come after every few hundred objects.
    And a thread that works for nobody in particular (audit log, counts) gives way to requests soon.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop, where there is one for this system."""
    try:
        import uvloop  # noqa: PLC0415 - not on every system
    except ImportError:
        return None
    return uvloop.new_event_loop


def open_files() -> int:
    """Let this process have as many connections as the system allows it; how many files that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft
