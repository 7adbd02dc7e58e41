"""Fits the five heads: hashed n-grams with logistic regression, encoder vectors with a small network, both stacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from quitbutton.assessors.heads import HEADS
from quitbutton.assessors.ngrams import BITS, features, words_of
from quitbutton.assessors.normal import fold
from quitbutton.assessors.provenance import bounded
from quitbutton.training.data import Row

Array = NDArray[Any]
FOLDS = 5
HIDDEN = 64
STRENGTH = 20.0
"""Inverse regularisation of the n-gram half."""


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


def sparse(texts: list[str]) -> csr_matrix:
    """N-gram features, one row a text."""
    found = [features(words_of(fold(bounded(text)))) for text in texts]
    ends = np.cumsum([0, *(len(index) for index, _ in found)])
    return csr_matrix(
        (np.concatenate([v for _, v in found]), np.concatenate([i for i, _ in found]), ends),
        shape=(len(texts), 1 << BITS),
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


def fit_deep(x: Array, goals: Goals, chosen: Array, rounds: int = 10, seed: int = 0) -> dict[str, Array]:
    """One hidden layer over the encoder's vector, shared by the heads; Adam with weight decay and dropout, by hand."""
    chance = np.random.default_rng(seed)
    mean, spread = x[chosen].mean(0), x[chosen].std(0) + 1e-6
    z, y = ((x - mean) / spread).astype(np.float32), np.nan_to_num(goals.y)
    mask = ~np.isnan(goals.y) * goals.weight[:, None]
    size, rate, decay, drop, batch = x.shape[1], 1e-3, 1e-4, 0.1, 128
    net = [
        (chance.standard_normal((size, HIDDEN)) * np.sqrt(1.5 / size)).astype(np.float32),
        np.zeros(HIDDEN, np.float32),
        (chance.standard_normal((HIDDEN, len(HEADS))) * np.sqrt(1.0 / HIDDEN)).astype(np.float32),
        np.zeros(len(HEADS), np.float32),
    ]
    first, second = [np.zeros_like(a) for a in net], [np.zeros_like(a) for a in net]
    pool, step = np.flatnonzero(chosen), 0
    total = rounds * (len(pool) // batch + 1)
    for _ in range(rounds):
        chance.shuffle(pool)
        for begin in range(0, len(pool), batch):
            mine = pool[begin : begin + batch]
            step += 1
            keep = (chance.random((len(mine), size)) > drop).astype(np.float32) / (1 - drop)
            inside = z[mine] * keep
            hidden = np.maximum(inside @ net[0] + net[1], 0)
            wrong = (1 / (1 + np.exp(-(hidden @ net[2] + net[3]))) - y[mine]) * mask[mine] / batch
            back = (wrong @ net[2].T) * (hidden > 0)
            slopes = [inside.T @ back, back.sum(0), hidden.T @ wrong, wrong.sum(0)]
            now = rate * (1 - step / (total + 1))
            for place, slope in enumerate(slopes):
                full = slope + (decay * net[place] if net[place].ndim == 2 else 0)
                first[place] = 0.9 * first[place] + 0.1 * full
                second[place] = 0.999 * second[place] + 0.001 * full**2
                net[place] -= (
                    now * (first[place] / (1 - 0.9**step)) / (np.sqrt(second[place] / (1 - 0.999**step)) + 1e-8)
                )
    return {"mean": mean, "spread": spread, "w1": net[0], "b1": net[1], "w2": net[2], "b2": net[3]}


def deep_logits(net: dict[str, Array], x: Array) -> Array:
    """The network's logits."""
    hidden = np.maximum(((x - net["mean"]) / net["spread"]) @ net["w1"] + net["b1"], 0)
    return np.asarray(hidden @ net["w2"] + net["b2"], dtype=np.float32)


def held_out(x: csr_matrix, dense: Array, goals: Goals, learn: Array) -> tuple[Array, Array]:
    """Logits of both halves for every row, each from models that saw nothing of the row's group."""
    cheap, deep = np.zeros_like(goals.y), np.zeros_like(goals.y)
    for number in range(FOLDS):
        here, there = goals.fold == number, learn & (goals.fold != number)
        weights, biases = fit_cheap(x, goals, there)
        cheap[here] = x[here] @ weights + biases
        deep[here] = deep_logits(fit_deep(dense, goals, there), dense[here])
    return cheap, deep


def stack(cheap: Array, deep: Array, goals: Goals) -> tuple[Array, Array]:
    """Calibration of the cheap half alone (slope, bias) and of both together (slope, slope, bias), a column a head."""
    alone, both = np.zeros((2, len(HEADS)), np.float32), np.zeros((3, len(HEADS)), np.float32)
    for number in range(len(HEADS)):
        mine = ~np.isnan(goals.y[:, number])
        y, weight = goals.y[mine, number], goals.weight[mine]
        for target, x in (
            (alone, cheap[mine, number : number + 1]),
            (both, np.stack([cheap[mine, number], deep[mine, number]], 1)),
        ):
            model = LogisticRegression(C=10.0, max_iter=500).fit(x, y, sample_weight=weight)
            target[:, number] = [*model.coef_[0], model.intercept_[0]]
    return alone, both
