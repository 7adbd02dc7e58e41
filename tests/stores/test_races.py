"""Several gateways on one PostgreSQL: exactly one end, nothing recorded below it, events logged and told once, in order."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from quitbutton.core.conversation import Branch, Footing, standing_of
from quitbutton.core.errors import RecordRefused
from quitbutton.core.ladder.decisions import Decision, decide
from quitbutton.core.ladder.transitions import Rung, Signal
from quitbutton.stores.postgres import Postgres
from quitbutton.stores.postgres_transaction import PostgresTransaction
from quitbutton.stores.skips import parts_of
from quitbutton.stores.sql import SQLStore
from tests.contracts.test_store import CLEAN, HARM, POLICY, branch, put, take

BELOW = "SELECT COUNT(*) FROM turns t JOIN turns p ON p.address = t.parent WHERE p.rung = 'ended' AND t.rung <> 'ended'"
OVER = "SELECT s.path FROM skips s JOIN turns t ON t.address = s.address WHERE t.rung <> 'ended'"


async def strays(database: Postgres) -> int:
    """Turns that go on below an end, or in a history that stepped over one."""
    ended = {bytes(row[0]) for row in await database.read("SELECT address FROM turns WHERE rung = 'ended'")}
    over = sum(not ended.isdisjoint(parts_of(path)) for (path,) in await database.read(OVER))
    return over + int((await database.read(BELOW))[0][0])


def names(round_: int, count: int) -> list[str]:
    return [f"{round_}.{place}" for place in range(count)]


async def warned(store: SQLStore, round_: int) -> list[str]:
    path = names(round_, 3)
    for place in range(3):
        await take(store, branch(*path[: place + 1]), Signal.PRESS if place == 2 else Signal.NONE)
    return path


async def ends(store: SQLStore, turn: Branch) -> Any:
    footing = standing_of(turn, await store.marks(turn))
    return (await put(store, turn, footing, decide(POLICY, footing.standing, HARM, Signal.PRESS, turn.message)))[1]


def test_of_ends_and_turns_at_once_one_end_stands_and_nothing_below_it(several: list[Postgres]) -> None:
    async def scene() -> None:
        stores = [SQLStore(one) for one in several]
        dice = random.Random(3)
        for round_ in range(40):
            path = await warned(stores[0], round_)
            ending = branch(*path, f"{round_}.end")
            below = [branch(*path, f"{round_}.end", *names(round_ + 1000, depth)) for depth in (1, 2, 3)]
            jobs = [ends(store, ending) for store in stores]
            jobs += [take(dice.choice(stores), turn, Signal.NONE, CLEAN) for turn in below * 2]
            dice.shuffle(jobs)
            await asyncio.gather(*jobs)
            marks = await stores[1].marks(ending)
            assert marks.by_address[ending.address].standing.rung is Rung.ENDED
            late = await asyncio.gather(*(take(store, below[0], Signal.NONE, CLEAN) for store in stores))
            assert all(outcome.end is not None or decision.before.rung is Rung.ENDED for decision, outcome in late)
        rows = await several[0].read("SELECT COUNT(*), COUNT(DISTINCT address) FROM ends")
        assert tuple(rows[0]) == (40, 40), "one end each"
        assert await strays(several[0]) == 0

    asyncio.run(scene())


async def timed(store: SQLStore, turn: Branch, footing: Footing, decision: Decision) -> list[tuple[float, Any]]:
    """One record after another: when each began, and what became of it."""
    found = []
    for _ in range(6):
        began = time.monotonic()
        found.append((began, (await put(store, turn, footing, decision))[1]))
    return found


def test_nothing_is_recorded_after_an_acknowledged_end(several: list[Postgres]) -> None:
    """A turn that was admitted before the end, and is recorded after it was acknowledged, is refused its record."""

    async def scene() -> None:
        stores = [SQLStore(one) for one in several]
        for round_ in range(40):
            path = await warned(stores[0], round_)
            ending, below = branch(*path, "end"), branch(*path, "end", "next")
            footing = standing_of(below, await stores[1].marks(below))
            decision = decide(POLICY, footing.standing, CLEAN, Signal.NONE, below.message)
            told: list[float] = []

            async def end(ending: Branch = ending, told: list[float] = told) -> None:
                await ends(stores[0], ending)
                told.append(time.monotonic())

            turns = [timed(stores[place], below, footing, decision) for place in (1, 2)]
            _, recorded, more = await asyncio.gather(end(), *turns)
            late = [outcome for began, outcome in [*recorded, *more] if began > told[0]]
            assert all(outcome.end is not None for outcome in late)
        assert await strays(several[0]) == 0

    asyncio.run(scene())


def test_these_tests_would_notice(several: list[Postgres], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PostgresTransaction, "_lock_lines", lambda self: [])
    insert = PostgresTransaction.insert

    def slow(self: PostgresTransaction, *given: Any) -> None:
        time.sleep(random.uniform(0, 0.01))  # between what was read and what is written
        insert(self, *given)

    monkeypatch.setattr(PostgresTransaction, "insert", slow)
    with pytest.raises((AssertionError, RecordRefused)):  # by what is left, or by the one end that the tables allow
        test_of_ends_and_turns_at_once_one_end_stands_and_nothing_below_it(several)
