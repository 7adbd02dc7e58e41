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

from quitbutton.assessors.branch import ABUSE, RUDE, Layer, Read, features_of, held
from quitbutton.assessors.encoder import WIDTH
from quitbutton.assessors.heads import sigmoid
from quitbutton.assessors.local import LOOK_BACK, Thresholds
from training.data.authored import Talk, is_rude
from training.data.rows import Row
from training.drawn import Drawn, drawn
from training.folds import FOLDS, OF_FAMILY
from training.layer import layer_of
from training.progress import bar

Floats = NDArray[np.float32]
STANDPOINTS = ("abuse", "harm", "danger", "worry")
"""As `Standpoints` and `Truth` name them."""
PUBLIC_WEIGHT = {"ordinary": 0.8, "look-alikes": 0.8} | dict.fromkeys(
    ("abuse of a bot", "hate", "harmful requests", "distress and crises"), 0.3
)
"""How much a message of a drawn conversation counts beside one of an author's. Those that must never climb count more."""
ALLOWED: dict[str, dict[str, float]] = {
    "abuse": {"everyday": 0.024, "ordinary": 0.008, "look-alikes": 0.06},
    "harm": {"everyday": 0.07, "ordinary": 0.015, "look-alikes": 0.04},
    "clear": {"everyday": 0.009, "ordinary": 0.005},
    "possible": {"everyday": 0.05, "ordinary": 0.025},
    "look_back": {"everyday": 0.085, "ordinary": 0.045},
    "rude": {"everyday": 0.05},
    "first": {"everyday": 0.06},
}
"""Share of the messages of each kind of talk that may be called so: the strictest of them sets the threshold. As to a crisis,
of those without one."""
TOO_NEAR = frozenset({"orbench", "mlc"})
"""Look-alikes that were made to be refused: whoever has not learned them calls nearly all of them harm. They are on the page,
and set no threshold."""
SCORE_OF = {"abuse": 0, "harm": 1, "clear": 2, "possible": 3, "look_back": 3, "first": 3}

NEVER_CALLED = np.full(1, -30.0, np.float32)
"""The score of a kind of talk of which there is none: it bounds no threshold."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A conversation with what was read in it by models that did not learn its author."""

    talk: Talk
    read: Read
    scores: Floats
    """(messages, 4): the standpoints, as logits."""


def branch_features(read: Read) -> Floats:
    """What the layer looks at after each message, as served: (messages, features)."""
    ends = range(1, len(read.logits) + 1)
    return np.stack([features_of(Read(*(part[max(0, end - LOOK_BACK) : end] for part in read))) for end in ends])


def own_features(logits: Floats) -> Floats:
    """What the layer looks at in messages that have nothing before them: (messages, 24) to (messages, features)."""
    unheard = np.zeros((1, WIDTH), np.float32)
    return np.stack([features_of(Read(row[None], unheard)) for row in logits])


def reads_by_talk(rows: Sequence[Row], read: Read, talks: Sequence[Talk]) -> list[Read]:
    """What was read in each conversation's messages, in order."""
    places: dict[str, dict[int, int]] = defaultdict(dict)
    for place, row in enumerate(rows):
        if row.conversation:
            places[row.conversation][row.turn] = place
    return [at(read, [places[talk.id][turn] for turn in range(len(talk.said))]) for talk in talks]


def at(read: Read, places: Sequence[int]) -> Read:
    """What was read at some places."""
    return Read(read.logits[list(places)], read.vectors[list(places)])


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


def fitted(
    talks: Sequence[Talk], talk_reads: Sequence[Read], rows: Sequence[Row] = (), read: Read | None = None
) -> Judged:
    """The layers over the authors' conversations and those drawn from public `rows`, each scored by its fold's layer."""
    public = drawn(rows) if read is not None else []
    reads = [*talk_reads, *(at(read, one.places) for one in public if read is not None)]
    features = [branch_features(one) for one in bar(reads, "branches")]
    alone = [own_features(one.logits) for one in reads]
    truths = [truths_of(talk) for talk in talks] + [public_truths(rows, one) for one in public]
    weights = [1.0] * len(talks) + [PUBLIC_WEIGHT[one.kind] for one in public]
    folds = np.array([OF_FAMILY[talk.family] for talk in talks] + [OF_FAMILY.get(one.family, 0) for one in public])

    def of(chosen: NDArray[np.int64]) -> Layer:
        each = np.concatenate([np.full(len(truths[place]), weights[place], np.float32) for place in chosen])
        seen, true = (np.concatenate([several[place] for place in chosen]) for several in (features, truths))
        return layer_of(seen, true, each)

    layers = tuple(of(np.flatnonzero(folds != fold)) for fold in bar(range(len(FOLDS)), "layers"))
    scores = [
        held(layers[fold].scores(seen), layers[fold].scores(own))
        for seen, own, fold in zip(features, alone, folds.tolist(), strict=True)
    ]
    scored = tuple(Scored(*one) for one in zip(talks, talk_reads, scores[: len(talks)], strict=True))
    return Judged(of(np.arange(len(reads))), layers, scored, tuple(zip(public, scores[len(talks) :], strict=True)))


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
    first = np.concatenate([np.arange(len(one.scores)) == 0 for one in everyday])
    calm = np.concatenate([truths_of(one.talk)[:, STANDPOINTS.index("worry")] == 0 for one in everyday])
    polite = np.concatenate([[not is_rude(label) for label in one.talk.labels] for one in everyday])
    logits = np.concatenate([one.read.logits for one in everyday])
    rudeness = np.maximum(logits[:, ABUSE], logits[:, RUDE])[polite]
    every = np.ones(len(scores), bool)
    meant = {"abuse": every, "harm": every, "first": calm & first}

    def values(name: str, kind: str) -> Floats:
        if name == "rude":
            return rudeness
        if kind == "everyday":
            return scores[meant.get(name, calm), SCORE_OF[name]]
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
