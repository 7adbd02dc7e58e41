"""Fits the heads: hashed n-grams with logistic regression, the tuned encoder beside them, both stacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from quitbutton.assessors.base import base
from quitbutton.assessors.encoder import Encoder
from quitbutton.assessors.heads import HARSH, HAZARDS, HEADS
from quitbutton.assessors.ngrams import BITS, features, words_of
from quitbutton.assessors.normal import fold
from quitbutton.assessors.student import Student
from quitbutton.core.provenance import own_words
from quitbutton.training.data import Row
from quitbutton.training.tune import Lesson, tune

Array = NDArray[Any]
FOLDS = 5
STRENGTH = 20.0
"""Inverse regularisation of the n-gram half."""
HARSH_WEIGHT = 0.3


@dataclass
class Goals:
    """Targets (NaN where a head learns nothing), weights and folds of all rows."""

    y: Array
    weight: Array
    fold: Array

    @classmethod
    def of(cls, rows: list[Row]) -> Goals:
        """From rows; a group is in one fold only."""
        y = np.array([[row.targets.get(head, np.nan) for head in HEADS] for row in rows], dtype=np.float32)
        return cls(
            y,
            np.array([row.weight for row in rows], dtype=np.float32),
            np.array([crc32(row.group.encode()) % FOLDS for row in rows]),
        )


@dataclass(frozen=True, slots=True)
class Halves:
    """Logits of both halves, and of the kinds of harm, one row a text."""

    cheap: Array
    deep: Array
    kinds: Array


def guesses(learnt: dict[str, Array], ids: Sequence[list[int]]) -> Array:
    """What a student says as it ships, one text at a time."""
    student = Student(learnt, base())
    return np.stack([student.logits(mine) for mine in ids])


def read_as(texts: Sequence[str]) -> list[str]:
    """Texts as the assessor reads them."""
    return [fold(own_words(text)) for text in texts]


def sparse(folded: Sequence[str]) -> csr_matrix:
    """N-gram features, one row a text."""
    found = [features(words_of(text)) for text in folded]
    ends = np.cumsum([0, *(len(index) for index, _ in found)])
    return csr_matrix(
        (np.concatenate([v for _, v in found]), np.concatenate([i for i, _ in found]), ends),
        shape=(len(folded), 1 << BITS),
    )


def fit_cheap(x: csr_matrix, goals: Goals, chosen: Array) -> tuple[Array, Array]:
    """Weights and biases of the n-gram half."""
    weights, biases = np.zeros((1 << BITS, len(HEADS)), np.float32), np.zeros(len(HEADS), np.float32)
    for number in range(len(HEADS)):
        mine = chosen & ~np.isnan(goals.y[:, number])
        model = LogisticRegression(C=STRENGTH, solver="liblinear", max_iter=200, random_state=0)
        model.fit(x[mine], goals.y[mine, number], sample_weight=goals.weight[mine])
        weights[:, number], biases[number] = model.coef_[0], model.intercept_[0]
    return weights, biases


def lesson_of(rows: list[Row], folded: Sequence[str], goals: Goals, encoder: Encoder) -> Lesson:
    """What the encoder learns from: the heads, the harsh one, and the kinds of harmful requests."""
    harsh = np.array([[row.targets.get(HARSH, np.nan)] for row in rows], dtype=np.float32)
    kind = [HAZARDS.index(row.hazard) if row.hazard else -1 for row in rows]
    return Lesson(
        [encoder.ids(text) for text in folded],
        np.concatenate([goals.y, harsh], axis=1),
        goals.weight[:, None] * np.array([1.0] * len(HEADS) + [HARSH_WEIGHT]),
        np.array(kind),
        len(HAZARDS),
    )


def fit_deep(lesson: Lesson, chosen: Array, rounds: int = 3) -> dict[str, Array]:
    """The encoder's low-rank changes and heads."""
    return tune(lesson, chosen, rounds).arrays()


def deep_logits(learnt: dict[str, Array], ids: Sequence[list[int]]) -> tuple[Array, Array]:
    """What the encoder says as it ships: int8, one text at a time."""
    encoder = Encoder(learnt)
    found = [encoder.logits_of(mine) for mine in ids]
    return np.stack([heads for heads, _ in found]), np.stack([kinds for _, kinds in found])


def stack(cheap: Array, deep: Array, goals: Goals, judged: Array) -> tuple[Array, Array]:
    """Calibration of the cheap half alone (slope, bias) and of both together (slope, slope, bias), a column a head."""
    alone, both = np.zeros((2, len(HEADS)), np.float32), np.zeros((3, len(HEADS)), np.float32)
    for number in range(len(HEADS)):
        mine = judged & ~np.isnan(goals.y[:, number])
        y, weight = goals.y[mine, number], goals.weight[mine]
        for target, x in (
            (alone, cheap[mine, number : number + 1]),
            (both, np.stack([cheap[mine, number], deep[mine, number]], 1)),
        ):
            model = LogisticRegression(C=10.0, max_iter=500).fit(x, y, sample_weight=weight)
            target[:, number] = [*model.coef_[0], model.intercept_[0]]
    return alone, both
