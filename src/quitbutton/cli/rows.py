"""JSON lines in and out for the commands that read conversations: in order, over all cores, with a progress bar."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from quitbutton.core.errors import QuitbuttonError, SettingsError

Row = dict[str, Any]
BATCH = 32
"""Rows that travel together to a worker."""
MIN_POOL = 100
"""Rows from which on starting workers pays."""


def answered(
    lines: Iterable[str], start: Callable[..., None], arguments: tuple[Any, ...], answer: Callable[[Row], Row]
) -> Iterator[Row]:
    """The answer to each row, in order. `start(*arguments)` readies a process, `answer(row)` runs in it.

    A line that is no JSON object, or that `answer` refuses with one of our errors, becomes `{"id", "error"}`.
    """
    rows = [line for line in lines if line.strip()]
    if len(rows) < MIN_POOL or (os.cpu_count() or 1) == 1:
        start(*arguments)
        yield from _shown((_one(answer, line) for line in rows), len(rows))
        return
    # Fresh processes: a forked one would share the threads of the models half way.
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=start, initargs=arguments) as pool:
        yield from _shown(pool.map(_Answer(answer), rows, chunksize=BATCH), len(rows))


class _Answer:
    def __init__(self, answer: Callable[[Row], Row]) -> None:
        self._answer = answer

    def __call__(self, line: str) -> Row:
        return _one(self._answer, line)


def _one(answer: Callable[[Row], Row], line: str) -> Row:
    identity: object = None
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            return {"id": None, "error": "the line is not a JSON object"}
        identity = row.get("id")
        return answer(row)
    except (ValueError, RecursionError) as error:
        return {"id": identity, "error": f"the line is not JSON: {error}"}
    except QuitbuttonError as error:
        return {"id": identity, "error": str(error)}


def _shown(answers: Iterable[Row], total: int) -> Iterator[Row]:
    console = Console(stderr=True)
    hidden = not console.is_terminal
    yield from track(answers, description="reading", total=total, console=console, disable=hidden, transient=True)


def plainly(error: Exception, file: Path | None = None) -> str:
    """What is wrong with a file, without the number that the system has for it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{file or error.filename} cannot be read: {error.strerror}"
    return f"{file} cannot be read: {error}" if file else str(error)


def lines_of(file: Path) -> list[str]:
    """The lines of a file, also gzipped; of standard input for `-`. Raises `SettingsError`."""
    if str(file) == "-":
        return sys.stdin.read().split("\n")
    try:
        data = file.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SettingsError(f"{plainly(error, file)}.") from error
    return text.split("\n")
