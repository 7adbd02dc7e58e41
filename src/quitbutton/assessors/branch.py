"""Judges the branch, not the turn: what was read in each user message of a branch becomes four scores of the newest one.

One message says little: a rude word, a dark joke. That the same goes on, in earnest and at the same target, says much. So
each score is a small reader over the newest message and over what the messages before it add up to, later ones counting
more: a sequential test after Wald 1945, with learned weights. It never turns a harmless message into a serious one: to its
own abuse and harm the messages before it add no more than `RAISED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.heads import sigmoid, softmax

Floats = NDArray[np.float32]

ABUSE, RUDE, HARM, RISK, CONCERN = range(5)
TARGETS, MODES, IN_CONTEXT, ELSEWHERE, HAZARDS = slice(5, 11), slice(11, 15), 15, 16, slice(17, 24)
"""Places in a message's logits: the five heads, whom it is aimed at, how it is meant, harm in the context of what was said
before, a language that the reader was not measured in, kinds of harm."""
FADES = np.float32(0.8)
"""How much of its weight an earlier message keeps with each one that follows."""
FULL = 8
"""Messages after which a branch counts as long."""
RAISED = np.float32(3.0)
"""Most that the messages before add to the newest one's own abuse or harm, as a logit: odds of twenty to one."""
FARTHEST = np.float32(5)
"""Spreads from its middle beyond which a feature counts no further."""
AT_FAULT = slice(0, 2)
"""The scores that speak against the user: abuse and harm. What speaks for help is never held."""
QUIET = np.full(24, -6.0, dtype=np.float32)
"""Logits of a message without words."""


class Standpoints(NamedTuple):
    """What the branch makes of its newest message, as logits."""

    abuse: float
    """Serious abuse of the assistant or hate, in earnest."""
    harm: float
    """A serious request for harm."""
    danger: float
    """A clear crisis."""
    worry: float
    """A crisis, clear or possible."""


class Read(NamedTuple):
    """What was read in the user messages of a branch, oldest first."""

    logits: Floats
    """(messages, 24)"""
    vectors: Floats
    """(messages, 512): what each is about, of length one; zeros where nothing was said."""

    def until(self, end: int) -> Read:
        """The branch as it was after its first `end` messages."""
        return Read(self.logits[:end], self.vectors[:end])

    def newest(self) -> Read:
        """The newest message as if it were the only one."""
        return Read(self.logits[-1:], self.vectors[-1:])


def features_of(read: Read) -> Floats:
    """What the scores of the newest message look at: shape (48,)."""
    now, before = read.logits[-1], read.logits[:-1]
    modes, targets = softmax(now[MODES]), softmax(now[TARGETS])
    abuse, harm = now[ABUSE], now[IN_CONTEXT]
    chances = sigmoid(before[:, [ABUSE, IN_CONTEXT, RUDE, CONCERN, RISK]])
    unearnest = 1 - softmax(before[:, MODES].T)[0] if len(before) else np.zeros(0, np.float32)
    said = np.column_stack([chances, unearnest])
    weights = FADES ** np.arange(len(before) - 1, -1, -1, dtype=np.float32)
    sums = weights @ said
    peaks = said.max(axis=0, initial=0.0)
    last = said[-1] if len(said) else np.zeros(said.shape[1], np.float32)
    return np.concatenate(
        [
            now[[ABUSE, RUDE, HARM, IN_CONTEXT, RISK, CONCERN]],
            modes,
            targets[:5],
            np.stack([sums, peaks, last], axis=1).ravel(),
            [
                min(len(before), FULL) / FULL,
                abuse * sums[0],
                harm * sums[1],
                max(abuse, harm),
                min(now[RISK], -abuse),
                min(now[CONCERN], -harm),
                sigmoid(abuse) * modes[0] * targets[0],
            ],
            _pursuit(harm, chances[:, 1], np.clip(read.vectors[:-1] @ read.vectors[-1], 0, 1), weights),
        ]
    ).astype(np.float32)


def _pursuit(harm: np.floating[Any], asked: Floats, alike: Floats, weights: Floats) -> list[Any]:
    """Whether the newest message goes on about what was asked before: one aim pursued, or six questions about six things.

    `asked` is how likely each earlier message asks for harm, `alike` how near it is to the newest one.
    """
    if not len(alike):
        return [0.0] * 8
    same = asked * alike
    return [
        alike.max(),
        alike[-1],
        alike.mean(),
        same.max(),
        weights @ same,
        harm * same.max(),
        harm * alike.max(),
        weights @ (asked * (1 - alike)),
    ]


@dataclass(frozen=True, slots=True)
class Layer:
    """The reader of the branch: features to the four scores, a linear one beside a small hidden layer (ReLU)."""

    middle: Floats
    """(features,): what is taken from each feature first,"""
    spread: Floats
    """(features,): and what the rest is divided by."""
    hidden: Floats
    """(features, hidden)"""
    hidden_bias: Floats
    out: Floats
    """(hidden, 4)"""
    straight: Floats
    """(features, 4)"""
    bias: Floats
    """(4,)"""

    @classmethod
    def of(cls, arrays: Mapping[str, Floats]) -> Layer:
        """From the arrays of a trained model."""
        return cls(*(arrays[f"branch_{field.name}"] for field in fields(cls)))

    def arrays(self) -> dict[str, Floats]:
        """As `of` reads them."""
        return {f"branch_{field.name}": getattr(self, field.name) for field in fields(self)}

    def scores(self, features: Floats) -> Floats:
        """Logits: (messages, features) to (messages, 4)."""
        scaled = np.clip((features - self.middle) / self.spread, -FARTHEST, FARTHEST)
        hidden = np.maximum(scaled @ self.hidden + self.hidden_bias, 0)
        return np.asarray(hidden @ self.out + scaled @ self.straight + self.bias, dtype=np.float32)

    def standpoints(self, read: Read) -> Standpoints:
        """The four scores of the newest message."""
        return Standpoints(*held(*self.scores(np.stack([features_of(read), features_of(read.newest())]))).tolist())


def held(scores: Floats, alone: Floats) -> Floats:
    """Scores, abuse and harm at most `RAISED` above what the same messages have `alone`: (..., 4)."""
    scores = scores.copy()
    scores[..., AT_FAULT] = np.minimum(scores[..., AT_FAULT], alone[..., AT_FAULT] + RAISED)
    return scores
