"""What the store costs as it grows, SQLite and PostgreSQL: lookups, records in groups, durable ones, a whole turn.

    python -m benchmarks.store [--sizes 1000,100000,1000000]

A store grows from each size to the next. Whoever records has `waiting` requests under way at once, as a gateway has; the
gateway's side has one core, PostgreSQL the other. Fillings are conversations of eight turns with their events.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import uvloop
from tests.postgres import Server, binaries

from benchmarks.measuring import RESULTS, Rounds, number, progress, quantile, save, show, spread
from benchmarks.processes import LOAD_CORE, SERVER_CORE, keep_to, processor_seconds, tree
from quitbutton.core.conversation import Branch, Footing
from quitbutton.core.ladder.decisions import admit, decide
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.standing import OPEN, Standing
from quitbutton.core.ladder.transitions import Rung, Signal
from quitbutton.core.ladder.verdicts import Label, Verdict
from quitbutton.core.records import TurnRecord
from quitbutton.gateway.serving import tune_interpreter
from quitbutton.stores.bulk import Bulk, SQLiteTables
from quitbutton.stores.sql import SQLStore
from quitbutton.wiring import database_at, tables_at

COMMAND = "python -m benchmarks.store"
SIZES, QUICK_SIZES = (1_000, 100_000, 1_000_000), (1_000, 5_000)
WAITING = (1, 8, 64)
EACH = 8
BATCH = 8_000
LOOKUPS = 2_000
BEGAN = 1_790_000_000.0
POLICY, CLEAN = Policy(), Verdict(Label.CLEAN, assessor="local@2")
WARNED = Standing(Rung.WARNED, redirections=2)
TURN = ("address", "parent", "base", "conversation", "rung", "redirections", "clean_turns", "crisis_turns", "asked")
TABLES = {
    "turns": (*TURN, "evidence", "end_id", "created_at", "updated_at"),
    "conversations": ("id", "tenant", "head", "root", "created_at", "updated_at", "rung", "is_draft"),
    "events": ("at", "kind", "tenant", "conversation", "message", "body"),
}


def address(number: int) -> bytes:
    """The address of the turn with this number: as random as a real one, and found again."""
    return blake2b(number.to_bytes(8, "big"), digest_size=32).digest()


def conversation(number: int) -> str:
    """The conversation that this turn is in."""
    return f"conv_{address(-1 - number // EACH & (1 << 63) - 1).hex()[:24]}"


def filling(first: int, size: int, body: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Rows of turns, their conversations and events, by table."""
    for place in range(first, size):
        own, named, at = address(place), conversation(place), BEGAN + place
        root = address(-1 - place & (1 << 63) - 1)
        parent = address(place - 1) if place % EACH else root
        yield "turns", (own, parent, parent, named, "open", 0, 0, 0, 0, "[]", None, at, at)
        yield "events", (at, "turn.pass", "t", named, f"msg_{own.hex()[:24]}", body)
        if place % EACH == EACH - 1:
            yield "conversations", (named, "t", own, root, at, at, "open", 0)


def fill(place: str, first: int, size: int, body: str) -> None:
    """Grow a store to `size` turns."""
    rows = filling(first, size, body)
    with tables_at(place)(True) if is_postgres(place) else _hasty(place) as into:
        while batch := list(islice(rows, BATCH)):
            for table, columns in TABLES.items():
                into.put(table, columns, [row for name, row in batch if name == table])
        into.finish()


def is_postgres(place: str) -> bool:
    """True for a database's URL."""
    return place.startswith("postgresql")


@contextmanager
def _hasty(path: str) -> Iterator[Bulk]:
    """A SQLite file that is filled without waiting for the disk and without a journal; nobody else has it open."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    yield SQLiteTables(connection)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def record_at(known: int, durable: bool) -> TurnRecord:
    """A new turn below a known one; a warning must be on the disk before it is answered."""
    parent, own = address(known), os.urandom(32)
    branch = Branch(address(known // EACH * EACH), (parent, own), conversation(known))
    decision = decide(POLICY, OPEN, CLEAN, Signal.NONE, branch.message)
    if durable:
        decision = replace(decision, after=WARNED)
    request = f"req_{own.hex()[:24]}"
    return TurnRecord("t", branch, Footing(OPEN, parent), decision, request, time.time(), "enforce", model="m")


class Load:
    """Asks of one store, in one size."""

    def __init__(self, store: SQLStore, size: int, server: int | None) -> None:
        self.store, self.size, self.server = store, size, server
        self.chance = random.Random(size)

    def known(self) -> int:
        """A turn that is there."""
        return self.chance.randrange(self.size)

    async def lookups(self, count: int) -> dict[str, float]:
        """Where a turn starts from whose parent is known: what every turn asks first."""
        times = []
        for _ in range(count):
            place = self.known()
            branch = Branch(b"r" * 32, (address(place), os.urandom(32)), conversation(place))
            begin = time.perf_counter()
            marks = await self.store.marks(branch)
            times.append(time.perf_counter() - begin)
            assert marks.by_address
        times.sort()
        return {"lookup_p50_us": quantile(times, 0.5) * 1e6, "lookup_p99_us": quantile(times, 0.99) * 1e6}

    async def records(self, waiting: int, seconds: float, durable: bool) -> dict[str, float]:
        """So many requests at once, each waiting for its own record."""
        times: list[float] = []
        until = time.perf_counter() + seconds

        async def one() -> None:
            while (begin := time.perf_counter()) < until:
                await self.store.record(record_at(self.known(), durable))
                times.append(time.perf_counter() - begin)

        begin = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(waiting)))
        took = time.perf_counter() - begin
        times.sort()
        name = f"{'durable' if durable else 'records'}_{waiting}"
        return {f"{name}_rate": len(times) / took, f"{name}_p99_ms": quantile(times, 0.99) * 1e3}

    async def turns(self, seconds: float) -> dict[str, float]:
        """Looked up, decided, recorded, one after another: the store's part of a turn."""
        database = tree(self.server) if self.server is not None else []
        keep_to(LOAD_CORE, database)
        used, theirs, times = time.process_time(), processor_seconds(database), []
        until = time.perf_counter() + seconds
        while (begin := time.perf_counter()) < until:
            record = record_at(self.known(), False)
            await self.store.marks(record.branch)
            admit(POLICY, OPEN, CLEAN, record.branch.message)
            await self.store.record(record)
            times.append(time.perf_counter() - begin)
        used = time.process_time() - used
        figures = {"turn_us": used / len(times) * 1e6, "turn_p50_us": quantile(sorted(times), 0.5) * 1e6}
        if database:
            figures["turn_database_us"] = (processor_seconds(database) - theirs) / len(times) * 1e6
        return figures


async def measured(load: Load, rounds: Rounds, name: str, seconds: float) -> None:
    """One round over everything."""
    place = (name, str(load.size))
    rounds.add(*place, **await load.lookups(LOOKUPS if seconds >= 0.3 else LOOKUPS // 10))
    rounds.add(*place, **await load.turns(seconds))
    for durable in (False, True):
        for waiting in WAITING:
            rounds.add(*place, **await load.records(waiting, seconds, durable))


async def body_of(store: SQLStore) -> str:
    """An event as it is kept, by which the others are made."""
    await store.record(record_at(0, False))
    event = (await store.events(conversation(0)))[0]
    return json.dumps({name: value for name, value in event.items() if name not in ("seq", "at", "kind", "message")})


def run(sizes: Sequence[int], rounds: int, seconds: float, with_postgres: bool) -> dict[str, Any]:
    """Both stores in every size, as JSON."""
    keep_to(SERVER_CORE, [os.getpid()])
    with ExitStack() as stack, progress() as bar:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quitbutton-bench-")))
        places: dict[str, tuple[str, int | None]] = {"SQLite": (str(folder / "bench.sqlite3"), None)}
        if with_postgres and binaries() is not None:
            server = Server(shared_buffers="512MB", max_wal_size="4GB")
            stack.callback(server.close)
            places["PostgreSQL"] = server.url(), server.pid
            keep_to(LOAD_CORE, server.pids())
        task = bar.add_task("store", total=len(places) * len(sizes))
        found, used = Rounds(), {}
        for name, (place, pid) in places.items():
            used[name] = {}
            for size, before in zip(sizes, (0, *sizes), strict=False):
                _grow(place, before, size)
                for _ in range(rounds):
                    with opened(place) as store:
                        uvloop.run(measured(Load(store, size, pid), found, name, seconds))
                used[name][str(size)] = _megabytes(place)
                bar.advance(task)
                bar.refresh()
    return {"stores": found.plain(), "megabytes": used}


def _grow(place: str, before: int, size: int) -> None:
    with opened(place):  # makes the tables
        pass
    with opened(":memory:") as store:
        body = uvloop.run(body_of(store))
    fill(place, before, size, body)


@contextmanager
def opened(place: str) -> Iterator[SQLStore]:
    """A store as a gateway opens it."""
    store = SQLStore(database_at(place))
    tune_interpreter()
    try:
        yield store
    finally:
        store.close()


def _megabytes(place: str) -> float:
    if not is_postgres(place):
        return round(sum(one.stat().st_size for one in Path(place).parent.glob("bench.sqlite3*")) / 1e6, 1)
    import psycopg

    with psycopg.connect(place, autocommit=True) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return round(row[0] / 1e6, 1) if row else 0.0


def print_tables(found: dict[str, Any]) -> None:
    """A line for each store and size."""
    rows = []
    for name, by_size in found["stores"].items():
        for size, one in by_size.items():
            told = [spread(one[key]).told for key in ("lookup_p50_us", "lookup_p99_us", "turn_us", "turn_p50_us")]
            rates = [number(one[f"{kind}_{waiting}_rate"][0]) for kind in ("records", "durable") for waiting in WAITING]
            rows.append([f"{name}, {int(size):,} turns", *told, *rates, number(found["megabytes"][name][size])])
    head = ["store", "lookup p50 µs", "p99 µs", "turn CPU µs", "turn p50 µs"]
    head += [f"{kind}/s, {waiting}" for kind in ("records", "durable") for waiting in WAITING]
    show("the store; rates with so many requests waiting", [*head, "MB"], rows)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", help="turns on record, joined by commas; up to 10000000 (1000,100000,1000000)")
    parser.add_argument("--rounds", type=int, help="rounds in each size (3)")
    parser.add_argument("--seconds", type=float, help="of each measurement (0.3)")
    parser.add_argument("--quick", action="store_true", help="small stores, one short round")
    parser.add_argument("--sqlite-only", action="store_true", help="leave PostgreSQL out")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of store.json (docs/benchmarks)")
    given = parser.parse_args()
    sizes = (
        [int(part) for part in given.sizes.split(",")] if given.sizes else QUICK_SIZES if given.quick else list(SIZES)
    )
    rounds, seconds = given.rounds or (1 if given.quick else 3), given.seconds or (0.1 if given.quick else 0.3)
    found = run(sizes, rounds, seconds, not given.sqlite_only)
    save(given.out, "store", COMMAND, {"rounds": rounds, "seconds": seconds, "sizes": list(sizes)}, found)
    print_tables(found)


if __name__ == "__main__":
    main()
