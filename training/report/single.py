"""How well single messages of left-out authors and families are told apart: area, what is found, what is called falsely."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.heads import sigmoid
from quitbutton.assessors.local import Thresholds
from quitbutton.evaluation.measures import Share
from training.branch import STANDPOINTS, Floats, Judged, Scored, own_features, truths_of
from training.data.rows import Row
from training.drawn import ORDINARY
from training.folds import OF_FAMILY
from training.measures import auc, share, told

Bools = NDArray[np.bool_]
Line = tuple[object, ...]
LEAST = 20
"""Positive messages below which a family or author is not measured for a score."""
HEAD_OF = {"abuse": "abuse", "harm": "harm", "danger": "risk", "worry": "concern"}
LIMIT_OF = {"abuse": "abuse", "harm": "harm", "danger": "clear", "worry": "possible"}
NAMES = {
    "abuse": "serious abuse",
    "harm": "serious request for harm",
    "danger": "clear crisis",
    "worry": "crisis, clear or possible",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One score on one author or family."""

    name: str
    score: str
    area: float | None
    found: Share | None
    false: Share | None
    """Of an author's everyday conversations, or of a family's own negatives."""


def of_authors(scored: Sequence[Scored], limits: Mapping[int, Thresholds]) -> list[Cell]:
    """Every score on every author."""
    cells = []
    for author in sorted({one.talk.author for one in scored}):
        own = [one for one in scored if one.talk.author == author]
        scores = np.concatenate([one.scores for one in own])
        truths = np.concatenate([truths_of(one.talk) for one in own])
        groups = [one.talk.id for one in own for _ in one.talk.said]
        everyday = np.array([one.talk.kind == "everyday" for one in own for _ in one.talk.said])
        limit = limits[OF_FAMILY[own[0].talk.family]]
        for column, score in enumerate(STANDPOINTS):
            is_true = truths[:, column] == 1
            called = sigmoid(scores[:, column]) >= getattr(limit, LIMIT_OF[score])
            area = auc(scores[is_true, column], scores[~is_true, column])
            cells.append(_cell(author, score, area, called, is_true, everyday & ~is_true, groups))
    return [one for one in cells if one.found is not None and one.found.rows >= LEAST]


def of_families(rows: Sequence[Row], logits: Floats, judged: Judged, limits: Mapping[int, Thresholds]) -> list[Cell]:
    """Every score on every public family, each message by itself."""
    places = np.array([place for place, row in enumerate(rows) if not row.is_authored])
    public = [rows[place] for place in places]
    family = np.array([row.family for row in public])
    scores = np.zeros((len(public), len(STANDPOINTS)), np.float32)
    for name in set(family):
        scores[family == name] = judged.layer_without(name).scores(own_features(logits[places[family == name]]))
    ordinary, cells = np.isin(family, list(ORDINARY)), []
    for column, score in enumerate(STANDPOINTS):
        truth = np.array([row.targets.get(HEAD_OF[score], -1) for row in public])
        plain = scores[ordinary & (truth == 0), column]
        for name in sorted(set(family)):
            chosen = family == name
            limit = getattr(limits[OF_FAMILY.get(name, 0)], LIMIT_OF[score])
            groups = [row.group for row, is_one in zip(public, chosen, strict=True) if is_one]
            own, values = truth[chosen], scores[chosen, column]
            area = auc(values[own == 1], plain) if (own == 1).sum() >= LEAST else None
            cells.append(_cell(name, score, area, sigmoid(values) >= limit, own == 1, own == 0, groups))
    return cells


def _cell(
    name: str, score: str, area: float | None, called: Bools, is_true: Bools, is_false: Bools, groups: Sequence[str]
) -> Cell:
    def of(chosen: Bools) -> Share | None:
        return share(called[chosen], [groups[place] for place in np.flatnonzero(chosen).tolist()])

    return Cell(name, score, area, of(is_true), of(is_false))


def summary(cells: Sequence[Cell]) -> list[Line]:
    """Mean and worst of each score."""
    lines: list[Line] = []
    for score in STANDPOINTS:
        own = [one for one in cells if one.score == score and one.area is not None and one.found is not None]
        false = [one for one in cells if one.score == score and one.false is not None and one.false.rows >= LEAST]
        if own:
            lines.append(
                (
                    NAMES[score],
                    len(own),
                    *_mean_and_worst(own, lambda one: one.area, least=True),
                    *_mean_and_worst(own, lambda one: one.found.value if one.found else None, least=True),
                    *_mean_and_worst(false, lambda one: one.false.value if one.false else None, least=False),
                )
            )
    return lines


def _mean_and_worst(cells: Sequence[Cell], value: Callable[[Cell], float | None], least: bool) -> tuple[str, str]:
    known = [(found, one.name) for one in cells if (found := value(one)) is not None]
    if not known:
        return "–", "–"
    worst = min(known) if least else max(known)
    return f"{np.mean([found for found, _ in known]):.3f}", f"{worst[0]:.3f} {worst[1]}"


SUMMARY = (
    "score", "authors or families", "AUC", "worst", "found", "worst", "falsely called", "worst",
)  # fmt: skip
EACH = ("of", "score", "AUC", "found", "n", "falsely called", "n")


def each(cells: Sequence[Cell]) -> list[Line]:
    """One line for each that was measured."""
    return [
        (
            one.name,
            NAMES[one.score],
            "–" if one.area is None else f"{one.area:.3f}",
            told(one.found),
            one.found.rows if one.found else 0,
            told(one.false),
            one.false.rows if one.false else 0,
        )
        for one in cells
        if (one.found and one.found.rows >= LEAST) or (one.false and one.false.rows >= LEAST)
    ]
