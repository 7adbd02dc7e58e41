"""The refusal check: how far a reply declines or redirects what was asked, and in which of four ways it answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.cues import cue_features
from quitbutton.assessors.encoder import Encoder
from quitbutton.assessors.heads import FOLDER
from quitbutton.assessors.ngrams import BITS, features, words_of
from quitbutton.assessors.normal import fold
from quitbutton.core.messages import Message, Role
from quitbutton.core.verdicts import ReplyLabel, ReplyVerdict

RANGES = 3
"""How many ranges of hashed features there are."""
OPENING, READ = 25, 200
"""Words: a refusal shows at once. The opening is read by itself, then as much as `READ`."""
PROMPT, LONGEST = 24, 112
"""Token ids that the encoder reads of the request, and of request and reply together."""
LABELS = (ReplyLabel.COMPLIED, ReplyLabel.PARTIAL, ReplyLabel.REDIRECTED, ReplyLabel.REFUSED)
"""What a reply can be, in the order of the encoder's kinds."""
NAME = "refusal@2"


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


class RefusalCheck:
    """Answers about the last assistant message: complied, partial, redirected or refused, and how surely not complied."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._arrays: dict[str, NDArray[Any]] = {}
        self._table: NDArray[Any] | None = None
        self._encoder: Encoder | None = None

    @property
    def name(self) -> str:
        """Name and version."""
        return NAME

    def load(self) -> None:
        """Read the weights now instead of at the first reply."""
        with self._lock:
            if self._table is None:
                with np.load(self.folder / "refusal.npz", allow_pickle=False) as file:
                    self._arrays = {name: file[name] for name in file.files}
                encoder = Encoder(self._arrays)
                encoder.load()
                self._encoder = encoder
                self._table = self._arrays["ngram"].astype(np.float32) * self._arrays["ngram_scale"]

    def classify(self, text: str, prompt: str = "") -> ReplyVerdict:
        """The verdict about one reply to a request. An empty reply is unknown."""
        if not text.strip():
            return ReplyVerdict(ReplyLabel.UNKNOWN, assessor=NAME, why="no reply")
        if self._table is None:
            self.load()
        if self._table is None or self._encoder is None:
            raise RuntimeError("the weights of the refusal check could not be read; reinstall the package")
        index, value = reply_features(text)
        cheap = float(value @ self._table[index] + self._arrays["ngram_bias"])
        deep, kinds = self._encoder.logits_of(reply_ids(self._encoder, prompt, text))
        first, second, bias = self._arrays["both"]
        likely = float(1 / (1 + np.exp(-np.clip(cheap * first + float(deep[0]) * second + bias, -30, 30))))
        return ReplyVerdict(_label(likely, kinds), round(likely, 4), NAME)

    async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
        """As `classify`, for the last assistant message and the user message before it, in a thread."""
        place = max((place for place, one in enumerate(messages) if one.role is Role.ASSISTANT), default=None)
        if place is None:
            return ReplyVerdict(ReplyLabel.UNKNOWN, assessor=NAME, why="no reply")
        asked = next((one.text for one in reversed(messages[:place]) if one.role is Role.USER), "")
        return await asyncio.to_thread(self.classify, messages[place].text, asked)


def _label(likely: float, kinds: NDArray[np.float32]) -> ReplyLabel:
    """Complied or not is the calibrated probability's word; in which way not, the likeliest of the other kinds."""
    return LABELS[0] if likely < 0.5 else LABELS[1 + int(np.argmax(kinds[1:]))]
