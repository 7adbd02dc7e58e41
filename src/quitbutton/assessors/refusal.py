"""The refusal check: how far a reply declines or redirects what was asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.cues import cue_features
from quitbutton.assessors.heads import FOLDER
from quitbutton.assessors.ngrams import BITS, features, words_of
from quitbutton.assessors.normal import fold
from quitbutton.core.messages import Message, Role

RANGES = 3
"""How many ranges of hashed features there are."""
OPENING, READ = 25, 200
"""Words: a refusal shows at once. The opening is read by itself, then as much as `READ`."""


def reply_features(text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Hashed n-grams of a reply's opening and of its first part, and its cues, in separate ranges."""
    words = words_of(fold(text[: READ * 12]))[:READ]
    first, weight = features(words[:OPENING])
    whole, light = features(words)
    cues, sign = cue_features(text)
    return np.concatenate([first, whole + (1 << BITS), cues + (2 << BITS)]), np.concatenate([weight, light, sign])


class RefusalCheck:
    """Answers with the probability that the last assistant message refuses or redirects."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._table: NDArray[Any] | None = None
        self._bias = 0.0

    @property
    def name(self) -> str:
        """Name and version."""
        return "refusal@1"

    def load(self) -> None:
        """Read the weights now instead of at the first reply."""
        with self._lock:
            if self._table is None:
                with np.load(self.folder / "refusal.npz", allow_pickle=False) as file:
                    self._bias = float(file["bias"])
                    self._table = file["weights"].astype(np.float32) * float(file["scale"])

    def classify(self, text: str) -> float:
        """The probability for one reply. An empty reply refuses nothing."""
        if not text.strip():
            return 0.0
        if self._table is None:
            self.load()
        table = self._table
        if table is None:
            raise RuntimeError("the weights of the refusal check could not be read; reinstall the package")
        index, value = reply_features(text)
        return float(1 / (1 + np.exp(-np.clip(value @ table[index] + self._bias, -30, 30))))

    async def assess_reply(self, messages: Sequence[Message]) -> float:
        """As `classify`, for the last assistant message; 0 where there is none."""
        text = next((message.text for message in reversed(messages) if message.role is Role.ASSISTANT), "")
        return await asyncio.to_thread(self.classify, text)
