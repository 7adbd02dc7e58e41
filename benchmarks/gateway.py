"""What the gateway costs, side by side with bare relays, nginx and LiteLLM in one interleaved run: `make bench`.

Every round runs every target in every case, in a new order. The target has a core of its own, load and provider share
another. Processor time a request is the figure that noise moves least; compare ratios within one run.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.load import LONG, Ask, Requests, Timing, load, looked_at
from benchmarks.measuring import RESULTS, Rounds, number, progress, quantile, save, show, spread
from benchmarks.processes import LOAD_CORE, SERVER_CORE, keep_to, machine_seconds, megabytes, processor_seconds, tree
from benchmarks.provider import PIECES
from benchmarks.targets import (
    BEFORE,
    BEFORE_LOCAL,
    DIRECT,
    EVERYBODY,
    LOCAL,
    POSTGRES,
    RELAY,
    SCRIPTED,
    Absent,
    Stage,
    Target,
)

COMMAND = "python -m benchmarks.gateway"
HISTORIES = (2, 20, 200, 1000)
CONNECTIONS = (1, 16, 64)
HEAVY = 1600
"""Messages times connections over which a slow target is left out."""
MEMORY_AFTER = (10_000, 100_000)
REMEMBERING = (RELAY, SCRIPTED, LOCAL, POSTGRES)
WARM_SECONDS = 0.1
LOADING_SECONDS = 4.0
"""Until weights are read, so that they count from the beginning."""


@dataclass(frozen=True)
class Case:
    """What is asked of every target, and over how many connections."""

    key: str
    ask: Ask
    connections: int

    @property
    def told(self) -> str:
        """In words."""
        ask = self.ask
        way = f"streamed, {ask.pieces or PIECES} pieces" if ask.stream else "whole"
        way += f" {ask.pause} ms apart" if ask.pause else ""
        length = f"{ask.messages} messages" if ask.turns == 1 else f"growing over {ask.turns} turns"
        length += f" of {ask.length} characters" if ask.length != LONG else ""
        return f"{way}, {length}, {self.connections} conn."


WHOLE = [Case(f"whole-{m}-{c}", Ask(m), c) for m in HISTORIES for c in CONNECTIONS]
STREAMED = [Case(f"stream-{m}-16", Ask(m, stream=True), 16) for m in HISTORIES]
STREAMED += [Case(f"stream-2-{c}", Ask(2, stream=True), c) for c in (1, 64)]
PACED = Case("paced-8", Ask(2, stream=True, pieces=40, pause=10), 8)
SATURATED = Case("pieces-64", Ask(2, stream=True, pieces=100, pause=1), 64)
GROWING = Case("turns-16", Ask(2, turns=10), 16)
SHORT = Case("short-16", Ask(2, length=60), 16)
CASES = [*WHOLE, SHORT, GROWING, *STREAMED, PACED, SATURATED]
QUICK = ("whole-2-1", "whole-2-64", "whole-200-16", "turns-16", "paced-8", "pieces-64")


class Bench:
    """The targets that run, and what was measured of them."""

    def __init__(self, targets: Sequence[Target], provider: int, seconds: float) -> None:
        self.targets, self.provider, self.seconds = targets, provider, seconds
        self.rounds = Rounds()
        self.errors: list[str] = []
        self._requests: dict[tuple[Ask, tuple[str, ...]], Requests] = {}

    def requests(self, case: Case, target: Target) -> Requests:
        """Prepared once: building a long history takes longer than sending it."""
        key = (case.ask, target.headers)
        if key not in self._requests:
            self._requests[key] = Requests(case.ask, target.headers)
        return self._requests[key]

    def check(self) -> None:
        """Every target gives the whole answer of its provider, so that nobody is quick by answering less."""
        for target in self.targets:
            for stream in (False, True):
                answer = uvloop.run(looked_at(target.port, Requests(Ask(stream=stream), target.headers)))
                if answer.count(b"word") < PIECES:
                    raise RuntimeError(f"{target.name} gave another answer than its provider: {answer[:500]!r}")

    def measure(self, case: Case, target: Target) -> None:
        """One target in one case, in this round."""
        requests = self.requests(case, target)
        keep_to(SERVER_CORE if target.name == DIRECT else LOAD_CORE, [self.provider])
        seconds = self.seconds * 2 if case.ask.pause else self.seconds
        if not (case.ask.pause or target.slow):
            _run(target, requests, case, min(WARM_SECONDS, seconds))
        database = tree(target.database[0]) if target.database else []
        used, theirs, machine = processor_seconds(target.pids), processor_seconds(database), machine_seconds()
        own = self._own(target)
        begin = time.perf_counter()
        timing = _run(target, requests, case, seconds)
        took = time.perf_counter() - begin
        used, theirs = processor_seconds(target.pids) - used, processor_seconds(database) - theirs
        known = used + theirs + self._own(target) - own
        self.errors += [f"{target.name}, {case.told}: {why}" for why in timing.errors]
        done = len(timing.whole)
        if not done:
            return
        whole, first = sorted(timing.whole), sorted(timing.first)
        figures = {
            "rate": done / timing.wall,
            "per_core": done / max(used, 1e-9),
            "cpu_ms": used / done * 1e3,
            "p50_ms": quantile(whole, 0.5) * 1e3,
            "p99_ms": quantile(whole, 0.99) * 1e3,
            "first_ms": quantile(first, 0.5) * 1e3,
            "others": max(0.0, (machine_seconds() - machine - known) / took),
        }
        if target.database:
            figures["database_ms"] = theirs / done * 1e3
        if case.ask.stream:
            figures["piece_us"] = used / done / (case.ask.pieces or PIECES) * 1e6
        self.rounds.add(case.key, target.name, **figures)

    def _own(self, target: Target) -> float:
        """What load and provider have used."""
        return sum(os.times()[:2]) + (processor_seconds([self.provider]) if target.name != DIRECT else 0.0)


def _run(target: Target, requests: Requests, case: Case, seconds: float) -> Timing:
    gc.disable()
    try:
        return uvloop.run(load(target.port, requests, case.connections, seconds))
    finally:
        gc.enable()


def fits(case: Case, target: Target) -> bool:
    """False for what would take a slow target minutes."""
    return not target.slow or case.ask.messages * case.connections <= HEAVY


def run(
    names: Sequence[str], cases: Sequence[Case], rounds: int, seconds: float, memory_seconds: float, against: str = ""
) -> dict[str, Any]:
    """Everything, as JSON."""
    chance, absent = random.Random(7), {}
    keep_to(LOAD_CORE, [os.getpid()])
    with ExitStack() as stack, progress() as bar:
        stage, targets = Stage(stack, against), []
        for name in names:
            try:
                targets.append(stage.start(name))
            except Absent as why:
                absent[name] = str(why)
        bench = Bench(targets, stage.provider.pid, seconds)
        bench.check()
        idle = {target.name: {"0": held(target)} for target in targets}
        plan = [(case, target) for case in cases for target in targets if fits(case, target)]
        task = bar.add_task("gateway", total=rounds * len(plan))
        for _ in range(rounds):
            for case in cases:
                for target in chance.sample(targets, len(targets)):
                    if fits(case, target):
                        bench.measure(case, target)
                        bar.advance(task)
                        bar.refresh()
    if memory_seconds:
        idle |= {name: memory(name, memory_seconds) for name in REMEMBERING if name in idle}
    measured = bench.rounds.plain()
    told = {case.key: {"told": case.told, "targets": measured.get(case.key, {})} for case in cases}
    versions = {target.name: target.version for target in targets if target.version}
    return {"absent": absent, "versions": versions, "cases": told, "memory_mb": idle, "errors": bench.errors[:20]}


def held(target: Target) -> list[float]:
    """Memory of a target: PSS and RSS."""
    return [round(value, 1) for value in megabytes(target.pids)]


def memory(name: str, most_seconds: float) -> dict[str, list[float]]:
    """Of a target that was just started, and once it has served so many requests of two short messages."""
    with ExitStack() as stack:
        target = Stage(stack).start(name)
        uvloop.run(looked_at(target.port, Requests(SHORT.ask)))
        time.sleep(LOADING_SECONDS)
        found, requests, begin, served = {"0": held(target)}, Requests(SHORT.ask), time.perf_counter(), 0
        for wanted in MEMORY_AFTER:
            while served < wanted and time.perf_counter() - begin < most_seconds:
                served += len(uvloop.run(load(target.port, requests, 64, most=2_000)).whole)
            if served >= wanted:
                found[str(wanted)] = held(target)
        return found


def added(case: dict[str, Any], name: str, figure: str) -> float | None:
    """How much more than the provider itself."""
    targets = case["targets"]
    if DIRECT not in targets or name not in targets or name == DIRECT:
        return None
    return spread(targets[name][figure]).middle - spread(targets[DIRECT][figure]).middle


def print_tables(found: dict[str, Any]) -> None:
    """One line for each case and target."""
    rows = []
    for case in found["cases"].values():
        for place, (name, one) in enumerate(sorted(case["targets"].items(), key=lambda two: two[1]["cpu_ms"][0])):
            more = [added(case, name, figure) for figure in ("p50_ms", "p99_ms")]
            cells = [spread(one[key]).told for key in ("rate", "per_core", "cpu_ms", "p50_ms", "p99_ms", "first_ms")]
            rest = [number(one[key][0]) if key in one else "" for key in ("database_ms", "piece_us")]
            told = ["" if value is None else f"{value:.2f}" for value in more]
            rows.append(["" if place else case["told"], name, *cells, *told, *rest])
    head = ("case", "target", "requests/s", "a core-second", "CPU ms", "p50 ms", "p99 ms", "first ms")
    show("the gateway", (*head, "added p50", "added p99", "database ms", "CPU µs a piece"), rows)
    show(
        "memory, MB: PSS / RSS after so many requests",
        ("target", "0", *map(str, MEMORY_AFTER)),
        [
            [name, *(" / ".join(map(number, after[key])) if key in after else "" for key in ("0", "10000", "100000"))]
            for name, after in found["memory_mb"].items()
        ],
    )
    for told in [*(f"{name} was left out: {why}" for name, why in found["absent"].items()), *found["errors"]]:
        print(told)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="rounds (3)")
    parser.add_argument("--seconds", type=float, help="of each measurement (0.4)")
    parser.add_argument("--memory-seconds", type=float, help="most seconds of a target to 100,000 requests (60)")
    parser.add_argument("--quick", action="store_true", help="one short round of a few cases")
    parser.add_argument("--targets", help=f"some of: {', '.join(EVERYBODY)}")
    parser.add_argument("--against", default="", metavar="REVISION", help="measure quitbutton at another revision too")
    parser.add_argument("--cases", help="some of: " + ", ".join(case.key for case in CASES))
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of gateway.json (docs/benchmarks)")
    given = parser.parse_args()
    if not Path("/proc/self/task").exists():
        parser.error("this needs Linux: what a process uses is read from /proc")
    named = given.cases.split(",") if given.cases else QUICK if given.quick else [case.key for case in CASES]
    cases = [case for case in CASES if case.key in named]
    targets = given.targets.split(",") if given.targets else list(EVERYBODY)
    targets += [BEFORE, BEFORE_LOCAL] if given.against and not given.targets else []
    rounds, seconds = given.rounds or (1 if given.quick else 3), given.seconds or (0.2 if given.quick else 0.4)
    memory = given.memory_seconds if given.memory_seconds is not None else (0.0 if given.quick else 60.0)
    found = run(targets, cases, rounds, seconds, memory, given.against)
    save(given.out, "gateway", COMMAND, {"rounds": rounds, "seconds": seconds}, found)
    print_tables(found)


if __name__ == "__main__":
    main()
