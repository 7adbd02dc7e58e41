"""The default assessor beside others: `make compare`.

Each package gets a virtual environment of its own under `.cache/compare`; some of them read pickles, so run this only where
you would run them. What they answer is kept there: a second run asks only for what is new.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from training.data.pool import pool

from benchmarks.assessors import others, rows, tables
from benchmarks.assessors.environments import NotMeasured
from benchmarks.assessors.ours import HeldOut


def machine() -> str:
    """The machine in words: cores and family of the processor, nothing that names it."""
    family = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip()
            for line in info.read_text(encoding="utf-8").splitlines()
            if "model name" in line
        ]
        family = names[0] if names else family
    return f"{os.cpu_count()} cores ({family}), {platform.system()}, Python {platform.python_version()}"


@contextmanager
def bars() -> Iterator[others.Progress]:
    """Progress on the error stream."""
    with Progress(console=Console(stderr=True)) as progress:

        def begin(name: str, total: int) -> Callable[[], None]:
            task = progress.add_task(name, total=total)
            return lambda: progress.advance(task)

        yield begin


def measure(data: Path, cache: Path) -> dict[str, Any]:
    """The tables' figures."""
    try:
        held: HeldOut | str = HeldOut.of(data, cache)
    except NotMeasured as why:
        held = str(why)
    samples = rows.compared(held.rows if isinstance(held, HeldOut) else pool(data), data)
    with bars() as progress:
        found = others.measure(samples, held, progress)
    return {"date": date.today().isoformat(), "machine": machine(), "others": found}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.assessors", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the labelled data files")
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/training"), help="cache of the training: held-out scores"
    )
    parser.add_argument("--results", type=Path, default=Path("docs/compared.json"), help="where the figures are kept")
    parser.add_argument("--page", type=Path, default=Path("docs/assessors.md"), help="where the tables go")
    parser.add_argument("--render", action="store_true", help="write the tables anew from the kept figures")
    given = parser.parse_args()
    kept = json.loads(given.results.read_text(encoding="utf-8")) if given.results.exists() else {}
    if not given.render:
        if given.data is None:
            parser.error("--data is needed to measure")
        kept = measure(given.data, given.cache)
        given.results.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    tables.write(kept, given.page)


if __name__ == "__main__":
    main()
