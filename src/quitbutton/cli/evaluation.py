"""`quitbutton assess evaluate` and `calibrate`: how good an assessor is on labelled rows, which thresholds cost least."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from quitbutton.cli.judges import Session
from quitbutton.cli.rows import Row, answered, lines_of
from quitbutton.core.errors import SettingsError
from quitbutton.core.judges import JudgeSettings
from quitbutton.evaluation.measures import COST, by_group, cheapest, crisis_pairs, harmful_pairs, latency
from quitbutton.evaluation.page import COLUMNS, Choice, calibration_page, cells, page
from quitbutton.evaluation.rows import Answer, Kind, kind_of, language_of
from quitbutton.interfaces import Assessor
from quitbutton.replay.simulate import decoded
from quitbutton.wiring import Judges, assessor_named

CRISIS_COST = 1.0
"""A false crisis costs as much as a missed one: a missed one may cost a life, and a false one only ever spares a chat."""


def evaluate(files: list[Path], assessors: list[str], html: Path | None, tables: Mapping[str, JudgeSettings]) -> int:
    """Measure each assessor on the rows; 1 when there are rows that cannot be read."""
    console = Console(width=170)
    named, failed = {}, 0
    for name in assessors:
        answers, wrong = answers_of(files, name, tables)
        named[name], failed = answers, failed + wrong
        median, slow = latency(answers)
        console.print(
            f"\n[bold]{name}[/bold]: {len(answers)} rows, {median * 1e3:.1f} ms (95 %: {slow * 1e3:.1f} ms) a message"
        )
        for title, group in (("by source", "source"), ("by language", "language")):
            table = Table(*COLUMNS, title=f"{title}; 95 % bootstrap intervals, then rows")
            for one in by_group(answers, lambda answer, group=group: getattr(answer, group)):  # type: ignore[misc]
                table.add_row(*cells(one))
            console.print(table)
    if html is not None:
        html.write_text(page(named), "utf-8")
        console.print(f"written: {html}")
    if failed:
        console.print(f"{failed} rows could not be read")
    return 1 if failed else 0


def calibrate(files: list[Path], assessor: str, html: Path | None, tables: Mapping[str, JudgeSettings]) -> int:
    """Print the thresholds of least cost on the rows, as lines of a policy file; as a page with their curves as well."""
    answers, failed = answers_of(files, assessor, tables)
    choices = []
    for key, pairs, cost in (
        ("harmful_at", harmful_pairs(answers), COST),
        ("crisis_at", crisis_pairs(answers), CRISIS_COST),
    ):
        best = cheapest(pairs, cost)
        if best is None:
            print(f"# {key}: the rows hold not both kinds, so nothing can be chosen")
            continue
        choices.append(Choice(key, pairs, cost, best))
        shares = f"finds {best.recall:.3f}, right in {best.precision:.3f}, false in {best.falsely:.4f}"
        print(f"# a false call costs {cost:g} missed ones: {shares}")
        print(f"{key} = {best.threshold:.4f}")
    if html is not None:
        html.write_text(calibration_page(assessor, choices), "utf-8")
        print(f"# written: {html}")
    return 1 if failed else 0


def answers_of(files: list[Path], assessor: str, tables: Mapping[str, JudgeSettings]) -> tuple[list[Answer], int]:
    """What an assessor answers to the labelled rows of the files, and how many rows could not be read."""
    assessor_named(assessor, judges=Judges(tables))
    if not files:
        raise SettingsError("Name at least one FILE of labelled rows (JSON lines, also gzipped).")
    lines: Iterable[str] = [line for file in files for line in lines_of(file)]
    told = list(answered(lines, start, (assessor, tables), answer))
    failed = sum("error" in row for row in told)
    answers = [Answer(**{**row, "kind": Kind(row["kind"])}) for row in told if row.get("kind")]
    if not answers:
        raise SettingsError("No row says what it expects: each needs `label` or `purpose` beside `messages`.")
    return answers, failed


class _Doors:
    session: Session
    assessor: Assessor


def start(assessor: str, tables: Mapping[str, JudgeSettings]) -> None:
    """Make this process ready."""
    _Doors.session = Session(tables)
    _Doors.assessor = assessor_named(assessor, judges=_Doors.session.judges)
    if not _Doors.session.judges.made:  # a judge's model runs elsewhere: nothing to warm up here
        _Doors.session.run(_Doors.assessor.assess(decoded([{"role": "user", "content": "warm up"}])))


def answer(row: Row) -> Row:
    """One row's answer; without a kind where the row expects nothing."""
    kind = kind_of(row)
    if kind is None:
        return {"kind": None}
    messages = decoded(row.get("messages"))
    begun = time.perf_counter()
    verdict = _Doors.session.run(_Doors.assessor.assess(messages))
    return {
        "source": str(row.get("source") or "own"),
        "language": language_of(row),
        "kind": kind.value,
        "label": verdict.label.value,
        "harmful": max(verdict.scores.abuse, verdict.scores.harm),
        "crisis": verdict.scores.crisis,
        "seconds": time.perf_counter() - begun,
    }
