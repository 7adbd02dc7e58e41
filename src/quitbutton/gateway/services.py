"""What the endpoints share: who is calling, under which policy, the turns under way, the clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.types import Receive, Scope

from quitbutton.core.errors import QuitbuttonError
from quitbutton.core.keys import Caller, Need
from quitbutton.core.messages import ChatRequest
from quitbutton.core.records import Receipt
from quitbutton.gateway.auth import Authenticator
from quitbutton.gateway.guards import Guards
from quitbutton.gateway.http import headers_of, read_body
from quitbutton.gateway.limits import RateLimits
from quitbutton.interfaces import Adapter
from quitbutton.settings.installation import Settings
from quitbutton.turn.guard import TurnTaker
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.routing import Upstreams

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


@dataclass(frozen=True, slots=True)
class Services:
    """Made once, when the gateway starts, and given to every endpoint."""

    settings: Settings
    guards: Guards
    authenticator: Authenticator
    turns: Turns
    upstreams: Upstreams
    limits: RateLimits
    home: Adapter
    """The protocol in whose shape our own endpoints say errors."""

    @property
    def guard(self) -> TurnTaker:
        """The guard under the policy that holds where no key and no route names another."""
        return self.guards.default

    @property
    def now(self) -> Callable[[], float]:
        """The clock, in seconds since 1970."""
        return self.guard.now

    def error(self, error: QuitbuttonError) -> bytes:
        """The body of an error at our own endpoints: in the shape of `home`."""
        return self.home.error(error)

    def guard_for(self, caller: Caller, path: str, chat: ChatRequest | None = None) -> TurnTaker:
        """The guard under the policy of the caller's key, else of the route at `path`, in its version for this scope.

        Raises `SettingsError`.
        """
        scope: tuple[str | None, ...] = (caller.tenant,)
        if chat is not None:
            scope = (caller.tenant, chat.end_user, None if chat.end_user else chat.conversation_id)
        return self.guards.of(caller.rules.policy, path, scope)

    def allows_unknown_ids(self, caller: Caller) -> bool:
        """Whether a caller may use what the provider keeps and was not made here: with a key of ours it is the operator's."""
        return not caller.is_known or self.settings.unknown_ids

    async def caller(self, scope: Scope) -> Caller:
        """Who is calling a model endpoint; the call is counted against its rate. Raises `NotAllowed`, `RateLimited`."""
        caller = await self.authenticator.admit(scope, Need.CHAT)
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
