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
"""How many sentences a pattern with slots yields, by file."""
SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, the file and pattern it came from, and what it is."""

    text: str
    file: str
    pattern: str
    label: dict[str, int]
    filled: bool


def sentences(seed: int = 7) -> Iterator[Sentence]:
    """All sentences of all files."""
    for path in sorted(FOLDER.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        slots = content.pop("slots", {})
        chance = random.Random(f"{seed}:{path.stem}")

        def fill(text: str, slots: dict[str, list[str]] = slots, chance: random.Random = chance) -> str:
            return SLOT.sub(lambda match: fill(chance.choice(slots[match[1]])), text)

        for section in content.values():
            for pattern in section["patterns"]:
                filled = SLOT.search(pattern) is not None
                drawn = [fill(pattern) for _ in range(COPIES[path.stem] if filled else 1)]
                for text in sorted(set(drawn)):
                    yield Sentence(text, path.stem, pattern, section["label"], filled)
