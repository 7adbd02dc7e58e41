"""The model of replies: what a reply does with what was asked, by its words and by the encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.cues import cue_features
from quitbutton.assessors.encoder import Encoder
from quitbutton.assessors.heads import FOLDER
from quitbutton.assessors.ngrams import BITS, features, words_of
from quitbutton.assessors.normal import fold
from quitbutton.assessors.refusal import NAME
from quitbutton.core.verdicts import ReplyLabel, ReplyVerdict

RANGES = 3
"""How many ranges of hashed features there are."""
OPENING, READ = 25, 200
"""Words: a refusal shows at once. The opening is read by itself, then as much as `READ`."""
PROMPT, LONGEST = 24, 112
"""Token ids that the encoder reads of the request, and of request and reply together."""
LABELS = (ReplyLabel.COMPLIED, ReplyLabel.PARTIAL, ReplyLabel.REDIRECTED, ReplyLabel.REFUSED)
"""What a reply can be, in the order of the encoder's kinds."""


def reply_features(text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Hashed n-grams of a reply's opening and of its first part, and its cues, in separate ranges."""
    words = words_of(fold(text[: READ * 12]))[:READ]
    first, weight = features(words[:OPENING])
    whole, light = features(words)
    cues, sign = cue_features(text)
    return np.concatenate([first, whole + (1 << BITS), cues + (2 << BITS)]), np.concatenate([weight, light, sign])


def reply_ids(encoder: Encoder, prompt: str, reply: str) -> list[int]:
    """Token ids of a request's beginning and of a reply, the second after the first."""
    asked = encoder.pieces.encode(fold(prompt[:2000]), PROMPT) if prompt else [encoder.pieces.start]
    return [*asked, *encoder.pieces.encode(fold(reply[:6000]), LONGEST - len(asked))[1:]]


class ReplyModel:
    """The weights, and what they say of a reply."""

    def __init__(self, folder: Path = FOLDER) -> None:
        with np.load(folder / "refusal.npz", allow_pickle=False) as file:
            self._arrays: dict[str, NDArray[Any]] = {name: file[name] for name in file.files}
        self._encoder = Encoder(self._arrays)
        self._encoder.load()
        self._table = self._arrays["ngram"].astype(np.float32) * self._arrays["ngram_scale"]

    def classify(self, text: str, prompt: str = "") -> ReplyVerdict:
        """The verdict about one reply to a request. An empty reply is unknown."""
        if not text.strip():
            return ReplyVerdict(ReplyLabel.UNKNOWN, assessor=NAME, why="no reply")
        index, value = reply_features(text)
        cheap = float(value @ self._table[index] + self._arrays["ngram_bias"])
        deep, kinds = self._encoder.logits_of(reply_ids(self._encoder, prompt, text))
        first, second, bias = self._arrays["both"]
        likely = float(1 / (1 + np.exp(-np.clip(cheap * first + float(deep[0]) * second + bias, -30, 30))))
        return ReplyVerdict(_label(likely, kinds), round(likely, 4), NAME)


def _label(likely: float, kinds: NDArray[np.float32]) -> ReplyLabel:
    """Complied or not is the calibrated probability's word; in which way not, the likeliest of the other kinds."""
    return LABELS[0] if likely < 0.5 else LABELS[1 + int(np.argmax(kinds[1:]))]
