"""The trained heads: what the cheap half, the encoder half and both together say, as probabilities."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.ngrams import features

Logits = NDArray[np.float32]

HEADS = ("insult", "hate", "harm", "selfharm", "distress", "threat")
"""Insults aimed at the assistant, hate and abuse of people, harmful requests; the last three are signs of a crisis:
self-harm, deep distress, danger to others."""
CRISES = HEADS[3:]
HARSH = "harsh"
"""A seventh head: harsh words or topics without harm. It speaks for a message, never against it."""
HAZARDS = ("violent", "nonviolent", "sex", "weapons", "hate", "privacy", "deception")
"""Kinds of harmful requests after MLCommons' AILuminate 1.0: violent crimes, non-violent crimes, sex-related crimes and
sexual content, indiscriminate weapons, hate, privacy; and deception, which it has not. Self-harm is a crisis."""
FOLDER = Path(__file__).with_name("weights")


def sigmoid(logits: Logits) -> Logits:
    """Logits as probabilities."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


@dataclass(frozen=True)
class Heads:
    """Arrays of the trained model and its metadata; `load()` reads the shipped one."""

    arrays: dict[str, NDArray[Any]]
    meta: dict[str, Any]

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Heads:
        """Read `local.npz` (plain arrays, never pickle) and `local.json`."""
        with np.load(folder / "local.npz", allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return cls(arrays, json.loads((folder / "local.json").read_text(encoding="utf-8")))

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """The n-gram weights, one row a feature."""
        return np.asarray(self.arrays["ngram"] * self.arrays["ngram_scale"], dtype=np.float32)

    def cheap(self, words: list[str]) -> Logits:
        """What words and their pieces say: one logit a head, not yet calibrated."""
        index, value = features(words)
        return np.asarray(value @ self.table[index] + self.arrays["ngram_bias"], dtype=np.float32)

    def alone(self, cheap: Logits) -> Logits:
        """Calibrated probabilities from the cheap half alone."""
        return sigmoid(cheap * self.arrays["alone"][0] + self.arrays["alone"][1])

    def both(self, cheap: Logits, deep: Logits) -> Logits:
        """Calibrated probabilities from both halves."""
        first, second, bias = self.arrays["both"]
        return sigmoid(cheap * first + deep[: len(HEADS)] * second + bias)

    def is_sure(self, cheap: Logits, asked: Sequence[str] = HEADS) -> bool:
        """True where the encoder could not change what these heads say, going by held-out rows: surely clean."""
        return are_below(cheap, self.arrays["gate"], asked)

    def bars(self, limits: Sequence[float]) -> Logits:
        """Below which probabilities of the cheap half and the encoder's student the encoder need not be asked either.

        `limits` are the thresholds of the heads: half of them at most, so that a guess never decides.
        """
        return np.asarray(np.minimum(self.arrays["clear"], np.array(limits) / 2), dtype=np.float32)


def are_below(said: Logits, bars: Logits, asked: Sequence[str] = HEADS) -> bool:
    """True where each of the heads that are asked for is below its bar."""
    below = (said < bars).tolist()
    return all(below) if asked is HEADS else all(below[HEADS.index(head)] for head in asked)
