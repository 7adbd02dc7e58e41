"""What people said, kept apart from what was decided: an event holds a salted digest, the words can be erased.

The digest is SHA-256 over the salt (32 random bytes) and the words in UTF-8. Without the salt nobody can test a guess
against it, so that erasing words and salt leaves nothing personal, and every proof about the event valid.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.transitions import CLIMBING, Rung


class Retention(StrEnum):
    """Whose words are kept."""

    NONE = "none"
    """Nobody's: addresses and verdicts alone."""
    EXITS = "exits"
    """Those of turns on a ladder: redirected, warned, ended, and what was said from there on until it is forgiven; and what
    models explain when they press."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class KeptWords:
    """One message as it is kept."""

    speaker: str
    """`user`, `reply`, or `press`: the explanation that a model gave when it pressed the button."""
    text: str
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    @property
    def digest(self) -> str:
        """What stands in the event."""
        return digest_of(self.salt, self.text)


def digest_of(salt: bytes, text: str) -> str:
    """The salted digest of words, in hex."""
    return hashlib.sha256(salt + text.encode("utf-8", "surrogatepass")).hexdigest()


def keeps_words(retention: Retention, decision: Decision) -> bool:
    """Whether the words of a turn are kept. A crisis alone is on no ladder."""
    if retention is not Retention.EXITS:
        return retention is Retention.ALL
    return decision.after.rung is not Rung.OPEN or decision.action in CLIMBING


def words_to_keep(
    retention: Retention, decision: Decision, asked: str, said: str, explained: str = ""
) -> tuple[KeptWords, ...]:
    """The words of a turn that its retention allows; `explained` is what a press gave as its explanation.

    A press is an attempt to leave, so `exits` keeps its explanation also where it was denied and nobody is on a ladder.
    """
    if retention is Retention.NONE:
        return ()
    pairs = [("press", explained)]
    if keeps_words(retention, decision):
        pairs = [("user", asked), ("reply", said), *pairs]
    return tuple(KeptWords(speaker, text) for speaker, text in pairs if text)
