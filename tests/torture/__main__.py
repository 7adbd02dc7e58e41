"""The long form: `make torture` (MINUTES=10 SEED=1 RUNS=0 BROKEN= KEEP=folder), and `--check FILE` for a kept history."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.torture.broken import WAYS
from tests.torture.checker import violations
from tests.torture.history import load
from tests.torture.replicas import PRODUCT, Stage
from tests.torture.run import FOREVER, Result, torture
from tests.torture.words import CRISIS

SHOWN = 20
"""Violations that are shown; the history holds all."""


def main() -> int:
    """Torture, sum up, and keep the history where something was wrong; 1 then."""
    given = options()
    console = Console()
    if given.check:
        return tell(console, violations(load(given.check)))
    seed = given.seed or random.SystemRandom().randrange(1, 1 << 31)
    console.print(f"seed {seed}", highlight=False)
    done = tortured(given, seed, console)
    console.print(summary(done))
    console.print(by_protocol(done))
    if not done.found:
        return 0
    given.keep.mkdir(parents=True, exist_ok=True)
    kept = given.keep / f"torture-{seed}.jsonl"
    done.history.save(kept)
    console.print(f"seed {seed}, history {kept}", highlight=False, soft_wrap=True)
    return tell(console, done.found)


def options() -> argparse.Namespace:
    """What was asked for."""
    given = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    given.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    given.add_argument("--seed", type=int, default=0, help="of all dice; a new one where none is given")
    given.add_argument("--runs", type=int, default=0, help="end after so many groups of branches, if that is sooner")
    given.add_argument("--broken", choices=WAYS, help="torture a gateway that is broken in this way")
    given.add_argument("--keep", type=Path, default=Path("."), help="where a history with violations is saved")
    given.add_argument("--check", type=Path, metavar="FILE", help="only look through a history that was saved")
    return given.parse_args()


def tortured(given: argparse.Namespace, seed: int, console: Console) -> Result:
    """The run, with its progress."""
    bar = (TextColumn("{task.description:<56}"), BarColumn(), TimeElapsedColumn())
    program = ("tests.torture.broken", given.broken) if given.broken else PRODUCT
    with tempfile.TemporaryDirectory() as folder, Progress(*bar, console=console) as progress:
        task = progress.add_task("starting", total=given.minutes * 60)
        stage = Stage(Path(folder), program=program)

        def told(calls: int, faults: Counter[str], seconds: float) -> None:
            words = f"{calls} calls, {sum(faults.values())} faults"
            progress.update(task, description=words, completed=seconds)

        try:
            return torture(stage, seed, given.minutes * 60, given.runs or FOREVER, tell=told)
        finally:
            progress.update(task, description="closing")
            stage.close()


def summary(done: Result) -> Table:
    """What happened, counted."""
    table = Table("what", "how many", title=f"{done.seconds / 60:.1f} minutes")
    for name, count in rows(done):
        table.add_row(name, f"{count:,}")
    return table


def by_protocol(done: Result) -> Table:
    """The turns of each protocol, by what was told of them, and how often the model was asked."""
    turns = [op for op in done.history.ops if op.kind == "turn"]
    results = sorted({op.result for op in turns})
    posts = Counter(post.op for post in done.history.posts)
    table = Table("turns in", "in all", "streamed", *results, "ends told", "in a crisis", "requests to the model")
    for name in sorted({op.protocol for op in turns}):
        own = [op for op in turns if op.protocol == name]
        told = Counter(op.result for op in own)
        more = (sum(op.decision == "end" for op in own), sum(op.path[-1].startswith(CRISIS) for op in own))
        counts = (len(own), sum(op.stream for op in own), *(told[one] for one in results), *more)
        table.add_row(name, *(f"{count:,}" for count in (*counts, sum(posts[op.id] for op in own))))
    return table


def rows(done: Result) -> Iterator[tuple[str, int]]:
    """The lines of the summary."""
    ops, faults = done.history.ops, done.faults
    yield "calls", len(ops)
    for (kind, result), count in sorted(Counter((op.kind, op.result) for op in ops).items()):
        yield f"  {kind}: {result}", count
    recorded = {event.message for event in done.history.events if event.op and event.kind != "turn.refuse"}
    yield "turns on record", len(recorded)
    yield "ends", len(done.history.ends)
    yield "  of them reopened", sum(done.history.ends.values())
    yield "faults", sum(faults.values())
    yield from ((f"  {name}", count) for name, count in sorted(faults.items()))
    yield "unknown outcomes", sum(op.result in ("unknown", "maybe") for op in ops)
    yield "violations", len(done.found)


def tell(console: Console, found: list[str]) -> int:
    """Show what is wrong; the exit status."""
    for violation in found[:SHOWN]:
        console.print(f"x {violation}", highlight=False, markup=False, soft_wrap=True)
    if len(found) > SHOWN:
        console.print(f"and {len(found) - SHOWN} more")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
