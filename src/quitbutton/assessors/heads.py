"""Trained heads over the encoder: pieces pooled by attention, one hidden layer, plain arrays. Used by both readers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.encoder import Encoded, Floats

FOLDER = Path(__file__).with_name("weights")
ROOT_2 = np.float32(np.sqrt(2))


def sigmoid(logits: Floats | np.floating[Any]) -> Floats:
    """Logits as probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


def softmax(logits: Floats) -> Floats:
    """Logits along the first axis as probabilities that add up to one."""
    raised = np.exp(logits - logits.max(axis=0))
    return np.asarray(raised / raised.sum(axis=0), dtype=np.float32)


def gelu(values: Floats) -> Floats:
    """Gaussian error linear units (Hendrycks and Gimpel 2016); the error function after Abramowitz and Stegun 7.1.26."""
    x = np.abs(values) / ROOT_2
    t = 1 / (1 + 0.3275911 * x)
    fit = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(values) * (1 - fit * np.exp(-x * x))
    return np.asarray(values * 0.5 * (1 + erf), dtype=np.float32)


def _normed(values: Floats, gain: Floats, shift: Floats) -> Floats:
    centred = values - values.mean()
    return np.asarray(centred / np.sqrt((centred * centred).mean() + 1e-5) * gain + shift, dtype=np.float32)


@dataclass(frozen=True)
class Heads:
    """The arrays of a trained model and what is known of it; `load()` reads a shipped one."""

    arrays: dict[str, NDArray[np.float32]]
    meta: dict[str, Any]

    @classmethod
    def load(cls, name: str, folder: Path = FOLDER) -> Heads:
        """Read `NAME.npz` (plain arrays, never pickle) and `NAME.json`."""
        with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
            arrays = {key: file[key].astype(np.float32) for key in file.files}
        return cls(arrays, json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))

    def hidden(self, seen: Encoded) -> Floats:
        """The hidden layer before its activation, from one window."""
        a = self.arrays
        weight = softmax(seen.pieces @ a["query"] + a["query_bias"])
        pooled = (weight.T @ (seen.pieces @ a["value"] + a["value_bias"])).ravel()
        strongest = (seen.pieces @ a["peak"] + a["peak_bias"]).max(axis=0)
        parts = [
            _normed(seen.vector, a["vector_gain"], a["vector_shift"]),
            _normed(pooled, a["pooled_gain"], a["pooled_shift"]),
            _normed(strongest, a["peak_gain"], a["peak_shift"]),
        ]
        return np.asarray(np.concatenate(parts) @ a["hidden"] + a["hidden_bias"], dtype=np.float32)

    def out(self, hidden: Floats) -> Floats:
        """The logits of all heads."""
        return np.asarray(gelu(hidden) @ self.arrays["out"] + self.arrays["out_bias"], dtype=np.float32)

    def in_context(self, hidden: Floats, context: Floats) -> float:
        """The logit of the head that also hears what was said before; `context` is the mean vector of those messages."""
        a = self.arrays
        return float(gelu(hidden + context @ a["context"]) @ a["out_context"][:, 0] + a["out_context_bias"][0])
