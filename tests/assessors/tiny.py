"""A reader with small random weights: everything but what they have learnt works as in the shipped one."""

from __future__ import annotations

from typing import Any

import numpy as np

from quitbutton.assessors.branch import QUIET, Layer, Read, features_of
from quitbutton.assessors.encoder import FEATURES
from quitbutton.assessors.heads import Heads
from quitbutton.assessors.reader import Reader

VECTOR, QUERIES, VALUES, PEAKS, HIDDEN, LOGITS = 512, 2, 8, 6, 16, 23
LIMITS = {"abuse": 0.5, "harm": 0.5, "clear": 0.5, "possible": 0.5, "look_back": 0.3, "rude": 0.5, "first": 0.5}


def tiny_heads(seed: int = 7, logits: int = LOGITS, **meta: Any) -> Heads:
    """Heads of the shipped ones' form. Their layer over the branch follows each score's own head alone."""
    dice = np.random.default_rng(seed)

    def some(*shape: int) -> Any:
        return dice.normal(0, 1 / np.sqrt(shape[0]), shape).astype(np.float32)

    width = VECTOR + QUERIES * VALUES + PEAKS
    features = len(features_of(Read(QUIET[None], np.zeros((1, VECTOR), np.float32))))
    straight = np.zeros((features, 4), np.float32)
    straight[[0, 3, 4, 5], range(4)] = 1
    nothing, one = np.zeros(4, np.float32), np.ones(features, np.float32)
    layer = Layer(0 * one, one, np.zeros((features, 1), np.float32), nothing[:1], nothing[None], straight, nothing)
    arrays = {
        "query": some(FEATURES, QUERIES),
        "query_bias": some(QUERIES),
        "value": some(FEATURES, VALUES),
        "value_bias": some(VALUES),
        "peak": some(FEATURES, PEAKS),
        "peak_bias": some(PEAKS),
        **{f"{name}_gain": np.ones(size, np.float32) for name, size in SIZES.items()},
        **{f"{name}_shift": np.zeros(size, np.float32) for name, size in SIZES.items()},
        "hidden": some(width, HIDDEN),
        "hidden_bias": some(HIDDEN),
        "out": some(HIDDEN, logits) * 4,
        "out_bias": some(logits),
        "context": some(VECTOR, HIDDEN),
        "out_context": some(HIDDEN, 1) * 4,
        "out_context_bias": some(1),
        **layer.arrays(),
    }
    return Heads(arrays, {"thresholds": LIMITS, **meta})


SIZES = {"vector": VECTOR, "pooled": QUERIES * VALUES, "peak": PEAKS}


def tiny_reader(seed: int = 7) -> Reader:
    """A reader over the package's own encoder."""
    return Reader(tiny_heads(seed))
