"""Move an installation to another database: from SQLite to PostgreSQL, or back.

  quitbutton store copy .quitbutton/quitbutton.sqlite3 postgresql://quitbutton@db.example.org/quitbutton

Stop the gateways first: what they record meanwhile is not copied. The target must be new. Every table is counted and
digested on the way, then read again and compared. Keep `audit.key` and `audit-head.note`: they sign the trail,
and remember how far it had come.
"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from quitbutton.core.errors import SettingsError
from quitbutton.stores.copying import Copied, copy
from quitbutton.stores.migrate import migrate
from quitbutton.wiring import database_at, tables_at


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=["copy"], metavar="{copy}", help="what to do")
    parser.add_argument("source", metavar="FROM", help="SQLite file, or postgresql://USER@HOST/DATABASE")
    parser.add_argument("target", metavar="TO", help="the same; a password is best given in PGPASSWORD")


def run(given: argparse.Namespace) -> int:
    """Copy, and say what was copied."""
    if ":memory:" in (given.source, given.target):
        raise SettingsError("A store in memory is its own process's alone. Name a file or a URL.")
    if given.source == given.target:
        raise SettingsError("FROM and TO are the same store.")
    with tables_at(given.source)(False):
        pass  # a source that is not there is told of before a target is made
    _prepare(given.target)
    for one in _copied(given.source, given.target):
        print(f"{one.table:<16} {one.rows:>12,} rows  {one.digest[:16]}")
    print(
        "Every table is the same in both. Set `store` to the target; keep audit.key and audit-head.note in the data folder."
    )
    return 0


def _copied(source: str, target: str) -> list[Copied]:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bars: dict[str, TaskID] = {}

        def tells(table: str, done: int, rows: int) -> None:
            if table not in bars:
                bars[table] = progress.add_task(table, total=rows)
            progress.update(bars[table], completed=done)

        return copy(tables_at(source), tables_at(target), tells)


def _prepare(place: str) -> None:
    database = database_at(place)
    try:
        migrate(database)
    finally:
        database.close()
