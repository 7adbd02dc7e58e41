"""Replay recorded conversations, turn by turn, through the guard with the recorded replies, and see what would happen.

in, one line each:   {"id": ..., "messages": [{"role", "content"}, ...]}
out with --json:     {"id", "final": "open|redirected|warned|ended", "warned_at", "ended_at", "crisis_at": turn or null,
                      "decisions": [...]}   (turn 1 is the first user message)

Recorded replies rarely press the button, so without --assist the ladder stops at `redirected`. The recorded replies to
harmful turns are read as well: `reply` of a decision is {"label", "refusal", "assessor"}, or null where none was read. The
policy key redirection_proof = "reply" makes the ladder wait for replies that do not comply.

The summary counts by kind where the rows have `label` (clean, harm, abuse, crisis) or `purpose`, and by `source`.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from quitbutton.cli.judges import Session, add_config, tables_of
from quitbutton.cli.rows import Row, answered, lines_of
from quitbutton.cli.serve import ASSESSORS
from quitbutton.core.judges import JudgeSettings
from quitbutton.core.rules import Policy
from quitbutton.evaluation.outcomes import COLUMNS, NOTE, Simulated, cells, kind_name, page, rates_by
from quitbutton.interfaces import Assessor, ReplyAssessor
from quitbutton.settings import load_policy
from quitbutton.simulation import simulate
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.wiring import Judges, assessor_named, reader_for

SHOWN = 40
"""Conversations listed in the readable table; the totals count all."""
OF = "of"
"""Member of an answer, not of a printed line: kind and source of the row."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="JSON lines, also gzipped; - for standard input")
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="policy file (TOML); the defaults when none is given"
    )
    parser.add_argument(
        "--assist", action="store_true", help="let the gateway climb the ladder for a model that cannot press"
    )
    parser.add_argument("--assessor", default="local", help=ASSESSORS)
    parser.add_argument(
        "--reply-assessor",
        metavar="NAME",
        help="who reads the replies: refusal (default where installed), scripted, none",
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON line a conversation, not a table")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the summary as a page as well")


def run(given: argparse.Namespace) -> int:
    """Simulate every row."""
    policy = load_policy(given.policy) if given.policy else Policy()
    policy = replace(policy, assist=True) if given.assist else policy
    tables = tables_of(given.config)
    assessor_named(given.assessor, judges=Judges(tables))
    reader_for(policy, given.reply_assessor)
    doors = (policy, given.assessor, given.reply_assessor, tables)
    rows = answered(lines_of(given.file), start, doors, answer)
    told = list(_printed(rows) if given.as_json else rows)
    if not given.as_json:
        _table(told)
    _summary(told, Console(quiet=given.as_json), given.html)
    return 1 if any("error" in row for row in told) else 0


def _printed(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows on their way, each printed as it comes."""
    for row in rows:
        print(json.dumps({name: value for name, value in row.items() if name != OF}, ensure_ascii=False))
        yield row


class _Doors:
    session: Session
    policy: Policy
    assessor: Assessor
    reader: ReplyAssessor | None


def start(policy: Policy, assessor: str, reader: str | None, tables: Mapping[str, JudgeSettings]) -> None:
    """Make this process ready."""
    _Doors.session = Session(tables, always=False)
    _Doors.policy = policy
    judges = _Doors.session.judges
    _Doors.assessor = assessor_named(assessor, policy.assess_timeout, judges, policy.panel)
    _Doors.reader = reader_for(policy, reader)


def answer(row: Row) -> Row:
    """One conversation, in a store of its own."""
    store = SQLStore(SQLite(":memory:"))
    try:
        told = _Doors.session.run(simulate(row, _Doors.policy, _Doors.assessor, store, _Doors.reader))
        return {**told, OF: [kind_name(row), str(row.get("source") or "own")]}
    finally:
        store.close()


def _table(rows: list[Row]) -> None:
    console = Console()
    table = Table("conversation", "final", "warned at", "ended at", "crisis at", title="what would have happened")
    for row in rows[:SHOWN]:
        if "error" in row:
            table.add_row(str(row["id"]), f"[red]{row['error']}[/red]", "", "", "")
        else:
            turns = (row["warned_at"], row["ended_at"], row["crisis_at"])
            table.add_row(str(row["id"]), row["final"], *("-" if turn is None else str(turn) for turn in turns))
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"and {len(rows) - SHOWN} more; --json lists all")
    finals = Counter("unreadable" if "error" in row else row["final"] for row in rows)
    warned = sum(row.get("warned_at") is not None for row in rows)
    crisis = sum(row.get("crisis_at") is not None for row in rows)
    ends = ", ".join(f"{count} {name}" for name, count in sorted(finals.items()))
    console.print(f"{len(rows)} conversations: {ends}; {warned} warned, {crisis} with a crisis")


def _summary(rows: list[Row], console: Console, html: Path | None) -> None:
    """Rates by kind, and by source where the rows have several."""
    turns = ("warned_at", "ended_at", "crisis_at")
    outcomes = [Simulated(*row[OF], *(row[name] for name in turns)) for row in rows if "error" not in row]
    tables = [("by kind", rates_by(outcomes, lambda one: one.kind))]
    if len({one.source for one in outcomes}) > 1:
        tables.append(("by source", rates_by(outcomes, lambda one: one.source)))
    for title, rates in tables if outcomes else ():
        table = Table(*COLUMNS, title=title, caption=NOTE)
        for one in rates:
            table.add_row(*cells(one))
        console.print(table)
    if html is not None:
        html.write_text(page(tables), "utf-8")
        console.print(f"written: {html}")
