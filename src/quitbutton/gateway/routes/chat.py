"""The hot path: decode, take the turn, encode. One ASGI function a protocol."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from quitbutton.core.errors import QuitbuttonError, StoreFailed
from quitbutton.core.keys import Caller, Need
from quitbutton.core.messages import ChatRequest
from quitbutton.core.records import Receipt
from quitbutton.gateway.auth import Doorkeeper
from quitbutton.gateway.guards import Guards
from quitbutton.gateway.http import Hangup, HTTPClient, Watch, error_headers, headers_of, headers_upstream, read_body
from quitbutton.gateway.limits import RateLimits
from quitbutton.interfaces import Adapter
from quitbutton.settings.installation import Settings
from quitbutton.turn.guard import TurnTaker
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.routing import Upstreams

log = logging.getLogger("quitbutton.gateway")

REMEMBERED = 2000
"""Finished requests whose receipts are still in memory, for a stop that came too late."""


@dataclass(slots=True)
class Turns:
    """The turns under way, by request id, and the receipts of those that are over."""

    running: dict[str, Turn] = field(default_factory=dict)
    finished: OrderedDict[str, tuple[str, Receipt]] = field(default_factory=OrderedDict)

    def close(self, turn: Turn) -> None:
        """The turn is over."""
        self.running.pop(turn.id, None)
        self.finished[turn.id] = (turn.tenant, turn.receipt())
        while len(self.finished) > REMEMBERED:
            self.finished.popitem(last=False)


@dataclass(slots=True)
class ChatRoute:
    """`POST` of one protocol, as an ASGI application."""

    adapter: Adapter
    guards: Guards
    doorkeeper: Doorkeeper
    turns: Turns
    settings: Settings
    upstreams: Upstreams
    limits: RateLimits

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

    @property
    def guard(self) -> TurnTaker:
        """The guard under the policy that holds where no key and no route names another."""
        return self.guards.default

    def guard_for(self, caller: Caller, chat: ChatRequest | None = None) -> TurnTaker:
        """The guard under the policy of the caller's key, else of this route, in its version for this scope.

        Raises `SettingsError`.
        """
        scope: tuple[str | None, ...] = (caller.tenant,)
        if chat is not None:
            scope = (caller.tenant, chat.end_user, None if chat.end_user else chat.conversation_id)
        return self.guards.of(caller.rules.policy, self.adapter.path, scope)

    def allows_unknown_ids(self, caller: Caller) -> bool:
        """Whether a caller may use what the provider keeps and was not made here: with a key of ours it is the operator's."""
        return not caller.is_known or self.settings.unknown_ids

    async def caller(self, scope: Scope) -> Caller:
        """Who is calling a model endpoint; the call is counted against its rate. Raises `NotAllowed`, `RateLimited`."""
        caller = await self.doorkeeper.admit(scope, Need.CHAT)
        self.count(caller)
        return caller

    def count(self, caller: Caller) -> None:
        """Count a call against its caller's rate. Raises `RateLimited`."""
        own = caller.rules.requests_per_minute
        self.limits.take(caller.tenant, self.settings.requests_per_minute if own is None else own)

    async def read(self, receive: Receive, scope: Scope, caller: Caller) -> bytes:
        """The body of a request. Raises `TooLarge` over the largest that the caller may send."""
        limit, own, name = self.settings.max_body, caller.rules.max_body, "setting max_body"
        if own is not None and own < limit:
            limit, name = own, "max_body of this key"
        return await read_body(receive, headers_of(scope), limit, name, self.settings.max_ratio)

    async def _answer(self, scope: Scope, receive: Receive, client: HTTPClient) -> None:
        headers = headers_of(scope)
        caller, unread = await self._caller_or_recalled(scope)
        body = await self.read(receive, scope, caller)
        chat = self.adapter.decode(body, headers)
        guard = self.guard_for(caller, chat)
        name, upstream = self.upstreams.choose(self.adapter.dialect, chat.model)
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
            drafts=self.guards.drafts(caller.rules.policy, self.adapter.path),
            accept_language=headers.get("accept-language", ""),
            allows_unknown_ids=self.allows_unknown_ids(caller),
        )
        self.turns.running[turn.id] = turn

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
            self.turns.close(turn)
            if turn.is_stopped:
                await self._keep_receipt(guard, turn)

    async def _caller_or_recalled(self, scope: Scope) -> tuple[Caller, StoreFailed | None]:
        """Who is calling; where the store does not say, who that was before, and the store's failure."""
        try:
            return await self.caller(scope), None
        except StoreFailed as error:
            recalled = self.doorkeeper.recalled(scope)
            if recalled is None:
                raise
            self.count(recalled)
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
