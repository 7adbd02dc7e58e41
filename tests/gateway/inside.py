"""A gateway in this process, asked over its ASGI door: for tests that ask every route as every caller."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from quitbutton.gateway.app import Gateway, create_app
from quitbutton.interfaces import Upstream
from quitbutton.settings.installation import Settings, load

T = TypeVar("T")
CHAT, OTHER, OPERATOR = "chat-key-one", "chat-key-two", "operator-key-0001"
HELLO = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@dataclass
class Inside:
    """A started gateway and a client of it."""

    app: Gateway
    client: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: Any = None, key: str = "", **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            given["authorization"] = f"Bearer {key}"
        content = json.dumps(body).encode() if body is not None else b""
        return await self.client.request(method, path, content=content, headers=given)

    async def make(self, name: str, role: str, **more: Any) -> dict[str, Any]:
        made = await self.ask("POST", "/v1/quitbutton/keys", {"name": name, "role": role, **more}, OPERATOR)
        assert made.status_code == 201, made.text
        return made.json()

    async def sign_in(self, key: str) -> dict[str, str]:
        """The headers of a session: its cookie and its token."""
        opened = await self.ask("POST", "/v1/quitbutton/session", {"key": key})
        assert opened.status_code == 200, opened.text
        cookie = opened.headers["set-cookie"].partition(";")[0]
        self.client.cookies.clear()
        return {"cookie": cookie, "x-quitbutton-csrf": opened.json()["csrf_token"]}


def keyed(tmp_path: Path, text: str = "", **more: Any) -> Settings:
    """Settings of a gateway with two chat keys and an operator's; `text` are lines of its file."""
    file = tmp_path / "quitbutton.toml"
    file.write_text(text)
    keys = {"api_keys": (CHAT, OTHER), "operator_keys": (OPERATOR,)}
    given = {"upstream": "http://127.0.0.1:9/v1", "assessor": "scripted", "store": str(tmp_path / "a.sqlite3")}
    given["second_reader"] = "none"
    return load(file, {}, **{**given, **keys, **more})


def inside(
    settings: Settings,
    scene: Callable[[Inside], Awaitable[T]],
    base: str = "http://127.0.0.1:8808",
    upstream: Upstream | None = None,
) -> T:
    """Run a scene with a gateway of these settings."""

    async def run() -> T:
        app = create_app(settings, upstream)
        await app.start()
        try:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=base, trust_env=False) as client:
                return await scene(Inside(app, client))
        finally:
            await app.stop()

    return asyncio.run(run())


def filled(path: str) -> str:
    """A path with something in place of its parameters."""
    return re.sub(r"\{\w+(:path)?\}", "x", path)
