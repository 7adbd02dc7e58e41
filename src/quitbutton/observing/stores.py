"""The database with a clock beside it, and the store that tells what it has recorded."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from time import monotonic, perf_counter

from quitbutton.core.errors import RecordRefused, StoreFailed
from quitbutton.core.records import Outcome, TurnRecord
from quitbutton.observing.metrics import Metrics
from quitbutton.observing.seen import CURRENT
from quitbutton.stores.database import NOTHING, Database, Load, Params, Row, T, Transaction
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.sql import SQLStore

TOLD_EVERY = 60.0
"""Seconds after which a failure that lasts is logged again."""

log = logging.getLogger("quitbutton.store")


class WatchedDatabase:
    """A database whose reads and writes are timed, and whose failures are counted."""

    def __init__(self, inner: Database, metrics: Metrics | None) -> None:
        self.inner, self.metrics = inner, metrics
        self.failed_at: float | None = None
        """Since when writes fail, by the clock that never goes back; None while they are taken."""
        self._told_at = -math.inf

    @property
    def words(self) -> Mapping[str, str]:
        """The database's own words for what migrations leave open."""
        return self.inner.words

    @property
    def is_in_process(self) -> bool:
        """True where a read takes microseconds."""
        return self.inner.is_in_process

    @property
    def at_once(self) -> int:
        """Transactions worth having under way at the same time."""
        return self.inner.at_once

    @property
    def load(self) -> Load:
        """What waits and what works."""
        return self.inner.load

    async def ping(self) -> None:
        """Raises `StoreFailed` where it cannot be read; and after a failed write until one is taken again."""
        await self.inner.ping()
        if self.failed_at is not None:
            probe = {"value": str(time.time())}
            await self.write(lambda transaction: transaction.execute(QUERIES["probe"], probe), durable=True)

    async def read(self, sql: str, params: Params = NOTHING, /) -> list[Row]:
        """The rows of one query. Raises `StoreFailed`."""
        return await self._timed("read", self.inner.read(sql, params))

    async def write(
        self,
        work: Callable[[Transaction], T],
        durable: bool = False,
        locks: Collection[bytes] | None = None,
        quick: bool = False,
    ) -> T:
        """Run `work` in a transaction. Raises `StoreFailed`, and what `work` raises."""
        try:
            result = await self._timed("write", self.inner.write(work, durable, locks, quick))
        except RecordRefused:
            raise  # the fault of this one
        except StoreFailed as error:
            self._fails(error)
            raise
        if self.failed_at is not None:
            log.warning("the store takes what is written again, after %.0f seconds", monotonic() - self.failed_at)
            self.failed_at, self._told_at = None, -math.inf
        return result

    def _fails(self, error: StoreFailed) -> None:
        """Tell the operators at once, and then once a while: on a full disk the log has no room either."""
        now = monotonic()
        self.failed_at = self.failed_at or now
        if now >= self._told_at + TOLD_EVERY:
            self._told_at = now
            log.error("the store does not take what is written: %s", error)

    async def settled(self) -> int:
        """An event's number up to which the record is final."""
        return await self.inner.settled()

    def migrate(self, work: Callable[[Transaction], None]) -> None:
        """Run `work` in a transaction that excludes every other migration. Raises `StoreFailed`."""
        self.inner.migrate(work)

    def close(self) -> None:
        """Finish the writes that wait, then close."""
        self.inner.close()

    async def _timed(self, name: str, done: Awaitable[T]) -> T:
        start = perf_counter()
        try:
            return await done
        except StoreFailed:
            if self.metrics is not None:
                self.metrics.count("store_failures_total")
            raise
        finally:
            seen = CURRENT.get()
            if seen is not None:
                seconds = perf_counter() - start
                seen.store += seconds
                if seen.trace is not None:
                    seen.trace.part(f"store {name}", seconds)


class WatchedStore(SQLStore):
    """The store; what it recorded is counted and written down with the request."""

    def __init__(self, database: Database, metrics: Metrics | None) -> None:
        super().__init__(database)
        self._metrics = metrics

    async def record(self, record: TurnRecord) -> Outcome:
        """Write a turn and its event, all or nothing."""
        outcome = await super().record(record)
        if record.is_draft:
            return outcome
        if self._metrics is not None:
            self._metrics.decided(record)
        seen = CURRENT.get()
        if seen is not None:
            seen.decision, seen.mode, seen.id = record.decision, record.mode, record.request_id
        return outcome
