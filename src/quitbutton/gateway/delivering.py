"""Delivers webhooks: what is due goes out, signed; what fails is tried again later; nothing is lost over a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from quitbutton.core.appeals import DAY
from quitbutton.core.webhooks import Delivery, Webhook, headers_of, wait_after
from quitbutton.stores.webhooks import Webhooks

if TYPE_CHECKING:
    from quitbutton.gateway.posting import Poster

ROUND = 10.0
"""Seconds after which a round begins no further tries: new events are looked at again first."""
KEPT_FOR = 30 * DAY
"""How long deliveries that were made are listed."""

log = logging.getLogger("quitbutton.gateway")


@dataclass(slots=True)
class Deliverer:
    """One round after another of `deliver()` empties what is due."""

    webhooks: Webhooks
    now: Callable[[], float]
    _poster: Poster | None = field(default=None)

    async def deliver(self) -> int:
        """Make deliveries of new events and try those that are due, as many as a round has time for; how many."""
        await self.webhooks.fill(self.now())
        tried, over = 0, monotonic() + ROUND
        while claimed := await self.webhooks.claim(self.now()):
            known = {one.id: one for one in await self.webhooks.all()}
            tries = (self._try(one, known.get(one.webhook)) for one in claimed)
            for problem in filter(None, await asyncio.gather(*tries, return_exceptions=True)):
                log.error("a webhook delivery was not settled, and is tried again later", exc_info=problem)
            tried += len(claimed)
            if monotonic() >= over:
                break
        return tried

    async def forget(self) -> None:
        """Drop old deliveries from the list."""
        await self.webhooks.drop_old(self.now() - KEPT_FOR)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._poster is not None:
            await self._poster.close()
            self._poster = None

    async def _try(self, one: Delivery, webhook: Webhook | None) -> None:
        if webhook is None:
            return
        status, error = await self._post(one, webhook)
        if status is not None and 200 <= status < 300:
            await self.webhooks.settle(one, "done", self.now(), status, None)
            return
        wait = wait_after(one.attempts)
        log.warning("a webhook delivery failed: %s, try %d, %s", webhook.id, one.attempts, error)
        state = "dead" if wait is None else "waiting"
        await self.webhooks.settle(one, state, self.now() + (wait or 0.0), status, error)

    async def _post(self, one: Delivery, webhook: Webhook) -> tuple[int | None, str | None]:
        if self._poster is None:
            from quitbutton.gateway.posting import Poster  # noqa: PLC0415 - aiohttp, only where there are webhooks

            self._poster = Poster()
        return await self._poster.post(
            webhook.url, headers_of(webhook.secret, one.id, one.body, self.now()), one.body.encode()
        )
