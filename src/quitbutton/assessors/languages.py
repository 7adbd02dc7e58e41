"""Which writing the readers cannot read at all: scripts that none of their languages uses."""

from __future__ import annotations

import re

READ = (
    "\u0000-\u024f\u1e00-\u1eff"  # Latin
    "\u0300-\u036f"  # marks
    "\u0400-\u052f"  # Cyrillic
    "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc"  # Arabic
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # Korean
    "\u2e80-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"  # Chinese and Japanese
    "\U00020000-\U0003ffff"
)
"""Character ranges of the scripts of the languages over the floor in docs/assessors.md. Thai is read, but was not measured
well enough."""
STRANGE = re.compile(rf"[^\W\d_{READ}]")
LEAST = 4
"""Letters of another script from which on a message is taken to say something in it; fewer are symbols or a name."""


def is_other_script(text: str) -> bool:
    """True where a message says something in a script that the readers were never taught."""
    return not text.isascii() and len(STRANGE.findall(text)) >= LEAST


ENGLISH = frozenset(
    "a an and are as at be but do for i i'm in is it me my no not of on or so that the this to was what with you your".split()  # noqa: SIM905
)

"""The most frequent words: two of them, and a quarter of a message, make it English."""


def is_english(text: str) -> bool:
    """True where a message is plainly English, whatever a learned head says of its language."""
    words = text.lower().replace("\u2019", "'").split()
    found = sum(word.strip('.,!?:;"()') in ENGLISH for word in words)
    return found >= 2 and found * 4 >= len(words)
