"""The user's stop, wherever the turn is answered: in this process, or in another of the same installation."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from quitbutton.core.errors import NotFound
from quitbutton.core.records import Receipt
from quitbutton.gateway.services import Turns
from quitbutton.interfaces import Store
from quitbutton.stores.stops import Stops

STOP_SECONDS = 5.0
"""How long a stop waits for the turn to come to its record."""
LOOK_SECONDS = 0.25
"""How often a process looks for stops of its turns that were asked elsewhere."""
TAKEN_SECONDS = 1.5
"""How long whoever has a turn may take to see that its stop was asked elsewhere."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """Stops turns. `stops` is None where there is one process alone."""

    turns: Turns
    store: Store
    stops: Stops | None = None

    async def stop(self, tenant: str, request_id: str) -> Receipt:
        """Stop a running request and wait for its record; the same receipt on every repeat. Raises `NotFound`."""
        turn = self.turns.running.get(request_id)
        if turn is not None and turn.tenant == tenant:
            turn.stop("user")
            with suppress(TimeoutError):
                await asyncio.wait_for(turn.over.wait(), STOP_SECONDS)
            return turn.receipt()
        owner, remembered = self.turns.finished.get(request_id, ("", None))
        receipt = await self.store.receipt(tenant, request_id) or (remembered if owner == tenant else None)
        receipt = receipt or await self._elsewhere(tenant, request_id)
        if receipt is None:
            raise NotFound(
                "There is no such request of yours under way. Its id is in the X-Quitbutton-Request-Id header."
            )
        return receipt

    async def take_up(self) -> None:
        """Stop the turns of this process whose stop was asked of another."""
        if self.stops is None or not self.turns.running:
            return
        for request_id, tenant in await self.stops.waiting():
            turn = self.turns.running.get(request_id)
            if turn is not None and turn.tenant == tenant:
                await self.stops.take(request_id)
                turn.stop("user")

    async def _elsewhere(self, tenant: str, request_id: str) -> Receipt | None:
        if self.stops is None:
            return None
        await self.stops.ask(tenant, request_id, time.time())
        begun, taken = time.monotonic(), False
        while time.monotonic() < begun + (STOP_SECONDS if taken else TAKEN_SECONDS):
            await asyncio.sleep(LOOK_SECONDS / 2)
            taken = taken or await self.stops.is_taken(request_id)
            if taken and (receipt := await self.store.receipt(tenant, request_id)) is not None:
                return receipt
        return None
