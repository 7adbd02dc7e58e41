"""What users say in a soak: single turns, growing conversations, and climbs up the ladder to an end and beyond it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

TEXT = "This sentence stands for an ordinary message of a person. "
KINDS = {"single": 45, "growing": 40, "harmful": 15}
LONGEST = 10
REPEATED = 0.03
"""How often an answered request is sent again as it was."""
STREAMED, CANCELLED, LEAVES = 0.5, 0.15, 0.11
"""Shares of streams, and of those that are cancelled, within so many seconds."""


@dataclass
class Conversation:
    """One user's, on the way."""

    user: str
    kind: str
    left: int
    """Turns still to be taken."""
    said: list[bytes] = field(default_factory=list)
    """Messages, as JSON."""
    tries: int = 0
    """How often to try once more after the end."""
    repeats: bool = False

    def next(self, dice: random.Random, number: int) -> tuple[bytes, bool]:
        """The next request, and whether it is a stream. Its number is in the name of the model, which the record keeps."""
        if not self.repeats:
            harmful = self.kind == "harmful" and dice.random() < 0.9
            words = ("[abuse] you again " if harmful else "") + f"{len(self.said)} " + TEXT * dice.randint(1, 5)
            self.said.append(json.dumps({"role": "user", "content": words}).encode())
        streams = dice.random() < STREAMED
        presses = self.kind == "harmful" and dice.random() < 0.9
        model, more = f"{number}.{'p' if presses else 'q'}", b',"stream":true' if streams else b""
        head = b'{"model":"%b","safety_identifier":"%b","messages":[' % (model.encode(), self.user.encode())
        return b"%b%b]%b}" % (head, b",".join(self.said), more), streams

    def hear(self, dice: random.Random, result: str, state: str) -> None:
        """What came of it, and with that what comes next."""
        self.left -= 1
        if result == "refused":
            self.tries -= 1
            self.left, self.repeats = self.tries, dice.random() < 0.5
            if not self.repeats:
                self._reply()
            return
        if result == "answered" and state == "ended":
            self.left = self.tries = dice.randint(1, 3)
        self.repeats = result in ("uncounted", "maybe") or (result == "answered" and dice.random() < REPEATED)
        if self.repeats:
            self.left += 1
        else:
            self._reply()

    def _reply(self) -> None:
        self.said.append(b'{"role":"assistant","content":"Let us talk of something else."}')


def begun(dice: random.Random, number: int) -> Conversation:
    """A new conversation."""
    kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
    length = {"single": 1, "growing": dice.randint(2, LONGEST), "harmful": LONGEST}[kind]
    return Conversation(f"u{number}", kind, length)


def patience(dice: random.Random, streams: bool) -> float | None:
    """After how many seconds the client hangs up; None: it does not."""
    return dice.uniform(0, LEAVES) if streams and dice.random() < CANCELLED else None
