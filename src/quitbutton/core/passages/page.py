"""A message while its passages are told apart: who speaks in each character, and what is left to look at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum

FILLER = "\ufffc"
"""Stands in `Page.left` for every character that a passage has taken."""
UNTAKEN = re.compile(f"[^{FILLER}]+")
BLANK_LINE = re.compile(r"\n[ \t\r]*\n\s*")


class Kind(IntEnum):
    """Whose words a passage holds."""

    OWN = 0
    """The author's."""
    MARKED = 1
    """Set apart, but nothing shows that they are somebody else's."""
    FOREIGN = 2
    """Shown to be somebody else's, or the material of a task."""
    MARKUP = 3
    """Nobody's: quotation marks, fences, tags."""


PAINT = tuple(bytes((kind,)) for kind in Kind)
Span = tuple[int, int, Kind]
"""First character, the one after the last, and whose words these are."""


def lowered(text: str) -> str:
    """The text in lower case, no longer and no shorter: places in it are places in the text."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := char.lower()) == 1 else char for char in text)


class Page:
    """One message. Passages that are found first win: later ones only get what is `left`."""

    __slots__ = ("apart", "kinds", "left")

    def __init__(self, text: str) -> None:
        self.left = lowered(text)
        """The text in lower case; what has been taken is filler."""
        self.kinds = bytearray(len(text))
        self.apart: list[tuple[int, int]] = []
        """Passages that are closed and marked: a task near by makes them foreign."""

    def take(self, spans: Iterable[Span]) -> None:
        """Give away spans, which come in order. Characters that were given away before stay as they are."""
        parts: list[str] = []
        done, is_new = 0, FILLER not in self.left
        for start, end, kind in spans:
            begin = max(start, done)
            if end <= begin:
                continue
            parts += (self.left[done:begin], FILLER * (end - begin))
            for first, last in ((begin, end),) if is_new else self._untaken(begin, end):
                self.kinds[first:last] = PAINT[kind] * (last - first)
            done = end
        if parts:
            self.left = "".join((*parts, self.left[done:]))

    def _untaken(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        return (run.span() for run in UNTAKEN.finditer(self.left, start, end))

    def recast(self, start: int, end: int, kind: Kind) -> None:
        """Give a passage that was marked to somebody else."""
        self.kinds[start:end] = PAINT[kind] * (end - start)

    def runs(self) -> Iterator[Span]:
        """The whole message as spans, each as long as its kind lasts."""
        for run in re.finditer(rb"\x00+|\x01+|\x02+|\x03+", self.kinds):
            yield run.start(), run.end(), Kind(self.kinds[run.start()])


def paragraphs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The spans between blank lines."""
    for gap in BLANK_LINE.finditer(text, start, end):
        yield start, gap.end()
        start = gap.end()
    if start < end:
        yield start, end


def end_of_paragraph(text: str, start: int) -> int:
    """Where the next blank line begins, or the text ends."""
    gap = BLANK_LINE.search(text, start)
    return gap.start() if gap else len(text)
