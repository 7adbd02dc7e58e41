"""Replay recorded conversations, turn by turn, through the guard with the recorded replies, and see what would happen.

in, one line each:   {"id": ..., "messages": [{"role", "content"}, ...]}
out with --json:     {"id", "final": "open|redirected|warned|ended", "warned_at", "ended_at", "crisis_at": turn or null,
                      "decisions": [...]}   (turn 1 is the first user message)

Recorded replies rarely press the button, so without --assist the ladder stops at `redirected`.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from quitbutton.cli.judges import Session, add_config, tables_of
from quitbutton.cli.rows import Row, answered, lines_of
from quitbutton.cli.serve import ASSESSORS
from quitbutton.core.judges import JudgeSettings
from quitbutton.core.rules import Policy
from quitbutton.interfaces import Assessor
from quitbutton.settings import load_policy
from quitbutton.simulation import simulate
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.wiring import Judges, assessor_named

SHOWN = 40
"""Conversations listed in the readable table; the totals count all."""


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
    add_config(parser)
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON line a conversation, not a table")


def run(given: argparse.Namespace) -> int:
    """Simulate every row."""
    policy = load_policy(given.policy) if given.policy else Policy()
    policy = replace(policy, assist=True) if given.assist else policy
    tables = tables_of(given.config)
    assessor_named(given.assessor, judges=Judges(tables))
    rows = answered(lines_of(given.file), start, (policy, given.assessor, tables), answer)
    if given.as_json:
        failed = 0
        for row in rows:
            failed += "error" in row
            print(json.dumps(row, ensure_ascii=False))
        return 1 if failed else 0
    return _table(list(rows))


class _Doors:
    session: Session
    policy: Policy
    assessor: Assessor


def start(policy: Policy, assessor: str, tables: Mapping[str, JudgeSettings]) -> None:
    """Make this process ready."""
    _Doors.session = Session(tables, always=False)
    _Doors.policy = policy
    judges = _Doors.session.judges
    _Doors.assessor = assessor_named(assessor, policy.assess_timeout, judges, policy.panel)


def answer(row: Row) -> Row:
    """One conversation, in a store of its own."""
    store = SQLStore(SQLite(":memory:"))
    try:
        return _Doors.session.run(simulate(row, _Doors.policy, _Doors.assessor, store))
    finally:
        store.close()


def _table(rows: list[Row]) -> int:
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
    return 1 if finals["unreadable"] else 0
