"""A bare relay of uvicorn and aiohttp, as most gateways in Python are built on: there and back, and nothing else."""

from __future__ import annotations

import os
from typing import Any

import aiohttp

state: dict[str, aiohttp.ClientSession] = {}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """There and back."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": message["type"] + ".complete"})
        return
    if not state:
        state["session"] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1000))
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = {"content-type": "application/json"}
    async with state["session"].post(os.environ["UPSTREAM"] + scope["path"], data=body, headers=headers) as answer:
        kind = answer.headers["content-type"].encode()
        await send({"type": "http.response.start", "status": answer.status, "headers": [(b"content-type", kind)]})
        async for chunk in answer.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
