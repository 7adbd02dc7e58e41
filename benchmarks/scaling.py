"""A capacity model from what was measured: the tables of `docs/scaling.md`, each from the files of results."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from benchmarks.gateway import GROWING, HISTORIES, MEMORY_AFTER, SATURATED, SHORT
from benchmarks.measuring import NOTHING, number
from benchmarks.store import WAITING
from benchmarks.targets import LOCAL, POSTGRES, SCRIPTED
from quitbutton.settings.installation import Settings
from quitbutton.stores.postgres import CONNECTIONS

Results = dict[str, dict[str, Any]]
BUSY = 0.7
"""How far a core is planned to be used: beyond that, waits grow."""
WANTED = 10_000
"""Requests a second."""
REPLY_SECONDS = 5
"""How long a streamed reply is taken to last."""
STREAM_KB = 40
"""Of an open stream (`python -m benchmarks.idle`)."""
NOT_MEASURED = ["Not measured."]


def _figure(found: Results, case: str, target: str, name: str) -> float | None:
    try:
        return float(found["gateway"]["cases"][case]["targets"][target][name][0])
    except KeyError:
        return None


def _told(value: float | None) -> str:
    return NOTHING if value is None else number(value)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    rule = ["---", *(["---:"] * (len(head) - 1))]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def core(found: Results) -> list[str]:
    """What a turn costs a gateway's core, and how many a core takes."""
    if "gateway" not in found:
        return NOT_MEASURED
    cases = [("a conversation that comes back, 2 to 20 messages", GROWING.key)]
    cases += [(f"a new one, {messages:,} messages", f"whole-{messages}-16") for messages in HISTORIES]
    rows = []
    for told, key in cases:
        costs = [_figure(found, key, target, "cpu_ms") for target in (SCRIPTED, LOCAL)]
        takes = [NOTHING if cost is None else number(1000 * BUSY / cost) for cost in costs]
        rows.append([told, _told(costs[0]), takes[0], _told(costs[1]), takes[1]])
    piece = [_figure(found, SATURATED.key, target, "piece_us") for target in (SCRIPTED, LOCAL)]
    rows.append(
        [
            "a streamed piece (turn included, a hundredth each)",
            *(cell for one in piece for cell in (NOTHING if one is None else f"{one / 1000:.3f}", NOTHING)),
        ]
    )
    head = ["a request", "CPU ms, no assessor", f"a second at {BUSY:.0%}", "CPU ms, default assessor"]
    return _table([*head, f"a second at {BUSY:.0%}"], rows)


def assessor(found: Results) -> list[str]:
    """What the default assessor adds."""
    rows = []
    for told, key in (("400 characters", GROWING.key), ("60 characters", SHORT.key)):
        without, with_it = (_figure(found, key, target, "cpu_ms") for target in (SCRIPTED, LOCAL))
        more = None if without is None or with_it is None else with_it - without
        rows.append([f"a new message of {told}, in the gateway", _told(more)])
    for name, one in found.get("assessors", {}).get("assessors", {}).items():
        rows.append([f"{name}, p50 by itself", number(one["p50_us"][0] / 1000)])
    return _table(["the default assessor", "ms"], rows)


def databases(found: Results) -> list[str]:
    """What one database takes, at the biggest size that was measured."""
    if "store" not in found:
        return NOT_MEASURED
    rows = []
    for name, by_size in found["store"]["stores"].items():
        size, one = list(by_size.items())[-1]
        small = next(iter(by_size.values()))
        per_million = found["store"]["megabytes"][name][size] / int(size) * 1e6 / 1000
        rows.append(
            [
                f"{name}, {int(size):,} turns",
                f"{number(one['lookup_p50_us'][0])} / {number(one['lookup_p99_us'][0])}",
                *(number(one[f"records_{waiting}_rate"][0]) for waiting in WAITING),
                number(one[f"durable_{WAITING[-1]}_rate"][0]),
                f"{one['turn_us'][0] / small['turn_us'][0]:.2f}×",
                number(per_million),
            ]
        )
    head = ["one database, one gateway process", "lookup p50 / p99 µs"]
    head += [f"records/s, {waiting} waiting" for waiting in WAITING]
    head += [f"durable/s, {WAITING[-1]} waiting", "turn, beside a small store", "GB a million turns"]
    return _table(head, rows)


def ten_thousand(found: Results) -> list[str]:
    """What so many requests a second need, by what is above."""
    turn = _figure(found, GROWING.key, POSTGRES, "cpu_ms")
    theirs = _figure(found, GROWING.key, POSTGRES, "database_ms")
    plain, local = (_figure(found, GROWING.key, target, "cpu_ms") for target in (SCRIPTED, LOCAL))
    if turn is None or theirs is None or plain is None or local is None:
        return NOT_MEASURED
    piece = _figure(found, SATURATED.key, POSTGRES, "piece_us") or 0.0
    pieces = SATURATED.ask.pieces
    streaming = max(0.0, piece * pieces / 1000 - turn)
    gateway = _cores(turn) + _cores(streaming)
    reading = _cores(local - plain)
    streams = WANTED * REPLY_SECONDS
    workers = max(gateway + reading, math.ceil(streams / Settings().max_turns))
    memory = found["gateway"]["memory_mb"]
    each = _megabytes(memory.get(LOCAL, {}))
    rows = [
        ["turns, no assessor", f"{_cores(turn)} cores", f"{number(turn)} ms a turn on PostgreSQL, at {BUSY:.0%}"],
        ["streaming", f"{_cores(streaming)} cores more", f"{number(streaming)} ms for {pieces} pieces a reply"],
        ["the default assessor", f"{reading} cores more", f"{number(local - plain)} ms a new message, at {BUSY:.0%}"],
        ["database", f"{_cores(theirs)} cores", f"{number(theirs)} ms of PostgreSQL's own a turn, at {BUSY:.0%}"],
        ["open streams", f"{streams:,}", f"{WANTED:,} a second, {REPLY_SECONDS} seconds each"],
        ["workers", f"{workers}", f"one a core; at least {math.ceil(streams / Settings().max_turns)} for `max_turns`"],
        ["connections to the database", f"{workers * CONNECTIONS}", f"{CONNECTIONS} a worker"],
        [
            "memory",
            f"{number(workers * each / 1000 + streams * STREAM_KB / 1e6)} GB",
            f"{number(each)} MB a worker, {STREAM_KB} KB an open stream",
        ],
        ["growth", f"{number(_growth(found))} GB an hour", "turns, conversations and events, which stay"],
    ]
    return _table([f"for {WANTED:,} requests a second", "needs", "because"], rows)


def _cores(milliseconds: float) -> int:
    return math.ceil(WANTED * milliseconds / 1000 / BUSY)


def _megabytes(after: dict[str, list[float]]) -> float:
    """A worker's own memory, after as many requests as were measured."""
    known = [after[key] for key in ("0", *map(str, MEMORY_AFTER)) if key in after]
    return known[-1][0] if known else 0.0


def _growth(found: Results) -> float:
    sizes = found.get("store", {}).get("megabytes", {}).get("PostgreSQL", {})
    if not sizes:
        return 0.0
    size, megabytes = list(sizes.items())[-1]
    return float(megabytes) / int(size) * WANTED * 3600 / 1000


PARTS: dict[str, Callable[[Results], list[str]]] = {
    "core": core,
    "assessor": assessor,
    "databases": databases,
    "ten_thousand": ten_thousand,
}
