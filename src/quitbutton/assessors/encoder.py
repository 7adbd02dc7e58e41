"""The sentence encoder: the packaged MiniLM-L6 with our low-rank changes merged in; int8, one thread, loaded at first use."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.base import LAYERS, Base, base
from quitbutton.assessors.wordpiece import WordPiece

Vector = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]

WEIGHTS = Path(__file__).with_name("weights")
RANK, GAIN = 16, 2.0
"""Rank of the changes, and how much they count (Hu et al. 2021)."""
LONGEST = 80
"""Token ids a pass, about 60 words. Cost grows with it; of longer texts the head and the tail are read."""
PARTS = ("query", "key", "value", "out", "up", "down")


def _merged(known: Base, learnt: Arrays, layer: int, part: int) -> tuple[NDArray[np.int8], Vector, Vector]:
    """One matrix with its change, int8 again: values, scale a column, bias."""
    group, place = ("attention", part) if part < 4 else (("up", "down")[part - 4], 0)
    values, scale = known.matrices[layer * len(PARTS) + part]
    a, b = (learnt[f"{group}_{side}"][layer, place].astype(np.float32) for side in "ab")
    whole = values * scale + a @ b * np.float32(GAIN)
    step = np.maximum(np.abs(whole).max(axis=0), 1e-8).astype(np.float32) / 127
    return np.round(whole / step).astype(np.int8), step, learnt[f"{group}_bias"][layer, place].astype(np.float32)


def weights_of(known: Base, learnt: Arrays) -> dict[str, NDArray[Any]]:
    """Every weight of the graph by its name there."""
    out: dict[str, NDArray[Any]] = {"start.weight": learnt["norm"][0], "start.bias": learnt["norm"][1]}
    for layer in range(LAYERS):
        for number, part in enumerate(PARTS):
            values, scale, bias = _merged(known, learnt, layer, number)
            name = f"{layer}.{part}"
            out |= {f"{name}.weights": values, f"{name}.scale": scale, f"{name}.bias": bias}
        for number, norm in enumerate(("first", "second")):
            for place, part in enumerate(("weight", "bias")):
                out[f"{layer}.{norm}.{part}"] = learnt["norms"][layer, number, place].astype(np.float32)
    return out


class Encoder:
    """Text to logits: one a head, and one a kind. Safe to call from several threads."""

    def __init__(self, learnt: Arrays, longest: int = LONGEST, model: Path | None = None) -> None:
        self.learnt = learnt
        self.longest = longest
        self.model = model
        self.lock = threading.Lock()
        self.session: Any = None
        self.pieces = WordPiece(WEIGHTS / "vocab.txt")

    def load(self) -> None:
        """Read the model now instead of at the first message."""
        with self.lock:
            if self.session is not None:
                return
            import onnxruntime as ort  # noqa: PLC0415 - heavy: only who asks for the encoder pays

            options = ort.SessionOptions()
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
            options.log_severity_level = 3
            named = weights_of(base(self.model), self.learnt)
            values = [ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value)) for value in named.values()]
            options.add_external_initializers(list(named), values)
            graph = (WEIGHTS / "encoder.onnx").read_bytes()
            self.session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def ids(self, text: str) -> list[int]:
        """The token ids that are read of a text."""
        return self.pieces.encode(text, self.longest)

    def logits(self, text: str) -> tuple[Vector, Vector]:
        """What the heads and the kinds say about a text."""
        return self.logits_of(self.ids(text))

    def logits_of(self, ids: list[int]) -> tuple[Vector, Vector]:
        """As `logits`, for token ids."""
        if self.session is None:
            self.load()
        (vector,) = self.session.run(None, {"tokens": base(self.model).embed(ids)[None]})
        return self._head(vector[0], "heads"), self._head(vector[0], "kinds")

    def _head(self, vector: Vector, name: str) -> Vector:
        return np.asarray(vector @ self.learnt[f"{name}_weights"] + self.learnt[f"{name}_bias"], dtype=np.float32)
