"""Fits the layer over the branch and the thresholds, from scores of networks that learned neither the row nor its author.

Conversations of the project's authors lead; conversations drawn from public rows keep the layer from taking every request
that looks harmful for one. For each fold there is a layer that was fitted without its authors and families.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from quitbutton.assessors.branch import ABUSE, RUDE, features_of
from quitbutton.assessors.heads import sigmoid
from quitbutton.assessors.local import LOOK_BACK, Thresholds
from training.data.authored import Talk, is_rude
from training.data.rows import Row
from training.drawn import Drawn, drawn
from training.folds import FOLDS, OF_FAMILY
from training.progress import bar

Floats = NDArray[np.float32]
STANDPOINTS = ("abuse", "harm", "danger", "worry")
"""As `Standpoints` and `Truth` name them."""
STRENGTH = 0.1
"""Inverse of the L2 penalty."""
PUBLIC_WEIGHT = 0.3
"""How much a message of a drawn conversation counts beside one of an author's."""
ALLOWED: dict[str, dict[str, float]] = {
    "abuse": {"everyday": 0.02, "ordinary": 0.005, "look-alikes": 0.05},
    "harm": {"everyday": 0.07, "ordinary": 0.015, "look-alikes": 0.04},
    "clear": {"everyday": 0.013, "ordinary": 0.005},
    "possible": {"everyday": 0.045, "ordinary": 0.025},
    "look_back": {"everyday": 0.08, "ordinary": 0.04},
    "rude": {"everyday": 0.05},
}
"""Share of the messages of each kind of talk that may be called so: the strictest of them sets the threshold. As to a crisis,
of those without one."""
TOO_NEAR = frozenset({"orbench", "mlc"})
"""Look-alikes that were made to be refused: whoever has not learned them calls nearly all of them harm. They are on the page,
and set no threshold."""
SCORE_OF = {"abuse": 0, "harm": 1, "clear": 2, "possible": 3, "look_back": 3}

NEVER_CALLED = np.full(1, -30.0, np.float32)
"""The score of a kind of talk of which there is none: it bounds no threshold."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Linear readers over the branch's features: weights (features, 4) and bias (4)."""

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
    """What the layer looks at after each message, as served: (messages, features)."""
    return np.stack([features_of(read[max(0, end - LOOK_BACK) : end]) for end in range(1, len(read) + 1)])


def logits_by_talk(rows: Sequence[Row], logits: Floats, talks: Sequence[Talk]) -> list[Floats]:
    """The logits of each conversation's messages, in order."""
    places: dict[str, dict[int, int]] = defaultdict(dict)
    for place, row in enumerate(rows):
        if row.conversation:
            places[row.conversation][row.turn] = place
    return [logits[[places[talk.id][turn] for turn in range(len(talk.said))]] for talk in talks]


@dataclass(frozen=True, slots=True)
class Judged:
    """The layers, and what those that did not learn a conversation say of it."""

    layer: Layer
    """Fitted on everything: the one that is shipped."""
    layers: tuple[Layer, ...]
    """For each fold the one that was fitted without it."""
    scored: tuple[Scored, ...]
    """The authors' conversations."""
    public: tuple[tuple[Drawn, Floats], ...]
    """Drawn conversations and their scores, (messages, 4) each."""

    def layer_without(self, family: str) -> Layer:
        """The layer that did not learn a family."""
        return self.layers[OF_FAMILY.get(family, 0)]


def layer_of(features: Floats, truths: NDArray[np.int64], weights: Floats) -> Layer:
    """Fit the four readers."""
    middle, spread = features.mean(0), features.std(0) + 1e-6
    scaled = (features - middle) / spread
    found, bias = [], []
    for column in truths.T:
        model = LogisticRegression(C=STRENGTH, max_iter=400).fit(scaled, column, sample_weight=weights)
        found.append(model.coef_[0] / spread)
        bias.append(model.intercept_[0] - (model.coef_[0] / spread) @ middle)
    return Layer(np.array(found, np.float32).T, np.array(bias, np.float32))


def fitted(
    talks: Sequence[Talk], logits: Sequence[Floats], rows: Sequence[Row] = (), row_logits: Floats | None = None
) -> Judged:
    """The layers over the authors' conversations and those drawn from public `rows`, each scored by its fold's layer."""
    public = drawn(rows) if row_logits is not None else []
    read = [*logits, *(row_logits[list(one.places)] for one in public if row_logits is not None)]
    features = [branch_features(one) for one in bar(read, "branches")]
    truths = [truths_of(talk) for talk in talks] + [public_truths(rows, one) for one in public]
    weights = [1.0] * len(talks) + [PUBLIC_WEIGHT] * len(public)
    folds = np.array([OF_FAMILY[talk.family] for talk in talks] + [OF_FAMILY.get(one.family, 0) for one in public])

    def of(chosen: NDArray[np.int64]) -> Layer:
        each = np.concatenate([np.full(len(truths[at]), weights[at], np.float32) for at in chosen])
        return layer_of(
            np.concatenate([features[at] for at in chosen]), np.concatenate([truths[at] for at in chosen]), each
        )

    layers = tuple(of(np.flatnonzero(folds != fold)) for fold in bar(range(len(FOLDS)), "layers"))
    scores = [
        seen @ layers[fold].weights + layers[fold].bias for seen, fold in zip(features, folds.tolist(), strict=True)
    ]
    scored = tuple(Scored(*one) for one in zip(talks, logits, scores[: len(talks)], strict=True))
    return Judged(of(np.arange(len(read))), layers, scored, tuple(zip(public, scores[len(talks) :], strict=True)))


def public_truths(rows: Sequence[Row], talk: Drawn) -> NDArray[np.int64]:
    """The four truths of each message of a drawn conversation; what is not known is taken for no."""
    return np.array(
        [[rows[place].targets.get(head, 0) for head in ("abuse", "harm", "risk", "concern")] for place in talk.places],
        np.int64,
    )


def truths_of(talk: Talk) -> NDArray[np.int64]:
    """The four truths of each message."""
    return np.array([[getattr(one, name) for name in STANDPOINTS] for one in talk.truths()], np.int64)


def thresholds_of(judged: Judged, without: int | None = None) -> Thresholds:
    """The thresholds at which no kind of talk is called so more often than allowed; `without` leaves a fold out."""
    everyday = [one for one in judged.scored if one.talk.kind == "everyday" and OF_FAMILY[one.talk.family] != without]
    scores = np.concatenate([one.scores for one in everyday])
    calm = np.concatenate([truths_of(one.talk)[:, STANDPOINTS.index("worry")] == 0 for one in everyday])
    polite = np.concatenate([[not is_rude(label) for label in one.talk.labels] for one in everyday])
    logits = np.concatenate([one.logits for one in everyday])
    rudeness = np.maximum(logits[:, ABUSE], logits[:, RUDE])[polite]

    def values(name: str, kind: str) -> Floats:
        if name == "rude":
            return rudeness
        if kind == "everyday":
            own = scores[:, SCORE_OF[name]]
            return own if name in ("abuse", "harm") else own[calm]
        chosen = [
            found[:, SCORE_OF[name]]
            for talk, found in judged.public
            if talk.kind == kind and talk.family not in TOO_NEAR and OF_FAMILY.get(talk.family, 0) != without
        ]
        return np.concatenate(chosen) if chosen else NEVER_CALLED

    def limit(name: str) -> float:
        strictest = max(np.quantile(values(name, kind), 1 - share) for kind, share in ALLOWED[name].items())
        return round(float(sigmoid(np.float32(strictest))), 6)

    return Thresholds(**{name: limit(name) for name in ALLOWED})


def thresholds_by_fold(judged: Judged) -> dict[int, Thresholds]:
    """For each fold the thresholds that the authors and families of the other folds give."""
    return {fold: thresholds_of(judged, without=fold) for fold in range(len(FOLDS))}
