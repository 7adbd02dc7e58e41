"""Ways in which people hide words from a filter, for measuring how far normalisation sees through them. Seeded."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable

WORD = re.compile(r"[A-Za-z]{4,}")
LEET = str.maketrans("aeiost", "431057")
GREEK = str.maketrans("aeopcxyAEOPCXY", "аеорсхуАЕОРСХУ")


def _words(text: str, change: Callable[[str], str], share: float = 0.6) -> str:
    dice = random.Random(text)
    return WORD.sub(lambda match: change(match[0]) if dice.random() < share else match[0], text)


DISGUISES: dict[str, Callable[[str], str]] = {
    "leetspeak": lambda text: _words(text, lambda word: word.translate(LEET)),
    "spaced letters": lambda text: _words(text, " ".join, 0.3),
    "look-alike letters": lambda text: _words(text, lambda word: word.translate(GREEK)),
    "zero-width characters": lambda text: _words(text, "\u200b".join),
    "full-width letters": lambda text: _words(text, lambda word: "".join(chr(ord(char) + 0xFEE0) for char in word)),
    "stretched letters": lambda text: _words(text, lambda word: word[:2] + word[1] * 3 + word[2:], 0.4),
    "capitals": str.upper,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
}
"""By name: from a text to the same text, disguised."""
