"""`quitbutton assess evaluate --second NAME`: how often a second reader says yes on labelled conversations."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from quitbutton.cli.judges import Session
from quitbutton.cli.rows import Row, answered, lines_of
from quitbutton.core.errors import SettingsError
from quitbutton.core.judges import JudgeFormat, JudgeSettings
from quitbutton.core.second import SecondAnswer
from quitbutton.evaluation.second import COLUMNS, NOTE, Read, asked_of, rows_of
from quitbutton.interfaces import SecondReader
from quitbutton.replay.simulate import decoded
from quitbutton.settings.installation import PREFIX
from quitbutton.turn.assess import read_branch
from quitbutton.turn.review import Second
from quitbutton.wiring import Judges, second_reader_named

NAMES = "auto (the same as none here), none, scripted, a judge of the settings file, or MODEL@URL"
UPSTREAM = "upstream"
"""What a reader given as MODEL@URL is called."""
KEY = PREFIX + "UPSTREAM_KEY"
SECONDS = 120.0
"""Nobody waits for a reply here: a reader may take its time."""


def with_upstream(name: str, tables: Mapping[str, JudgeSettings]) -> tuple[str, dict[str, JudgeSettings]]:
    """The name of a second reader and the judges' tables; `MODEL@URL` is a judge of its own: a model of any upstream."""
    model, _, url = name.rpartition("@")
    if not model or not url.startswith(("http://", "https://")):
        return name, dict(tables)
    key = KEY if os.environ.get(KEY) else None
    return UPSTREAM, {**tables, UPSTREAM: JudgeSettings(JudgeFormat.INSTRUCT, url, model, key, timeout=SECONDS)}


def second_for(name: str, judges: Judges, seconds: float) -> Second | None:
    """The second reader of a command; None where the name says that there is none. Raises `SettingsError`."""
    reader = second_reader_named(name, judges)
    return Second(name, reader, seconds) if reader is not None else None


def evaluate_second(files: list[Path], name: str, tables: Mapping[str, JudgeSettings]) -> int:
    """Print how often a second reader says yes, by kind of conversation; 1 when there are rows that cannot be read."""
    name, known = with_upstream(name, tables)
    if second_reader_named(name, Judges(known)) is None:
        raise SettingsError("There is no second reader to measure: name a judge of the settings file, or MODEL@URL.")
    if not files:
        raise SettingsError("Name at least one FILE of labelled conversations (JSON lines, also gzipped).")
    lines = [line for file in files for line in lines_of(file)]
    told = list(answered(lines, start, (name, known), answer))
    failed = [row for row in told if "error" in row]
    reads = [Read(**{**row, "answer": SecondAnswer(row["answer"])}) for row in told if "error" not in row]
    console = Console(width=170)
    table = Table(*COLUMNS, title=f"the second reader {name}", caption=NOTE)
    for cells in rows_of(reads):
        table.add_row(*cells)
    console.print(table)
    if failed:
        console.print(f"{len(failed)} rows could not be read: {failed[0]['error']}")
    return 1 if failed else 0


class _Doors:
    session: Session
    reader: SecondReader


def start(name: str, tables: Mapping[str, JudgeSettings]) -> None:
    """Make this process ready."""
    _Doors.session = Session(tables)
    reader = second_reader_named(name, _Doors.session.judges)
    if reader is None:
        raise SettingsError(f"There is no second reader {name} in this process.")
    _Doors.reader = reader


def answer(row: Row) -> Row:
    """One conversation's answer."""
    asked = asked_of(row)
    messages = decoded(row["messages"][: asked.messages])
    began = time.perf_counter()
    reading = _Doors.session.run(read_branch(_Doors.reader, messages, SECONDS))
    return {
        "group": asked.group,
        "answer": reading.answer.value,
        "at_risk": reading.at_risk,
        "seconds": time.perf_counter() - began,
    }
