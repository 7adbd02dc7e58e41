"""What all benchmarks share: medians over rounds with their spread, tables, and the file of results."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

import quitbutton

RESULTS = Path(__file__).parent.parent / "docs" / "benchmarks"
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the rounds: its median, its lowest and its highest."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Of at least one value."""
        several = sorted(values)
        return cls(statistics.median(several), several[0], several[-1])

    @property
    def told(self) -> str:
        """As a cell of a table."""
        if self.low == self.high:
            return number(self.middle)
        return f"{number(self.middle)} ({number(self.low)}–{number(self.high)})"


Figures = dict[str, Spread]


class Rounds:
    """Collects the figures of each thing that is measured, round after round."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, ...], dict[str, list[float]]] = {}

    def add(self, *place: str, **figures: float) -> None:
        """Note the figures of one round."""
        known = self._values.setdefault(place, {})
        for name, value in figures.items():
            known.setdefault(name, []).append(value)

    def figures(self) -> dict[tuple[str, ...], Figures]:
        """Every figure over its rounds."""
        return {
            place: {name: Spread.of(values) for name, values in named.items()} for place, named in self._values.items()
        }

    def plain(self) -> dict[str, Any]:
        """The same as JSON: nested by place, each figure `[median, lowest, highest]`."""
        out: dict[str, Any] = {}
        for place, figures in self.figures().items():
            inner = out
            for name in place:
                inner = inner.setdefault(name, {})
            inner |= {name: [rounded(one.middle), rounded(one.low), rounded(one.high)] for name, one in figures.items()}
        return out


def spread(plain: Sequence[float]) -> Spread:
    """A figure as it was read from a file of results."""
    return Spread(*plain)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of values in order."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else math.nan


def rounded(value: float) -> float:
    """Four digits that count."""
    return float(f"{value:.4g}") if math.isfinite(value) else 0.0


def number(value: float) -> str:
    """A figure in two or three digits that count, thousands set apart."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        digits = 2 - math.floor(math.log10(abs(value)))
        return f"{round(value, min(0, digits)):,.0f}"
    return f"{value:.{max(0, 1 - math.floor(math.log10(abs(value))))}f}"


def machine() -> dict[str, Any]:
    """What it was measured on; no names."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": " ".join(model.split()),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(memory / 1e6),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "quitbutton": quitbutton.__version__,
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except OSError:
        return []


def save(folder: Path, name: str, command: str, settings: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    """Write the results of one benchmark beside the page."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"command": command, "machine": machine(), "settings": dict(settings), **figures}
    (folder / f"{name}.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", "utf-8")


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: names to the left, figures to the right."""
    table = Table(title=title, title_justify="left")
    for place, name in enumerate(head):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 160
    Console(width=width).print(table)


def progress() -> Progress:
    """A bar that no thread draws: it moves when it is told to, so that it takes nothing from what is measured."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
