"""Gateways with one promise broken each, started instead of the product to see that the checker notices.

    python -m tests.torture.broken locks --port ... (as `quitbutton serve`)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from quitbutton.cli.main import main
from quitbutton.core.conversation import Branch, Marks
from quitbutton.core.records import Outcome, TurnRecord
from quitbutton.stores import postgres_worker
from quitbutton.stores.postgres_session import Session
from quitbutton.stores.postgres_transaction import PostgresTransaction
from quitbutton.stores.rights import Rights
from quitbutton.stores.sql import SQLStore

REMEMBERED = 0.5
"""Seconds for which `cache` believes what it read."""


def locks() -> None:
    """Turns and ends lock nothing."""
    PostgresTransaction._lock_lines = lambda self: []  # type: ignore[method-assign]


def cache() -> None:
    """Where a branch stands is read once in a while only."""
    known: dict[bytes, tuple[float, Marks]] = {}
    read = SQLStore.marks

    async def marks(self: SQLStore, branch: Branch) -> Marks:
        when, found = known.get(branch.address, (0.0, None))
        if found is None or time.monotonic() > when + REMEMBERED:
            found = await read(self, branch)
            known[branch.address] = (time.monotonic(), found)
        return found

    SQLStore.marks = marks  # type: ignore[method-assign]
    PostgresTransaction._lock_lines = lambda self: []  # type: ignore[method-assign]


def forgets() -> None:
    """Every tenth turn is told and not recorded."""
    write, counter = SQLStore.record, iter(range(1 << 60))

    async def record(self: SQLStore, one: TurnRecord) -> Outcome:
        return Outcome(one.decision.after) if next(counter) % 10 == 9 else await write(self, one)

    SQLStore.record = record  # type: ignore[method-assign]


def twice() -> None:
    """What may have been committed is written again."""

    def may_try_again(session: Session, error: Exception) -> bool:
        session.is_committing = False
        return real(session, error)

    real = postgres_worker.may_try_again
    postgres_worker.may_try_again = may_try_again  # type: ignore[assignment]


def lies() -> None:
    """It says that nothing was counted where it cannot know."""
    real: Callable[..., Any] = postgres_worker.failure_of

    def failure_of(session: Session, error: Exception, is_read: bool) -> Any:
        session.is_committing = False
        return real(session, error, is_read)

    postgres_worker.failure_of = failure_of


def reopens() -> None:
    """A rejected appeal reopens as well."""
    real = Rights.decide

    async def decide(self: Rights, appeal_id: str, state: Any, *more: Any) -> Any:
        decided = await real(self, appeal_id, type(state)("upheld"), *more)
        return decided

    Rights.decide = decide  # type: ignore[method-assign]


WAYS = {way.__name__: way for way in (locks, cache, forgets, twice, lies, reopens)}

if __name__ == "__main__":
    WAYS[sys.argv[1]]()
    sys.exit(main(["serve", *sys.argv[2:]]))
