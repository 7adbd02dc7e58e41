"""The hot path: decode, take the turn, encode. One ASGI function a protocol."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from quitbutton.core.errors import QuitbuttonError, StoreFailed
from quitbutton.core.keys import Caller
from quitbutton.gateway.http import Hangup, HTTPClient, Watch, error_headers, headers_of, headers_upstream
from quitbutton.gateway.services import Services
from quitbutton.interfaces import Adapter
from quitbutton.turn.guard import TurnTaker
from quitbutton.turn.turn import Turn

log = logging.getLogger("quitbutton.gateway")


@dataclass(slots=True)
class ChatRoute:
    """`POST` of one protocol, as an ASGI application."""

    adapter: Adapter
    services: Services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Whatever goes wrong is said in the client's protocol."""
        client = HTTPClient(send)
        try:
            await self._answer(scope, receive, client)
        except Hangup:
            return
        except QuitbuttonError as error:
            await self._say(client, error)
        except Exception:
            log.exception("a request failed")
            await self._say(client, QuitbuttonError("The gateway failed; nothing was counted. Try again."))
        await client.close()

    async def _answer(self, scope: Scope, receive: Receive, client: HTTPClient) -> None:
        headers = headers_of(scope)
        caller, unread = await self._caller_or_recalled(scope)
        body = await self.services.read(receive, scope, caller)
        chat = self.adapter.decode(body, headers)
        guard = self.services.guard_for(caller, self.adapter.path, chat)
        name, upstream = self.services.upstreams.choose(self.adapter.dialect, chat.model)
        turn = Turn(
            request=chat,
            adapter=self.adapter,
            client=client,
            upstream=upstream,
            upstream_name=name,
            query=scope["query_string"].decode("latin-1"),
            headers=headers_upstream(scope, with_key=not caller.is_known),
            tenant=caller.tenant,
            retention=caller.rules.retention,
            background=caller.rules.background,
            drafts=self.services.guards.drafts(caller.rules.policy, self.adapter.path),
            accept_language=headers.get("accept-language", ""),
            allows_unknown_ids=self.services.allows_unknown_ids(caller),
        )
        self.services.turns.running[turn.id] = turn

        def on_hangup() -> None:
            client.is_gone = True
            turn.stop("client")

        try:
            async with Watch(client, receive, on_hangup):
                if unread is not None:
                    await guard.help_without_store(turn, unread)
                else:
                    await self._run(guard, turn)
        finally:
            turn.over.set()
            self.services.turns.close(turn)
            if turn.is_stopped:
                await self._keep_receipt(guard, turn)

    async def _caller_or_recalled(self, scope: Scope) -> tuple[Caller, StoreFailed | None]:
        """Who is calling; where the store does not say, who that was before, and the store's failure."""
        try:
            return await self.services.caller(scope), None
        except StoreFailed as error:
            recalled = self.services.authenticator.recalled(scope)
            if recalled is None:
                raise
            self.services.count(recalled)
            return recalled, error

    async def _keep_receipt(self, guard: TurnTaker, turn: Turn) -> None:
        """The turn is over by now; what became of it is what the client hears, also where the store has gone away."""
        try:
            await guard.store.put_receipt(turn.tenant, turn.receipt(), guard.now())
        except StoreFailed as error:
            log.warning("the receipt of a stop is kept in memory alone: %s", error)

    async def _run(self, guard: TurnTaker, turn: Turn) -> None:
        """Run the turn to its record, also where the server cancels a request whose client left."""
        task = asyncio.create_task(guard.take_turn(turn))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            turn.stop("client")
            await task
            raise

    async def _say(self, client: HTTPClient, error: QuitbuttonError) -> None:
        if client.is_open:
            await client.send(self.adapter.error_frame(error))
        else:
            await client.answer(error.status, error_headers(error), self.adapter.error(error))
