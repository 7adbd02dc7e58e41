"""Writes what was measured as tables into a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.assessors.rows import FALSELY, FOUND

BEGIN, END = "<!-- compared: begin -->", "<!-- compared: end -->"
TITLE, NEXT = "## Beside others", "## Known failures"
Line = Mapping[str, Any]
NOTHING = "–"
MEASURED = """\
`make compare`, {date}, on {machine}, one thread, other work beside it. English rows, the same for all;
ours never learned from them or their families (left-out folds; on ToxicChat the shipped weights). Figures in
[compared.json](compared.json).
"""
OTHERS = """\
**Assessors.** The first four columns are the share found, the others the share falsely called abuse or harm, or a crisis
where the column says so; rows in brackets; – where an assessor does not claim to know. Each decides by its own defaults.
Crisis rows speak of self-harm or distress, each source by itself in the JSON. What guards against injection flag counts
as harm; what ours calls a crisis, as neither abuse nor
harm. ms: the processor's time a message, in the median.
"""
CURVES = """\
Who finds more at the price of more false alarms is not better for it. So here is ours, its threshold moved until it raises no
more false alarms than the other does, on clean rows of the same sort:
"""


def told(share: Sequence[int] | None) -> str:
    """A share in three digits."""
    return NOTHING if share is None else f"{share[0] / share[1]:.3f}"


def number(value: float | None) -> str:
    """A figure in two digits that count."""
    if value is None:
        return NOTHING
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}" if value > 0 else "0"


def megabytes(value: float | None) -> str:
    """A size, not finer than a tenth."""
    return "<0.1" if value is not None and value < 0.1 else number(value)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def counts(lines: Sequence[Line]) -> dict[str, int]:
    """How many rows each column has."""
    out: dict[str, int] = {}
    for line in lines:
        out |= {name: share[1] for name, share in line.get("shares", {}).items() if share}
    return out


def others_table(lines: Sequence[Line]) -> list[str]:
    """Every assessor on the same rows."""
    pools, rows_of = [pool.name for pool in (*FOUND, *FALSELY)], counts(lines)
    head = [
        "assessor",
        "meant for",
        *(f"{name} ({rows_of.get(name, 0)})" for name in pools),
        "ms",
        "MB to download / installed",
    ]
    rows = []
    for line in lines:
        name = f"`{line['name']}` {line.get('version', '')}".strip()
        if "reason" in line:
            rows.append([name, line["meant"], f"not measured: {line['reason']}", *[""] * (len(head) - 3)])
            continue
        size = f"{megabytes(line.get('download'))} / {megabytes(line.get('installed'))}"
        rows.append(
            [name, line["meant"], *(told(line["shares"][pool]) for pool in pools), number(line.get("ms")), size]
        )
    return table(head, rows)


def is_ahead(pair: Mapping[str, Any]) -> bool:
    """True where the other finds more than ours does at no more false alarms."""
    return bool(pair["theirs"] > pair["ours"])


def beside_table(lines: Sequence[Line]) -> list[str]:
    """What ours finds at the false alarms of each other, on the rows of its own kind."""
    head = ["assessor", "kind", "its false alarms", "it finds", "ours finds at no more", "ahead"]
    rows = [
        [
            f"`{line['name']}`",
            pair["kind"],
            f"{pair['false']} of {pair['negatives']}",
            f"{pair['theirs']:.3f}",
            f"{pair['ours']:.3f}",
            line["name"] if is_ahead(pair) else "ours" if pair["ours"] > pair["theirs"] else "neither",
        ]
        for line in lines
        for pair in line.get("beside", ())
    ]
    return table(head, rows)


def summary(lines: Sequence[Line]) -> str:
    """Where another is ahead of ours, said outright."""
    pairs = [(line["name"], pair) for line in lines for pair in line.get("beside", ())]
    if not pairs:
        return "Not yet compared at equal false alarms: our own scores are missing."
    ahead = [
        f"`{name}` on {pair['kind']} ({pair['theirs']:.3f} against {pair['ours']:.3f})"
        for name, pair in pairs
        if is_ahead(pair)
    ]
    if not ahead:
        return f"In none of these {len(pairs)} comparisons does another find more than ours at its own false alarms."
    return f"Of these {len(pairs)} comparisons another is ahead in {len(ahead)}: {'; '.join(ahead)}."


def notes(lines: Sequence[Line]) -> list[str]:
    """What did not go as planned, so that no figure is read for more than it is."""
    out = [f"- `{line['name']}`: {note}." for line in lines for note in line.get("notes", ())]
    for line in lines:
        if line.get("failed"):
            out.append(f"- `{line['name']}` failed on {line['failed']} messages; they count as not flagged.")
    return ["", *out] if out else []


def section(result: Mapping[str, Any]) -> str:
    """All that stands between the markers; where nothing was measured yet, no table."""
    others, out = result.get("others"), [MEASURED.format(**result)]
    if others:
        out += [OTHERS, *others_table(others), "", CURVES, *beside_table(others), "", summary(others), *notes(others)]
    return "\n".join(out)


def place(page: str, content: str) -> str:
    """The page with new content between the markers; the section is put before the known failures where it is missing."""
    if BEGIN not in page:
        begin = page.find(NEXT)
        before, after = (page, "") if begin < 0 else (page[:begin], page[begin:])
        page = f"{before.rstrip()}\n\n{TITLE}\n\n{BEGIN}\n{END}\n\n{after}".rstrip() + "\n"
    return f"{page.split(BEGIN)[0]}{BEGIN}\n{content}\n{END}{page.split(END, 1)[1]}"


def write(result: Mapping[str, Any], page: Path) -> None:
    """Render into a page."""
    page.write_text(place(page.read_text(encoding="utf-8"), section(result)), encoding="utf-8")
