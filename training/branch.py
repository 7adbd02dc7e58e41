"""Fits the layer over the branch and the thresholds, from scores of networks that learned neither the row nor its author."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from quitbutton.assessors.branch import ABUSE, RUDE, features_of
from quitbutton.assessors.heads import sigmoid
from quitbutton.assessors.local import LOOK_BACK, Thresholds
from training.data.authored import Talk, is_rude
from training.data.rows import Row
from training.folds import OF_FAMILY
from training.progress import bar

Floats = NDArray[np.float32]
STANDPOINTS = ("abuse", "harm", "danger", "worry")
"""As `Standpoints` and `Truth` name them."""
STRENGTH = 0.1
"""Inverse of the L2 penalty."""
ALLOWED = {"abuse": 0.015, "harm": 0.03, "clear": 0.01, "possible": 0.035, "look_back": 0.07, "rude": 0.05}
"""Share of the user messages in everyday conversations that may be called so; as to a crisis, of those without one."""
SCORE_OF = {"abuse": 0, "harm": 1, "clear": 2, "possible": 3, "look_back": 3}


@dataclass(frozen=True, slots=True)
class Layer:
    """Linear readers over the branch's features: weights (45, 4) and bias (4)."""

    weights: Floats
    bias: Floats

    def scores(self, read: Floats) -> Floats:
        """The four standpoints after each of the messages read: (messages, 24) to (messages, 4), logits."""
        return branch_features(read) @ self.weights + self.bias

    def single(self, read: Floats) -> Floats:
        """The four standpoints of messages that have nothing before them: (messages, 24) to (messages, 4)."""
        return np.stack([features_of(row[None]) for row in read]) @ self.weights + self.bias


@dataclass(frozen=True, slots=True)
class Scored:
    """A conversation with what was read in it by models that did not learn its author."""

    talk: Talk
    logits: Floats
    """(messages, 24)"""
    scores: Floats
    """(messages, 4): the standpoints, as logits."""


def branch_features(read: Floats) -> Floats:
    """What the layer looks at after each message, as served: (messages, 45)."""
    return np.stack([features_of(read[max(0, end - LOOK_BACK) : end]) for end in range(1, len(read) + 1)])


def logits_by_talk(rows: Sequence[Row], logits: Floats, talks: Sequence[Talk]) -> list[Floats]:
    """The logits of each conversation's messages, in order."""
    places: dict[str, dict[int, int]] = defaultdict(dict)
    for place, row in enumerate(rows):
        if row.conversation:
            places[row.conversation][row.turn] = place
    return [logits[[places[talk.id][turn] for turn in range(len(talk.said))]] for talk in talks]


def layer_of(features: Floats, truths: NDArray[np.int64]) -> Layer:
    """Fit the four readers."""
    middle, spread = features.mean(0), features.std(0) + 1e-6
    scaled = (features - middle) / spread
    weights, bias = [], []
    for column in truths.T:
        model = LogisticRegression(C=STRENGTH, max_iter=400).fit(scaled, column)
        weights.append(model.coef_[0] / spread)
        bias.append(model.intercept_[0] - (model.coef_[0] / spread) @ middle)
    return Layer(np.array(weights, np.float32).T, np.array(bias, np.float32))


def fitted(talks: Sequence[Talk], logits: Sequence[Floats]) -> tuple[Layer, list[Scored]]:
    """The layer over all conversations, and each conversation scored by a layer that was fitted without its author."""
    features = [branch_features(read) for read in bar(logits, "branches")]
    truths = [truths_of(talk) for talk in talks]

    def without(author: str) -> Layer:
        kept = [place for place, talk in enumerate(talks) if talk.author != author]
        return layer_of(np.concatenate([features[at] for at in kept]), np.concatenate([truths[at] for at in kept]))

    layers = {author: without(author) for author in bar(sorted({talk.author for talk in talks}), "authors")}
    scored = [
        Scored(talk, read, seen @ layers[talk.author].weights + layers[talk.author].bias)
        for talk, read, seen in zip(talks, logits, features, strict=True)
    ]
    return without(""), scored


def truths_of(talk: Talk) -> NDArray[np.int64]:
    """The four truths of each message."""
    return np.array([[getattr(one, name) for name in STANDPOINTS] for one in talk.truths()], np.int64)


def thresholds_of(scored: Iterable[Scored], allowed: Mapping[str, float] = ALLOWED) -> Thresholds:
    """The thresholds at which everyday conversations are called no more often than allowed."""
    everyday = [one for one in scored if one.talk.kind == "everyday"]
    scores = np.concatenate([one.scores for one in everyday])
    calm = np.concatenate([truths_of(one.talk)[:, STANDPOINTS.index("worry")] == 0 for one in everyday])
    polite = np.concatenate([[not is_rude(label) for label in one.talk.labels] for one in everyday])
    logits = np.concatenate([one.logits for one in everyday])
    rudeness = np.maximum(logits[:, ABUSE], logits[:, RUDE])[polite]

    def limit(name: str) -> float:
        if name == "rude":
            values = rudeness
        else:
            values = scores[:, SCORE_OF[name]]
            values = values if name in ("abuse", "harm") else values[calm]
        return round(float(sigmoid(np.quantile(values, 1 - allowed[name]))), 6)

    return Thresholds(**{name: limit(name) for name in allowed})


def thresholds_by_fold(scored: Sequence[Scored]) -> dict[int, Thresholds]:
    """For each fold the thresholds that the authors of the other folds give."""
    return {
        fold: thresholds_of(one for one in scored if OF_FAMILY[one.talk.family] != fold)
        for fold in sorted(set(OF_FAMILY.values()))
    }
