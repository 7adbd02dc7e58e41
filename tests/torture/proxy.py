"""A TCP proxy that a test can break: between a gateway and its database it drops, stalls and refuses connections."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

CHUNK = 1 << 16


class Proxy:
    """Runs on a thread of its own; its methods may be called from any."""

    def __init__(self, port: int) -> None:
        self.target, self.port = port, 0
        self._refuses = False
        self._pipes: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(5)

    def drop(self) -> None:
        """Every connection breaks, and new ones are taken."""
        self._loop.call_soon_threadsafe(self._abort)

    def refuse(self) -> None:
        """Every connection breaks, and new ones are refused until `heal`."""
        self._refuses = True
        self.drop()

    def stall(self, up: bool = True, down: bool = True) -> None:
        """Nothing arrives any more at the database (`up`) or the gateway (`down`) until `heal`; then it all does."""
        self._loop.call_soon_threadsafe(self._set, not up, not down)

    def heal(self) -> None:
        """As if nothing had been."""
        self._refuses = False
        self._loop.call_soon_threadsafe(self._set, True, True)

    def close(self) -> None:
        """Let go of everything."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._up, self._down = asyncio.Event(), asyncio.Event()
        self._set(True, True)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._abort()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    def _set(self, up: bool, down: bool) -> None:
        for gate, is_open in ((self._up, up), (self._down, down)):
            gate.set() if is_open else gate.clear()

    def _abort(self) -> None:
        for pipe in self._pipes:
            pipe.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, back}
        self._pipes |= both
        try:
            await asyncio.gather(self._pump(reader, back, self._up), self._pump(there, writer, self._down))
        finally:
            self._pipes -= both

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await gate.wait()
                writer.write(data)
                await writer.drain()
        await gate.wait()
        writer.close()
