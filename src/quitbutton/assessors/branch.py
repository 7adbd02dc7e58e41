"""Judges the branch, not the turn: what was read in each user message of a branch becomes four scores of the newest one.

One message says little: a rude word, a dark joke. That the same goes on, in earnest and at the same target, says much. So
each score is a linear reader over the newest message and over what the messages before it add up to, later ones counting
more: a sequential test after Wald 1945, with learned weights. It never turns a harmless message into a serious one: to its
own abuse and harm the messages before it add no more than `RAISED`.
"""

from __future__ import annotations

from typing import NamedTuple

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
AT_FAULT = slice(0, 2)
"""The scores that speak against the user: abuse and harm. What speaks for help is never held down."""
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


def features_of(read: Floats) -> Floats:
    """What the four scores look at, for the newest of the messages `read`: shape (messages, 24) to (40,)."""
    now, before = read[-1], read[:-1]
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
        ]
    ).astype(np.float32)


def standpoints_of(read: Floats, weights: Floats, bias: Floats) -> Standpoints:
    """The four scores of the newest message; `weights` has the shape (40, 4)."""
    scores, alone = (features_of(said) @ weights + bias for said in (read, read[-1:]))
    scores[AT_FAULT] = np.minimum(scores[AT_FAULT], alone[AT_FAULT] + RAISED)
    return Standpoints(*scores.tolist())
