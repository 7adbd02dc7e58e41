"""How many chat requests are under way here: no more than `max_turns`, and cut where the gateway stops."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from quitbutton.core.errors import Overloaded
from quitbutton.gateway.http import HTTPClient, error_headers
from quitbutton.gateway.routes.chat import ChatRoute
from quitbutton.gateway.services import Turns
from quitbutton.observing.metrics import Metrics
from quitbutton.turn.turn import Turn

SHUTDOWN = "shutdown"
"""Who stopped a turn that was cut."""


@dataclass(slots=True)
class Room:
    """What is under way in this process."""

    most: int
    metrics: Metrics | None = None
    inside: int = 0
    is_stopping: bool = False
    """True once the process was told to stop."""

    @property
    def is_full(self) -> bool:
        """True where one more would be too many."""
        return 0 < self.most <= self.inside


@dataclass(frozen=True, slots=True)
class Turnstile:
    """Before a chat route. Whoever finds no room is told at once, before the body is read."""

    route: ChatRoute
    room: Room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or turn it away."""
        if self.room.is_full:
            if self.room.metrics is not None:
                self.room.metrics.count("turned_away_total")
            error = Overloaded(f"This gateway answers {self.room.most} requests already (max_turns). Try again soon.")
            await HTTPClient(send).answer(error.status, error_headers(error), self.route.adapter.error(error))
            return
        self.room.inside += 1
        try:
            await self.route(scope, receive, send)
        finally:
            self.room.inside -= 1


async def cut_all(turns: Turns, metrics: Metrics | None) -> int:
    """End every turn under way: its client gets an error of its protocol, its record what was said; how many."""
    running = list(turns.running.values())
    for _ in running:
        if metrics is not None:
            metrics.count("cut_turns_total")
    await asyncio.gather(*map(_cut, running), return_exceptions=True)
    return len(running)


async def _cut(turn: Turn) -> None:
    turn.stop(SHUTDOWN)
    if not isinstance(turn.client, HTTPClient):
        return
    error = Overloaded("The gateway stops; this reply was cut. Send the request again.")
    adapter = turn.adapter
    await turn.client.cut(error.status, error_headers(error), adapter.error(error), adapter.error_frame(error))
