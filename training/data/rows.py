"""One text to learn from: its targets, how much it counts, and what it must not be split from."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Raw = dict[str, Any]
"""A line of a data file."""
Targets = Mapping[str, int]
"""1 or 0 by head. A head that is missing is unknown and learns nothing from the row."""

HEADS = ("abuse", "rude", "harm", "risk", "concern")
"""Serious abuse of the assistant or hate; rudeness to it; a serious request for harm; a clear crisis; any crisis."""
TARGETS = ("assistant", "person", "group", "thing", "self", "nobody")
MODES = ("earnest", "play", "quoted", "task")
HAZARDS = ("violent", "nonviolent", "sex", "weapons", "hate", "privacy", "deception")
UNKNOWN = -1
"""A target, mode or hazard that is not known."""

CALM: Targets = {"risk": 0, "concern": 0}
CLEAN: Targets = {"abuse": 0, "rude": 0, "harm": 0, **CALM}
HARM: Targets = {"harm": 1, "rude": 0, **CALM}


@dataclass(frozen=True, slots=True)
class Row:
    """One message of a user."""

    text: str
    source: str
    family: str
    """Sources of one origin or style. A fold leaves out whole families."""
    group: str
    """Rows that are near copies of one another or depend on one another: a conversation, a template, a goal."""
    targets: Targets
    weight: float = 1.0
    """Zero: measured on, never learned from."""
    language: str = "en"
    context: tuple[str, ...] = ()
    """The user's messages before it, at most two, oldest first."""
    target: int = UNKNOWN
    mode: int = UNKNOWN
    hazard: int = UNKNOWN
    kind: str = ""
    conversation: str = ""
    turn: int = field(default=0)
    """Place among the user messages of its conversation."""

    @property
    def is_authored(self) -> bool:
        """Whether one of the project's writers wrote it."""
        return self.family.startswith("author_")


def read(folder: Path, name: str) -> Iterator[Raw]:
    """The lines of `NAME.jsonl` or `NAME.jsonl.gz`. Raises `FileNotFoundError` where there is neither."""
    path = next((path for path in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz") if path.exists()), None)
    if path is None:
        raise FileNotFoundError(f"no {name}.jsonl or {name}.jsonl.gz in {folder}")
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def said_by_user(raw: Raw) -> list[str]:
    """What the user said, oldest first."""
    return [message["content"] for message in raw["messages"] if message["role"] == "user"]


def before(said: list[str], place: int) -> tuple[str, ...]:
    """The at most two messages before the one at `place`."""
    return tuple(said[max(0, place - 2) : place])
