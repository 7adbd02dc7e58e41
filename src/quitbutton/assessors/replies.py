"""The model of replies: what a reply does with what was asked, in the first reader's languages."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from quitbutton.assessors.encoder import LONGEST, Encoder
from quitbutton.assessors.heads import Heads, sigmoid
from quitbutton.core.ladder.verdicts import ReplyLabel, ReplyVerdict

LABELS = (ReplyLabel.COMPLIED, ReplyLabel.PARTIAL, ReplyLabel.REDIRECTED, ReplyLabel.REFUSED)
NOT_COMPLIED, ELSEWHERE = 4, 5
"""Places behind the four labels: whether the reply did not comply, and whether its language was not measured."""
FOREIGN = 0.5


class ReplyModel:
    """Reads the opening of a reply: a refusal shows at once. Weights are read at first use."""

    def __init__(self, name: str, heads: Heads | None = None) -> None:
        self.name = name
        self.heads = heads or Heads.load("replies")

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, its upper layers tuned for replies where they are."""
        return Encoder(self.heads.arrays)

    def limit(self, name: str) -> float:
        """A threshold by its name in `weights/replies.json`: below `complied` a reply did, from `refused` on it did not."""
        limits: dict[str, float] = self.heads.meta["thresholds"]
        return limits[name]

    def classify(self, text: str) -> ReplyVerdict:
        """The verdict about one reply. An empty one is unknown; so is one between the thresholds, or in another language."""
        if not text.strip():
            return ReplyVerdict(ReplyLabel.UNKNOWN, assessor=self.name, why="no reply")
        logits = self.heads.out(self.heads.hidden(self.encoder.encode(self.encoder.ids(text)[:LONGEST])))
        refusal = round(float(sigmoid(logits[NOT_COMPLIED])), 4)
        if sigmoid(logits[ELSEWHERE]) >= FOREIGN:
            return ReplyVerdict(ReplyLabel.UNKNOWN, refusal, self.name, "language not measured", cannot_tell=True)
        if refusal < self.limit("complied"):
            return ReplyVerdict(ReplyLabel.COMPLIED, refusal, self.name)
        if refusal < self.limit("refused"):
            return ReplyVerdict(ReplyLabel.UNKNOWN, refusal, self.name, "unsure", cannot_tell=True)
        label = LABELS[1 + int(np.argmax(logits[1:4]))]
        return ReplyVerdict(label, refusal, self.name)
