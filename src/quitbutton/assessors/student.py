"""The encoder's student: guesses what the encoder would say, in a twentieth of its time; in doubt the encoder reads.

A small convolutional network (Kim 2014) over the encoder's own word vectors, distilled from the tuned encoder's logits
(Hinton et al. 2015). It may spare a message the encoder; it never speaks against one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.base import Base

Vector = NDArray[np.float32]

REACH = (1, 1, 4)
"""How many tokens each layer looks to the left and to the right."""
NAMES = ("words", *(f"layer_{number}" for number in range(len(REACH))), "hidden", "heads")
"""The matrices in their order, each with its bias as the last row; in the weights' file `student_` stands before each."""
PREFIX = "student_"


class Student:
    """The network in NumPy. Safe to call from several threads."""

    def __init__(self, learnt: Mapping[str, NDArray[Any]], known: Base) -> None:
        # Row by row, as products read them: column by column they take more than twice as long.
        matrices = [learnt[PREFIX + name].astype(np.float32, order="C") for name in NAMES]
        words, *self._layers, self._hidden, self._heads = [(matrix[:-1], matrix[-1]) for matrix in matrices]
        # What the first layer makes of a word does not depend on its neighbours: reckoned once for the vocabulary (4 MB).
        parts = np.array_split(np.arange(len(known.words)), 16)
        self._words = np.concatenate([_rectified(known.vectors(part), words).astype(np.float16) for part in parts])

    def logits(self, ids: list[int]) -> Vector:
        """One logit a head of the encoder, for a text's token ids."""
        x = self._words[ids].astype(np.float32)
        for number, (layer, reach) in enumerate(zip(self._layers, REACH, strict=True)):
            seen = _rectified(_with_neighbours(x, reach), layer)
            x = x + seen if number else seen
        pooled = _rectified(np.concatenate([x.max(axis=0), x.mean(axis=0)]), self._hidden)
        weights, bias = self._heads
        return np.asarray(pooled @ weights + bias, dtype=np.float32)


def _rectified(x: Vector, layer: tuple[Vector, Vector]) -> Vector:
    weights, bias = layer
    out: Vector = x @ weights
    out += bias
    return np.maximum(out, 0, out=out)


def _with_neighbours(x: Vector, reach: int) -> Vector:
    """Each token's numbers between those of the tokens `reach` before and after it; zeros beyond the ends."""
    tokens, width = x.shape
    out = np.zeros((tokens, 3 * width), dtype=np.float32)
    out[reach:, :width] = x[:-reach]
    out[:, width : 2 * width] = x
    out[:-reach, 2 * width :] = x[reach:]
    return out
