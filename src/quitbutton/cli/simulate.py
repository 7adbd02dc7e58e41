"""Replay recorded conversations, turn by turn, through the guard with the recorded replies, and see what would happen.

in, one line each:   {"id": ..., "messages": [{"role", "content"}, ...]}
out with --json:     {"id", "final": "open|redirected|warned|ended", "warned_at", "ended_at", "crisis_at",
                      "clear_crisis_at": turn or null, "decisions": [...]}   (turn 1 is the first user message)

A decision says what was seen ("verdict", "scores", "target", "mode", "severity", "crisis") and done ("action", "state",
"denial", "reason"). "crisis" is "clear", "possible" or null, as the ladder took it: a second possible sign while the first
holds is a clear one.
`crisis_at` is the first turn with any sign of a crisis, `clear_crisis_at` the first with a clear one.

Recorded replies rarely press the button, so without --assist the ladder stops at `redirected`. The recorded replies to
harmful turns are read as well: `reply` of a decision is {"label", "refusal", "assessor"}, or null where none was read. A turn
whose reply complied does not climb; where the record has no reply, or nobody reads (--reply-assessor none), the model is
taken to have redirected as it is asked to. The policy key redirection_proof = "asked" takes that for granted everywhere.

Before a warning and before an end the assessor looks through the whole branch for a crisis, where it can, and a second reader
is asked, where --second-reader names one: `look` and `second` of a decision are what they said, or null.

With --draft FILE each conversation is replayed under a second policy too, and the lines say what it would change: `draft`
holds the same members, `changed` is true or false. --recorded N takes the newest conversations of the gateway's own record
instead of a file: what was found and pressed then stands, so their words need not be kept.

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
from quitbutton.cli.recorded import recorded_lines
from quitbutton.cli.rows import Row, answered, lines_of
from quitbutton.cli.second import NAMES, second_for, with_upstream
from quitbutton.cli.serve import ASSESSORS
from quitbutton.core.errors import SettingsError
from quitbutton.core.judges import JudgeSettings
from quitbutton.core.ladder.policy import Policy
from quitbutton.evaluation.outcomes import COLUMNS, NOTE, Simulated, cells, kind_name, page, rates_by
from quitbutton.interfaces import Assessor, ReplyAssessor
from quitbutton.replay.recorded import recorded
from quitbutton.replay.simulate import simulate
from quitbutton.settings.installation import load, load_policy
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.turn.review import PATIENCE, Second
from quitbutton.wiring import Judges, assessor_named, reader_for

SHOWN = 40
"""Conversations listed in the readable table; the totals count all."""
TURNS = ("warned_at", "ended_at", "crisis_at")
COMPARED = ("final", *TURNS, "clear_crisis_at")
OF = "of"
"""Member of an answer, not of a printed line: kind and source of the row."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="JSON lines, also gzipped; - for standard input"
    )
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="policy file (TOML); the defaults when none is given"
    )
    parser.add_argument("--draft", type=Path, metavar="FILE", help="a second policy file: what would it change?")
    parser.add_argument(
        "--recorded", type=int, metavar="N", help="the newest N conversations of the record, not a FILE"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the database for --recorded")
    parser.add_argument(
        "--assist", action="store_true", help="let the gateway climb the ladder for a model that cannot press"
    )
    parser.add_argument("--assessor", default="local", help=ASSESSORS)
    parser.add_argument(
        "--reply-assessor",
        metavar="NAME",
        help="who reads the replies: refusal (default where installed, but not beside the scripted assessor), scripted, none",
    )
    parser.add_argument(
        "--second-reader",
        metavar="NAME",
        default="auto",
        help="who must say yes before a warning or an end: " + NAMES,
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON line a conversation, not a table")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the summary as a page as well")


def run(given: argparse.Namespace) -> int:
    """Simulate every row."""
    if (given.file is None) == (given.recorded is None):
        raise SettingsError(
            "Name a FILE of conversations, or --recorded N for the gateway's own; `-` is standard input."
        )
    policies = [load_policy(file) if file else Policy() for file in (given.policy, given.draft)]
    policy, draft = (replace(one, assist=True) if given.assist else one for one in policies)
    tables = tables_of(given.config)
    assessor_named(given.assessor, judges=Judges(tables))
    reader_for(policy, given.reply_assessor, given.assessor)
    second, tables = with_upstream(given.second_reader, tables)
    second_for(second, Judges(tables), PATIENCE)
    readers = (given.assessor, given.reply_assessor, second)
    doors = (policy, draft if given.draft else None, readers, tables)
    lines = lines_of(given.file) if given.file else recorded_lines(load(given.config, data=given.data), given.recorded)
    rows = answered(lines, start, doors, answer)
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
    draft: Policy | None
    assessor: Assessor
    reader: ReplyAssessor | None
    second: Second | None


def start(
    policy: Policy,
    draft: Policy | None,
    readers: tuple[str, str | None, str],
    tables: Mapping[str, JudgeSettings],
) -> None:
    """Make this process ready. `readers` are the names of the assessor, of who reads replies, and of the second reader."""
    assessor, reader, second = readers
    _Doors.session = Session(tables, always=False)
    _Doors.policy, _Doors.draft = policy, draft
    judges = _Doors.session.judges
    _Doors.assessor = assessor_named(assessor, policy.assess_timeout, judges, policy.panel)
    _Doors.reader = reader_for(policy, reader, assessor)
    _Doors.second = second_for(second, judges, max(PATIENCE, _Doors.session.patience))


def answer(row: Row) -> Row:
    """One conversation, under the policy and the draft."""
    told = _under(_Doors.policy, row)
    if _Doors.draft is not None:
        draft = _under(_Doors.draft, row)
        told |= {"draft": draft, "changed": any(told[name] != draft[name] for name in COMPARED)}
    return {**told, OF: [kind_name(row), str(row.get("source") or "own")]}


def _under(policy: Policy, row: Row) -> Row:
    store = SQLStore(SQLite(":memory:"))
    try:
        if "recorded" in row:
            return _Doors.session.run(recorded(row["id"], row["recorded"]).under(policy, store))
        return _Doors.session.run(simulate(row, policy, _Doors.assessor, store, _Doors.reader, _Doors.second))
    finally:
        store.close()


def _table(rows: list[Row]) -> None:
    console = Console()
    is_compared = any("draft" in row for row in rows)
    more = ("under the draft",) if is_compared else ()
    table = Table(
        "conversation", "final", "warned at", "ended at", "crisis at", *more, title="what would have happened"
    )
    rows = sorted(rows, key=lambda row: not row.get("changed", False))
    for row in rows[:SHOWN]:
        if "error" in row:
            table.add_row(str(row["id"]), f"[red]{row['error']}[/red]", "", "", "")
        else:
            turns = ("-" if row[name] is None else str(row[name]) for name in TURNS)
            table.add_row(str(row["id"]), row["final"], *turns, *([_change(row)] if is_compared else []))
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"and {len(rows) - SHOWN} more; --json lists all")
    finals = Counter("unreadable" if "error" in row else row["final"] for row in rows)
    warned = sum(row.get("warned_at") is not None for row in rows)
    crisis = sum(row.get("crisis_at") is not None for row in rows)
    ends = ", ".join(f"{count} {name}" for name, count in sorted(finals.items()))
    console.print(f"{len(rows)} conversations: {ends}; {warned} warned, {crisis} with a crisis")
    if is_compared:
        console.print(f"{sum(row.get('changed', False) for row in rows)} would go another way under the draft")


def _change(row: Row) -> str:
    if not row["changed"]:
        return "the same"
    turns = [f"{name.replace('_', ' ')} {row['draft'][name]}" for name in TURNS if row["draft"][name] is not None]
    return f"[bold]{', '.join([row['draft']['final'], *turns])}[/bold]"


def _summary(rows: list[Row], console: Console, html: Path | None) -> None:
    """Rates by kind, and by source where the rows have several."""
    outcomes = [Simulated(*row[OF], *(row[name] for name in TURNS)) for row in rows if "error" not in row]
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
