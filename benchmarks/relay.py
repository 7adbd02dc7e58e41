"""The bare relay to measure against: the gateway's server and client with nothing between them.

python -m benchmarks.relay PORT UPSTREAM
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from quitbutton.core.headers import passed_on
from quitbutton.gateway.server import Server
from quitbutton.gateway.serving import loop_factory, open_files, tune_interpreter
from quitbutton.gateway.sockets import socket_at
from quitbutton.settings.installation import Settings
from quitbutton.upstreams.http import HTTPUpstream


@dataclass(slots=True)
class Relay:
    """There and back."""

    upstream: HTTPUpstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = [("content-type", "application/json")]
        async with self.upstream.send("POST", scope["path"], headers, body) as exchange:
            kept = [(name.encode(), value.encode()) for name, value in passed_on(exchange.headers)]
            await send({"type": "http.response.start", "status": exchange.status, "headers": kept})
            async for chunk in exchange.chunks():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def serve(port: int, upstream: str) -> None:
    """Until it is ended."""
    server = Server(Relay(HTTPUpstream(upstream, None, 10, 600)), Settings(upstream=upstream))
    await server.open(socket_at("127.0.0.1", port))
    tune_interpreter()
    await asyncio.Event().wait()


if __name__ == "__main__":
    open_files()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(int(sys.argv[1]), sys.argv[2]))
