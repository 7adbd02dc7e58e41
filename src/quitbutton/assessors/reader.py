"""The first reader: a message in 24 logits, by the tuned multilingual encoder and its heads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from quitbutton.assessors.branch import (
    ABUSE,
    CONCERN,
    HARM,
    IN_CONTEXT,
    QUIET,
    RISK,
    RUDE,
    Layer,
    Read,
    Standpoints,
)
from quitbutton.assessors.crisis import crisis_statement
from quitbutton.assessors.encoder import Encoder, Floats
from quitbutton.assessors.heads import Heads
from quitbutton.assessors.normal import fold
from quitbutton.core.provenance import words_of

AGAINST, FOR = [ABUSE, RUDE, HARM, IN_CONTEXT], [RISK, CONCERN]
"""What speaks against a user, which only their own words can; and what speaks for help, which all of a message can."""
NOTHING = np.zeros(512, dtype=np.float32)
SPACE = re.compile(r"[\s!-/:-@\[-`{-~]+")
"""Blanks and ASCII punctuation: what a disguise may add without being one."""


class Seen(NamedTuple):
    """One text as the encoder sees it: enough to be read in any context."""

    hidden: tuple[Floats, ...]
    """The hidden layer of each window."""
    vector: Floats
    """The first window's vector: what later messages have as their context."""


class Reading(NamedTuple):
    """A message by whose words it holds. A text that says the same as another is the same object."""

    own: Seen | None
    """What the author says themselves; None where that is nothing."""
    whole: Seen | None
    aloud: tuple[Seen, ...]
    """What is read for a crisis: all but other people's words, and the same without its disguise."""
    sign: str | None
    """A plain statement of danger that a rule found."""
    plea: Seen | None = None
    """That statement by itself: rudeness beside it, or a long text around it, drowns it in the whole."""


class Reader:
    """Encoder, heads and the weights of the branch, loaded at first use."""

    def __init__(self, heads: Heads | None = None) -> None:
        self._given = heads

    @cached_property
    def heads(self) -> Heads:
        """The trained heads."""
        return self._given or Heads.load("reader")

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, its upper layers tuned."""
        return Encoder(self.heads.arrays)

    @cached_property
    def layer(self) -> Layer:
        """The reader of the branch."""
        return Layer.of(self.heads.arrays)

    def load(self) -> None:
        """Read all weights now instead of at the first message."""
        _ = self.encoder, self.layer

    @property
    def meta(self) -> dict[str, Any]:
        """What is known of the weights: version, data, thresholds."""
        return self.heads.meta

    def read(self, text: str) -> Reading:
        """A message, split by whose words it holds."""
        parts = words_of(text)
        seen: dict[str, Seen] = {}

        def once(part: str) -> Seen | None:
            part = part.strip()
            if not part:
                return None
            if part not in seen:
                seen[part] = self.see(part)
            return seen[part]

        folded = fold(parts.for_crisis)
        aloud = [once(parts.for_crisis)]
        own, whole = once(parts.own), once(text)
        if SPACE.sub("", folded) != SPACE.sub("", parts.for_crisis.lower()):
            aloud.append(once(folded))
            own = once(fold(parts.own)) if own is not None else None
        sign, plea = crisis_statement(folded) or (None, "")
        return Reading(own, whole, tuple(one for one in aloud if one is not None), sign, once(plea))

    def see(self, text: str) -> Seen:
        """One text in windows."""
        heads = self.heads
        encoded = [self.encoder.encode(ids) for ids in self.encoder.windows(text)]
        return Seen(tuple(heads.hidden(one) for one in encoded), encoded[0].vector)

    def logits(self, reading: Reading, before: Sequence[Reading]) -> Floats:
        """A message's logits after those `before` it, of which the last two are its context."""
        spoken = [one.whole.vector for one in before[-2:] if one.whole is not None]
        context = np.mean(spoken, axis=0) if spoken else NOTHING
        if reading.whole is None:
            return QUIET
        out = self._of(reading.whole, context)
        if reading.own is None:
            out[AGAINST] = QUIET[AGAINST]
        elif reading.own is not reading.whole:
            out[AGAINST] = np.minimum(out[AGAINST], self._of(reading.own, context)[AGAINST])
        aloud = [out if one is reading.whole else self._of(one, context) for one in reading.aloud]
        out[FOR] = np.max([one[FOR] for one in aloud], axis=0) if aloud else QUIET[FOR]
        return out

    def _of(self, seen: Seen, context: Floats) -> Floats:
        """The logits of a text: of a long one the first window's, the heads' at their highest over all."""
        heads = self.heads
        rows = []
        for hidden in seen.hidden:
            row = heads.out(hidden)
            rows.append(np.concatenate([row[:IN_CONTEXT], [heads.in_context(hidden, context)], row[IN_CONTEXT:]]))
        out = np.asarray(rows[0], dtype=np.float32)
        strongest = [ABUSE, RUDE, HARM, IN_CONTEXT, RISK, CONCERN]
        out[strongest] = np.max(rows, axis=0)[strongest]
        return out

    def branch(self, readings: Sequence[Reading]) -> Read:
        """What was read in the messages of a branch, each after those before it. There is at least one."""
        logits = [self.logits(one, readings[max(0, place - 2) : place]) for place, one in enumerate(readings)]
        return Read(
            np.stack(logits), np.stack([NOTHING if one.whole is None else one.whole.vector for one in readings])
        )

    def by_itself(self, seen: Seen) -> Standpoints:
        """What a text is as the only message of a branch."""
        return self.standpoints(Read(self.alone(seen)[None], seen.vector[None]))

    def alone(self, seen: Seen) -> Floats:
        """The logits of a text before which nothing was said."""
        return self.logits(Reading(seen, seen, (seen,), None), ())

    def standpoints(self, read: Read) -> Standpoints:
        """What the branch makes of its newest message."""
        return self.layer.standpoints(read)
