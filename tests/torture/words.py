"""What is said in a run: the few messages that users send, and what the model does, as the name of each call asks for."""

from __future__ import annotations

import random
from dataclasses import dataclass

CRISIS = "[crisis]"
KINDS = {"[abuse] you again": 68, "[harm] this": 6, "hello": 20, "[unknown] hm": 3, f"{CRISIS} I cannot go on": 2}
VARIANTS = 2
DEEPEST = 9
BREAKS = {"no": 96, "mute": 2, "cut": 2}
"""What becomes of the model's reply, and how often: it comes, its connection closes without a byte or halfway."""


@dataclass(frozen=True)
class Script:
    """What the model does in one call of a client; it travels in the name of the model, which the record keeps."""

    op: str
    presses: bool
    means_it: bool
    delay: int
    """Milliseconds before each part of its reply."""
    breaks: str = "no"
    """One of `BREAKS`."""

    @property
    def model(self) -> str:
        """The name."""
        return f"{self.op}/{self.presses:d}{self.means_it:d}/{self.delay}/{self.breaks}"


def script_of(model: str) -> Script:
    """What a name asks for."""
    op, does, delay, breaks = model.split("/")
    return Script(op, does[0] == "1", does[1] == "1", int(delay), breaks)


def next_message(dice: random.Random, depth: int) -> str:
    """One of the few things that are said at a depth."""
    kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
    return f"{kind} {depth}{'ab'[dice.randrange(VARIANTS)]}"
