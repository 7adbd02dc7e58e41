"""What a reader of a source makes of one line of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from training.data.rows import CLEAN, HARM, UNKNOWN, Raw, Targets, before, said_by_user


class Lesson(NamedTuple):
    """One text of a line."""

    text: str
    targets: Targets
    weight: float = 1.0
    group: str | None = None
    """None: the line's id."""
    context: tuple[str, ...] = ()
    target: int = UNKNOWN
    mode: int = UNKNOWN
    kind: str = ""
    language: str | None = None
    """None: the line's label `lang`, or English."""


Reader = Callable[[Raw], Iterable[Lesson]]


def newest(raw: Raw) -> str:
    """The newest user message."""
    return said_by_user(raw)[-1]


def request(raw: Raw, is_harmful: bool, weight: float = 1.0, group: str | None = None) -> list[Lesson]:
    """A request to an assistant: harmful, or clean in every respect."""
    kind = "harm" if is_harmful else "clean"
    return [Lesson(newest(raw), HARM if is_harmful else CLEAN, weight, group, kind=kind)]


def turns(
    targets: Targets, weight: float, most: int | None = None, kind: str = "clean", has_context: bool = True
) -> Reader:
    """A reader that takes the first `most` user messages, each with those before it."""

    def read(raw: Raw) -> list[Lesson]:
        said = said_by_user(raw)
        return [
            Lesson(text, targets, weight, context=before(said, place) if has_context else (), kind=kind)
            for place, text in enumerate(said[:most])
        ]

    return read
