"""Progress bars on the error stream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
CONSOLE = Console(stderr=True)


def bar(several: Sequence[T], what: str) -> Iterable[T]:
    """The same items, with a bar that says how many are done."""
    return track(several, what, console=CONSOLE, disable=not CONSOLE.is_terminal)


def say(line: str) -> None:
    """One line about what was done."""
    CONSOLE.print(line, highlight=False)
