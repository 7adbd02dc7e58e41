"""Stops: asked of one process of an installation, taken up by the one that answers the turn."""

from __future__ import annotations

from quitbutton.stores.database import Database, Transaction
from quitbutton.stores.queries import QUERIES

FORGOTTEN_AFTER = 60.0
"""Seconds for which a stop that nobody took up is kept."""


class Stops:
    """The stops of an installation that wait for whoever has their turn."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, tenant: str, request_id: str, now: float) -> None:
        """Ask for a stop of a turn that this process does not have."""

        def work(transaction: Transaction) -> None:
            transaction.execute(QUERIES["drop_stops"], {"before": now - FORGOTTEN_AFTER})
            transaction.execute(QUERIES["put_stop"], {"request_id": request_id, "tenant": tenant, "at": now})

        await self._database.write(work)

    async def waiting(self) -> list[tuple[str, str]]:
        """Request id and tenant of those that nobody has taken up."""
        return [(row[0], row[1]) for row in await self._database.read(QUERIES["stops"])]

    async def take(self, request_id: str) -> None:
        """This process has that turn."""
        given = {"request_id": request_id}
        await self._database.write(lambda transaction: transaction.execute(QUERIES["take_stop"], given))

    async def is_taken(self, request_id: str) -> bool:
        """Whether some process has that turn."""
        rows = await self._database.read(QUERIES["stop_taken"], {"request_id": request_id})
        return bool(rows and rows[0][0])
