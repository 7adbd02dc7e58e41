"""The result as a table, a page, figures and curves."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.table import Table

from tests.soak.check import JUDGED, thirds
from tests.soak.run import Result

WIDTH, HEIGHT, LEFT, TOP = 720, 180, 60, 28
COLOURS = ("#2563eb", "#dc2626", "#059669", "#9333ea")


def quantile(values: Sequence[float], share: float) -> float:
    """Milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3 if ordered else 0.0


def rows(done: Result) -> Iterator[tuple[str, str]]:
    """The lines of the summary."""
    counts, every = done.counts, done.slots
    yield "minutes", f"{done.seconds / 60:.1f}"
    if done.capacity:
        yield "measured, as fast as it goes", f"{done.capacity:.0f} calls a second"
    yield "load", f"{done.rate:.0f} calls a second"
    yield "CPU of the gateway", f"{done.cpu:.2f} of a core"
    yield "calls", f"{counts.results.total():,}"
    yield from ((f"  {name}", f"{count:,}") for name, count in sorted(counts.results.items()))
    yield "events on record", f"{counts.kinds.total():,}"
    yield from ((f"  {name}", f"{count:,}") for name, count in sorted(counts.kinds.items()))
    yield "cancelled before the request's id was told", f"{counts.left_early:,}"
    yield "receipts of stops", f"{counts.receipts:,}"
    yield "connections opened, most calls at once", f"{done.connections:,}, {done.most_at_once:,}"
    for name, kind in (("whole reply", "whole"), ("first byte of a stream", "first")):
        values = [value for slot in every for value in getattr(slot, kind)]
        yield f"{name}: p50, p99", f"{quantile(values, 0.5):.1f} ms, {quantile(values, 0.99):.1f} ms"
    for place, (begin, end) in enumerate(done.windows, 1):
        yield f"restart {place}: at, took", f"{begin - done.begun:.0f} s, {end - begin:.1f} s"
    for name in JUDGED:
        second, last = thirds(done.memory, name)
        yield f"memory ({name}): second third, last third", f"{second:.1f} MB, {last:.1f} MB ({last / second - 1:+.1%})"
    yield "audit trail", counts.audit
    yield "violations", str(len(done.found))


def table(lines: Iterator[tuple[str, str]]) -> Table:
    """For the terminal."""
    made = Table("what", "how much")
    for line in lines:
        made.add_row(*line)
    return made


def figures(done: Result, seed: int, store: str) -> dict[str, object]:
    """Everything that the page is made of."""
    slots = [
        {
            "calls": slot.calls,
            **{f"whole_p{share}_ms": round(quantile(slot.whole, share / 100), 2) for share in (50, 99)},
            **{f"first_p{share}_ms": round(quantile(slot.first, share / 100), 2) for share in (50, 99)},
            "errors": dict(slot.errors),
        }
        for slot in done.slots
    ]
    memory = [{"at": round(at, 1), **{name: round(size, 2) for name, size in now.items()}} for at, now in done.memory]
    errors = [
        {"at": round(at - done.begun, 2), "result": result, "said": said} for at, result, said in done.counts.errors
    ]
    restarts = [[round(begin - done.begun, 2), round(end - done.begun, 2)] for begin, end in done.windows]
    told = {"seed": seed, "store": store, "slot_seconds": done.slot, "restarts": restarts, "summary": dict(rows(done))}
    return {**told, "slots": slots, "memory": memory, "errors": errors, "violations": done.found}


def write(done: Result, seed: int, store: str, page: Path) -> None:
    """The page, and beside it its figures and its curves."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.with_suffix(".json").write_text(json.dumps(figures(done, seed, store), indent=1) + "\n")
    page.with_suffix(".svg").write_text(curves(done))
    lines = "\n".join(f"| {name.strip()} | {value} |" for name, value in rows(done))
    wrong = "\n".join(f"- {one}" for one in done.found) or "None."
    page.write_text(
        PAGE.format(lines=lines, wrong=wrong, name=page.stem, store=store, python=platform.python_version(), seed=seed)
    )


PAGE = """# A soak: a steady load, and the database restarted under it

Written by `make soak SEED={seed}` ([figures]({name}.json)), {store}, Python {python}, two cores for everything. How it goes
and what is checked: [the store](../store.md#how-does-it-do-over-time).

| what | how much |
| --- | --- |
{lines}

![latency and memory over time]({name}.svg)

## Violations

{wrong}
"""


def curves(done: Result) -> str:
    """Latency and memory over time; the restarts are grey."""
    times = [(place + 0.5) * done.slot for place in range(len(done.slots))]
    latency = {
        name: list(zip(times, [quantile(getattr(slot, kind), share) for slot in done.slots], strict=True))
        for name, kind, share in (
            ("whole p50", "whole", 0.5),
            ("whole p99", "whole", 0.99),
            ("first byte p50", "first", 0.5),
            ("first byte p99", "first", 0.99),
        )
    }
    memory = {name: [(at, now[name]) for at, now in done.memory] for name in ("rss", "pss", "own")}
    parts = [_plot(done, latency, "milliseconds", 0), _plot(done, memory, "megabytes of the gateway", HEIGHT + 70)]
    size = f'width="{WIDTH + LEFT + 20}" height="{2 * (HEIGHT + 70)}"'
    style = "<style>text{font:12px sans-serif;fill:#475569}</style>"
    back = '<rect width="100%" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{back}{"".join(parts)}</svg>\n'


def _plot(done: Result, lines: dict[str, list[tuple[float, float]]], title: str, down: float) -> str:
    most = max((value for line in lines.values() for _, value in line), default=1.0) * 1.1 or 1.0
    x: Callable[[float], float] = lambda at: LEFT + WIDTH * min(1.0, at / done.seconds)  # noqa: E731
    y: Callable[[float], float] = lambda value: down + TOP + HEIGHT * (1 - value / most)  # noqa: E731
    out = [f'<text x="{LEFT}" y="{down + 16}">{title}</text>']
    for begin, end in done.windows:
        wide = max(2.0, x(end - done.begun) - x(begin - done.begun))
        out.append(
            f'<rect x="{x(begin - done.begun):.1f}" y="{down + TOP}" width="{wide:.1f}" height="{HEIGHT}" fill="#cbd5e1"/>'
        )
    for step in range(5):
        value = most * step / 4
        out.append(f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e2e8f0"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.4g}</text>')
        minutes = done.seconds * step / 240
        out.append(f'<text x="{x(minutes * 60):.1f}" y="{y(0) + 16:.1f}" text-anchor="middle">{minutes:.3g} min</text>')
    for place, (name, line) in enumerate(lines.items()):
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in line)
        colour = COLOURS[place]
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        out.append(f'<text x="{LEFT + 180 + 120 * place}" y="{down + 16}" style="fill:{colour}">{name}</text>')
    return "".join(out)
