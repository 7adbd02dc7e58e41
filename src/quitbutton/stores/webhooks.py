"""Webhooks in the store: each has its place in the record of events, from which its deliveries are made, once each."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence

from quitbutton.core.errors import NotFound
from quitbutton.core.webhooks import Delivery, Webhook, body_of, new_secret
from quitbutton.stores.database import Database, Row, Transaction
from quitbutton.stores.queries import QUERIES

AT_ONCE = 500
"""Events looked at in one transaction."""
LOCK = (b"webhooks",)
"""One process at a time makes deliveries and claims them."""
LEASE = 120.0
"""Seconds that a claimed delivery is left to whoever claimed it; then another process may try."""


class Webhooks:
    """Over the same database as the turns. Any number of processes may deliver: a try is claimed by compare-and-set."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, url: str, types: Sequence[str], now: float) -> Webhook:
        """A new webhook, told of what happens from now on. Raises `BadRequest`."""
        made = Webhook("whk_" + secrets.token_urlsafe(9), url, tuple(types), new_secret(), now)
        made.check()
        given = {"id": made.id, "url": url, "types": json.dumps(made.types), "secret": made.secret, "at": now}
        await self._database.write(lambda transaction: transaction.execute(QUERIES["put_webhook"], given))
        return made

    async def all(self) -> list[Webhook]:
        """All webhooks, oldest first."""
        return [_webhook_of(row) for row in await self._database.read(QUERIES["webhooks"])]

    async def drop(self, webhook_id: str) -> None:
        """Remove a webhook and what is on its way to it. Raises `NotFound`."""

        def work(transaction: Transaction) -> None:
            if not transaction.execute(QUERIES["webhook_seen"], {"id": webhook_id}):
                raise NotFound("There is no webhook with this id.")
            for name in ("drop_deliveries", "drop_webhook"):
                transaction.execute(QUERIES[name], {"id": webhook_id})

        await self._database.write(work)

    async def fill(self, now: float) -> int:
        """Make deliveries of the events that webhooks have not seen; how many."""
        if not await self._database.read(QUERIES["webhooks"]):
            return 0
        settled = await self._database.settled()

        def work(transaction: Transaction) -> int:
            made = 0
            for row in transaction.execute(QUERIES["webhooks"]):
                made += _filled(transaction, _webhook_of(row), int(row[5]), settled, now)
            return made

        return await self._database.write(work, locks=LOCK)

    async def claim(self, now: float, limit: int = 20) -> list[Delivery]:
        """Deliveries that are due, for this process alone until their lease is over."""

        def work(transaction: Transaction) -> list[Delivery]:
            claimed = []
            for row in transaction.execute(QUERIES["due_deliveries"], {"now": now, "limit": limit}):
                one = Delivery(*row)
                mine = {"id": one.id, "attempts": one.attempts, "until": now + LEASE}
                transaction.execute(QUERIES["claim_delivery"], mine)
                after = Delivery(*transaction.execute(QUERIES["delivery"], {"id": one.id})[0])
                if after.attempts == one.attempts + 1:
                    claimed.append(after)
            return claimed

        if not await self._database.read(QUERIES["due_deliveries"], {"now": now, "limit": 1}):
            return []
        return await self._database.write(work, locks=LOCK)

    async def settle(self, one: Delivery, state: str, next_at: float, status: int | None, error: str | None) -> None:
        """What became of a try."""
        given = {
            "id": one.id,
            "attempts": one.attempts,
            "state": state,
            "next_at": next_at,
            "status": status,
            "error": error,
        }
        await self._database.write(lambda transaction: transaction.execute(QUERIES["settle_delivery"], given))

    async def replay(self, delivery_id: str, now: float) -> Delivery:
        """Send a delivery again, whatever became of it. Raises `NotFound`."""

        def work(transaction: Transaction) -> Delivery:
            if not transaction.execute(QUERIES["delivery"], {"id": delivery_id}):
                raise NotFound("There is no delivery with this id.")
            transaction.execute(QUERIES["replay_delivery"], {"id": delivery_id, "now": now})
            return Delivery(*transaction.execute(QUERIES["delivery"], {"id": delivery_id})[0])

        return await self._database.write(work)

    async def deliveries(self, state: str, before: tuple[float, str], limit: int) -> list[Delivery]:
        """Deliveries in a state, newest first, before a place in that order (time, id)."""
        given = {"state": state, "before": before[0], "before_id": before[1], "limit": limit}
        return [Delivery(*row) for row in await self._database.read(QUERIES["deliveries_in"], given)]

    async def count(self, state: str) -> int:
        """How many deliveries are in a state."""
        return int((await self._database.read(QUERIES["deliveries_by_state"], {"state": state}))[0][0])

    async def drop_old(self, before: float) -> None:
        """Forget deliveries that were made and are older."""
        await self._database.write(
            lambda transaction: transaction.execute(QUERIES["drop_old_deliveries"], {"before": before})
        )


def _filled(transaction: Transaction, webhook: Webhook, seen: int, settled: int, now: float) -> int:
    rows = transaction.execute(QUERIES["events_after"], {"seen": seen, "settled": settled, "limit": AT_ONCE})
    made = 0
    for seq, at, kind, conversation, message, body in rows:
        told = body_of(kind, at, conversation, message, json.loads(body))
        if told is None or told["type"] not in webhook.types:
            continue
        text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
        given = {"id": f"{webhook.id}_{seq}", "webhook": webhook.id, "type": told["type"], "body": text, "at": now}
        transaction.execute(QUERIES["put_delivery"], given)
        made += 1
    if rows:
        transaction.execute(QUERIES["seen"], {"id": webhook.id, "seen": rows[-1][0], "before": seen})
    return made


def _webhook_of(row: Row) -> Webhook:
    webhook_id, url, types, secret, created_at, _ = row
    return Webhook(webhook_id, url, tuple(json.loads(types)), secret, created_at)
