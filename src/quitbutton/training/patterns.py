"""Turns the patterns in `phrases/*.toml` into sentences, the same ones for the same seed."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("phrases")
COPIES = {"abuse": 22, "crisis": 8, "languages": 6, "ordinary": 12, "tasks": 8}
"""How many sentences a pattern with slots yields, by file, where its section does not say."""
SLOT = re.compile(r"\{(\w+)\}")


FRAMED = re.compile(r"\{\w+\} \{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, the file and pattern it came from, what it is, and what it must not be parted from."""

    text: str
    file: str
    pattern: str
    label: dict[str, int | str]
    filled: bool
    group: str
    """The pattern; where that is but a frame and a goal, the goal."""


def sentences(seed: int = 7) -> Iterator[Sentence]:
    """All sentences of all files."""
    for path in sorted(FOLDER.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        slots = content.pop("slots", {})
        chance = random.Random(f"{seed}:{path.stem}")
        for section in content.values():
            copies = section.get("copies") or COPIES.get(path.stem, 8)
            for pattern in section["patterns"]:
                filled = SLOT.search(pattern) is not None
                drawn = [_filled(pattern, slots, chance) for _ in range(copies if filled else 1)]
                for text, group in sorted(set(drawn)):
                    yield Sentence(text, path.stem, pattern, section["label"], filled, group)


def _filled(pattern: str, slots: dict[str, list[str]], chance: random.Random) -> tuple[str, str]:
    chosen: list[str] = []

    def fill(match: re.Match[str]) -> str:
        chosen.append(chance.choice(slots[match[1]]))
        return chosen[-1]

    text = SLOT.sub(fill, pattern)
    group = chosen[1] if FRAMED.match(pattern) else pattern
    while SLOT.search(text):
        text = SLOT.sub(lambda match: chance.choice(slots[match[1]]), text)
    return text, group
