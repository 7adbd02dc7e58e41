"""How fast the console's pages are with a million events, in a SQLite file: `python -m benchmarks.console`.

Times are of the store's queries as a gateway runs them, medians of twenty.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console as Screen
from rich.table import Table

from quitbutton.core.addresses import message_id
from quitbutton.core.counting import DAY, day_of
from quitbutton.stores.console import Console, Page
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite, Transaction

NOW = 1_795_000_000.0
SPAN = 365 * DAY
TURNS_EACH = 8
ROUNDS = 20
LABELS = {"turn.pass": "clean", "turn.support": "crisis"}
LADDER = ("turn.redirect", "turn.redirect", "press.denied", "turn.warn", "turn.end")


def fill(database: SQLite, events: int) -> None:
    """A year of conversations of eight turns; one in thirty climbs the ladder, one in eighty is a crisis."""
    chance = random.Random(7)

    def work(transaction: Transaction) -> None:
        for number in range(events // TURNS_EACH):
            _conversation(transaction, chance, number, NOW - SPAN + SPAN * number * TURNS_EACH / events)

    database.migrate(work)


def _conversation(transaction: Transaction, chance: random.Random, number: int, at: float) -> None:
    name, parent, fate = f"conv_{number:024d}", os.urandom(32), chance.random()
    kinds = ["turn.pass"] * TURNS_EACH
    if fate < 1 / 30:
        kinds[-len(LADDER) :] = LADDER
    elif fate < 1 / 30 + 1 / 80:
        kinds[2] = "turn.support"
    rung, end_id = "open", None
    for turn, kind in enumerate(kinds):
        address = os.urandom(32)
        rung = {"turn.redirect": "redirected", "turn.warn": "warned", "turn.end": "ended"}.get(kind, rung)
        end_id = f"end_{number:020d}" if rung == "ended" else None
        message, moment = message_id(address), at + turn * 30
        base = {"base": parent, "conversation": name, "rung": rung, "redirections": 0, "clean_turns": 0}
        more = {
            "crisis_turns": 0,
            "possible_turns": 0,
            "brought": 0,
            "asked": 0,
            "evidence": "[]",
            "end_id": end_id,
            "at": moment,
        }
        transaction.execute(QUERIES["put_turn"], {"address": address, "parent": parent, **base, **more})
        event = {"request_id": f"req_{os.urandom(18).hex()}", "mode": "enforce", "action": kind.partition(".")[2]}
        event |= {"verdict": {"label": LABELS.get(kind, "abuse"), "scores": {"harm": 0.1, "abuse": 0.9, "crisis": 0.0}}}
        event |= {"denial": "too_early" if kind == "press.denied" else None, "reason": "abuse", "policy": "p" * 32}
        event |= {"before": {"rung": rung, "evidence": []}, "after": {"rung": rung, "evidence": []}, "model": "m"}
        place = {"tenant": "t", "conversation": name, "message": message, "at": moment}
        transaction.execute(QUERIES["put_event"], {**place, "kind": kind, "body": json.dumps(event)})
        parent = address
    given = {"id": name, "tenant": "t", "head": parent, "root": b"r", "rung": rung, "at": at + TURNS_EACH * 30}
    transaction.execute(QUERIES["put_conversation"], given)
    if end_id:
        told = {"reason": chance.choice(("abuse", "harm")), "decided_by": "model", "model": f"m{number % 5}"}
        told |= {"policy": f"p{number % 3}", "message": message, "explanation": "", "evidence": "[]", "at": moment}
        transaction.execute(
            QUERIES["put_end"], {"id": end_id, "address": parent, "conversation": name, "tenant": "t", **told}
        )
    if fate > 0.98:
        stop = {"request_id": event["request_id"], "tenant": "t", "body": "{}", "at": moment}
        transaction.execute(QUERIES["put_receipt"], stop)


def pages(console: Console) -> dict[str, Callable[[], Awaitable[object]]]:
    """Every page, and the deep ones of each list."""
    today, middle = day_of(NOW), NOW - SPAN / 2
    deep = Page(before=middle)
    filters = {"reason": "harm", "model": "m1", "policy": "p2"}
    return {
        "overview, 30 days": lambda: console.daily(today - 29, today),
        "overview, 400 days": lambda: console.daily(today - 399, today),
        "what waits": lambda: console.waiting(NOW),
        "crisis referrals": lambda: console.daily_of("referred"),
        "conversations, newest": lambda: console.conversations(None, Page()),
        "conversations, deep": lambda: console.conversations(None, deep),
        "conversations, open": lambda: console.conversations("open", deep),
        "conversations, redirected (none)": lambda: console.conversations("redirected", Page()),
        "conversations, warned (none)": lambda: console.conversations("warned", Page()),
        "conversations, ended": lambda: console.conversations("ended", Page()),
        "conversations, ended, deep": lambda: console.conversations("ended", deep),
        "ends, newest": lambda: console.ends(Page(), {}),
        "ends, one filter": lambda: console.ends(Page(), {"model": "m1"}),
        "ends, three filters, deep": lambda: console.ends(deep, filters),
        "ends, reopened (none)": lambda: console.ends(Page(), {}, reopened=True),
        "near misses": lambda: console.events("press.denied", Page()),
        "crisis vetoes, deep": lambda: console.events("turn.support", deep),
        "names for filters": console.names,
        "one conversation": lambda: console.ladder(f"conv_{77:024d}", 2**62, 200),
        "find a message": lambda: console.find("msg_aaaaaaaaaaaaaaaaaaaaaaaa"),
        "find a request": lambda: console.find("req_nobody"),
    }


async def timed(ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Median and worst milliseconds of some rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), max(times)


async def measure(path: Path, events: int) -> None:
    """Fill, count, ask, print."""
    screen, database = Screen(), SQLite(path)
    SQLStore(database)
    start = time.perf_counter()
    fill(database, events)
    filled = time.perf_counter() - start
    console = Console(database)
    start = time.perf_counter()
    counted = await console.count(most=events)
    took = time.perf_counter() - start
    table = Table("page", "median ms", "worst ms", title=f"{events:,} events, {path.stat().st_size / 1e6:,.0f} MB")
    for name, ask in pages(console).items():
        middle, worst = await timed(ask)
        table.add_row(name, f"{middle:.2f}", f"{worst:.2f}")
    screen.print(table)
    screen.print(
        f"filled in {filled:.0f} s; {counted:,} events counted in {took:.1f} s, once; from then on what is new"
    )
    database.close()


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="keep the file here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(given.keep or Path(folder) / "console.sqlite3", given.events))


if __name__ == "__main__":
    main()
