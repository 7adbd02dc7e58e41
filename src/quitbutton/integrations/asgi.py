"""ASGI: the guard in front of an application that serves a model itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quitbutton.adapters.anthropic_messages import AnthropicMessages
from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.adapters.openai_responses import OpenAIResponses
from quitbutton.core.errors import QuitbuttonError
from quitbutton.core.keys import ANONYMOUS, tenant_of, token_of
from quitbutton.gateway.http import Hangup, HTTPClient, Watch, headers_of, read_body
from quitbutton.interfaces import Adapter, Headers
from quitbutton.library import Guard
from quitbutton.settings.installation import Settings
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.callable import ModelFailed

log = logging.getLogger("quitbutton.asgi")
NOT_PASSED = (b"content-length", b"transfer-encoding", b"accept-encoding", b"content-encoding")


class QuitButtonMiddleware:
    """Guards the chat endpoint of an application: `app = QuitButtonMiddleware(app, guard)`.

    `POST /v1/chat/completions`, `/v1/messages` and `/v1/responses` (or the paths of the `adapters` you give) go through the
    ladder, each in its own protocol; everything else goes to the application untouched. Clients hear what the gateway would
    tell them. The application still checks who may call it; callers are told apart by their `Authorization` or `X-Api-Key`
    header, or by `tenant`, which gets the ASGI scope. Put compression outside of it, and close the guard where your
    application ends.
    """

    def __init__(
        self,
        app: ASGIApp,
        guard: Guard,
        *,
        tenant: Callable[[Scope], str] | None = None,
        adapters: Iterable[Adapter] | None = None,
        max_body: int = Settings.max_body,
    ) -> None:
        self.app, self.guard, self.tenant, self.max_body = app, guard, tenant, max_body
        spoken = adapters or (OpenAIChat(), AnthropicMessages(), OpenAIResponses())
        self.adapters = {one.path: one for one in spoken}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        adapter = self.adapters.get(scope["path"]) if is_post else None
        if adapter is None:
            await self.app(scope, receive, send)
            return
        client = HTTPClient(send)
        try:
            await self._answer(adapter, scope, receive, client)
        except Hangup:
            return
        except QuitbuttonError as error:
            await self._say(client, adapter, error)
        await client.close()

    async def _answer(self, adapter: Adapter, scope: Scope, receive: Receive, client: HTTPClient) -> None:
        headers = headers_of(scope)
        body = await read_body(receive, headers, self.max_body)
        turn = Turn(
            request=adapter.decode(body, headers),
            adapter=adapter,
            client=client,
            upstream=AppUpstream(self.app, scope),
            tenant=await self._tenant(scope, headers),
            accept_language=headers.get("accept-language", ""),
        )

        def on_hangup() -> None:
            client.is_gone = True
            turn.stop("client")

        async with Watch(client, receive, on_hangup):
            await self.guard.take(turn)

    async def _tenant(self, scope: Scope, headers: dict[str, str]) -> str:
        if self.tenant is not None:
            return self.tenant(scope)
        token = token_of(headers)
        return tenant_of(await self.guard.key(), token) if token else ANONYMOUS

    async def _say(self, client: HTTPClient, adapter: Adapter, error: QuitbuttonError) -> None:
        if client.is_open:
            await client.send(adapter.error_frame(error))
        else:
            await client.answer(error.status, [("content-type", "application/json")], adapter.error(error))


class AppExchange:
    """One answer of the application, under way."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = ()
        self.is_over = False
        self.started = asyncio.Event()
        self.parts: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(maxsize=64)

    async def send(self, message: Message) -> None:
        """The application's `send`."""
        if message["type"] == "http.response.start":
            raw = message.get("headers", ())
            self.headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw]
            self.status = message["status"]
            self.started.set()
        elif message["type"] == "http.response.body":
            if part := message.get("body", b""):
                await self.parts.put(part)
            if not message.get("more_body", False):
                self.is_over = True
                await self.parts.put(None)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises `ModelFailed` when the application raises."""
        while (part := await self.parts.get()) is not None:
            if isinstance(part, Exception):
                raise ModelFailed(part)
            yield part


class AppUpstream:
    """Satisfies `Upstream` over the application: one call of it for each request of the guard."""

    max_tokens: int | None = None

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        self._app, self._scope = app, scope

    @asynccontextmanager
    async def send(self, method: str, path: str, headers: Headers, body: bytes) -> AsyncIterator[AppExchange]:
        """Call the application. Leaving early disconnects. Raises `ModelFailed` when it raises before it answers."""
        exchange, gone = AppExchange(), asyncio.Event()
        task = asyncio.create_task(self._run(exchange, gone, body))
        try:
            await exchange.started.wait()
            if not exchange.status:
                async for _ in exchange.chunks():
                    pass
            yield exchange
        finally:
            gone.set()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def close(self) -> None:
        """The application is its owner's."""

    async def _run(self, exchange: AppExchange, gone: asyncio.Event, body: bytes) -> None:
        waiting = [body]

        async def receive() -> Message:
            if waiting:
                return {"type": "http.request", "body": waiting.pop(), "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        kept = [(name, value) for name, value in self._scope["headers"] if name.lower() not in NOT_PASSED]
        length = (b"content-length", str(len(body)).encode())
        scope: dict[str, Any] = {**self._scope, "headers": [*kept, length]}
        try:
            await self._app(scope, receive, exchange.send)
            if not exchange.is_over:
                await exchange.parts.put(RuntimeError("The application returned before its answer was over."))
        except Exception as error:
            if exchange.is_over:  # it has told the client; its server's log would have the rest
                log.error("the application failed", exc_info=error)
            else:
                await exchange.parts.put(error)
        finally:
            exchange.started.set()
