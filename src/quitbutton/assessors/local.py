"""The default assessor: a small local model, and crisis rules beside it. No network, a few milliseconds, one core."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from secrets import token_bytes

import numpy as np

from quitbutton.assessors.crisis import crisis_sign, weight_of_heads
from quitbutton.assessors.encoder import Encoder
from quitbutton.assessors.heads import CRISES, HEADS, Heads
from quitbutton.assessors.languages import is_weak
from quitbutton.assessors.ngrams import words_of
from quitbutton.assessors.normal import fold
from quitbutton.assessors.provenance import own_words
from quitbutton.core.messages import Message, Role
from quitbutton.core.verdicts import Label, Scores, Verdict

LOOK_BACK = 3
"""How many earlier user messages the crisis check reads. A constant: cost must not grow with the history."""
WINDOW, STRIDE = 50, 35
"""Words: of a longer message the encoder reads the window that worries the cheap half most."""
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability on a head counts. The shipped values are in `weights/local.json`."""

    insult: float
    hate: float
    harm: float
    selfharm: float
    distress: float
    threat: float
    earlier: float = 0.9
    """For a crisis in an earlier message."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one text is by itself."""

    insult: float = 0.0
    hate: float = 0.0
    harm: float = 0.0
    selfharm: float = 0.0
    distress: float = 0.0
    threat: float = 0.0
    sign: str | None = None
    weak: bool = False


class LocalAssessor:
    """Says abuse, harm, crisis or clean about the user's own words."""

    def __init__(self, thresholds: Thresholds | None = None, *, use_encoder: bool = True) -> None:
        self._thresholds = thresholds
        self.use_encoder = use_encoder
        self.encoder = Encoder() if use_encoder else None
        self._heads: Heads | None = None
        self._lock = threading.Lock()
        self._secret = token_bytes(16)
        self._seen: OrderedDict[bytes, Reading] = OrderedDict()

    @property
    def name(self) -> str:
        """Name and version."""
        return "local@1"

    @property
    def heads(self) -> Heads:
        """The trained heads, read at first use."""
        with self._lock:
            if self._heads is None:
                self._heads = Heads.load()
            return self._heads

    @property
    def thresholds(self) -> Thresholds:
        """Those given, else the shipped ones."""
        if self._thresholds is None:
            shipped = self.heads.meta["thresholds"]
            self._thresholds = Thresholds(**{field.name: shipped[field.name] for field in fields(Thresholds)})
        return self._thresholds

    def load(self) -> None:
        """Read all weights now instead of at the first message."""
        _ = self.thresholds
        if self.encoder is not None:
            self.encoder.load()

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """As `classify`, in a thread: the event loop goes on."""
        return await asyncio.to_thread(self.classify, messages)

    def classify(self, messages: Sequence[Message]) -> Verdict:
        """The verdict about the newest user message; its few predecessors count for a crisis only."""
        said: list[str] = []
        for message in reversed(messages):
            if message.role is Role.USER:
                said.append(message.text)
                if len(said) > LOOK_BACK:
                    break
        if not said:
            return Verdict(Label.CLEAN, assessor=self.name, why="no user message")
        now, *before = (self.read(text) for text in said)
        return self._judge(now, before)

    def _judge(self, now: Reading, before: Sequence[Reading]) -> Verdict:
        limits = self.thresholds
        crisis = max(getattr(now, head) for head in CRISES)
        scores = Scores(harm=now.harm, abuse=max(now.insult, now.hate), crisis=max(crisis, 0.99 if now.sign else 0.0))
        earlier = [past for past in before if past.sign or max(past.selfharm, past.threat) >= limits.earlier]
        if now.sign:
            return Verdict(Label.CRISIS, scores, self.name, f"rule:{now.sign}")
        for head in CRISES:
            if getattr(now, head) >= getattr(limits, head):
                return Verdict(Label.CRISIS, scores, self.name, head)
        if earlier:
            return Verdict(Label.CRISIS, scores, self.name, "earlier message")
        for head, label in (("insult", Label.ABUSE), ("hate", Label.ABUSE), ("harm", Label.HARM)):
            if getattr(now, head) >= getattr(limits, head):
                if now.weak:
                    return Verdict(Label.UNKNOWN, scores, self.name, f"weak language:{head}")
                return Verdict(label, scores, self.name, head)
        return Verdict(Label.CLEAN, scores, self.name)

    def read(self, text: str) -> Reading:
        """What one text is by itself. Remembered by a keyed digest, so that a history is not read anew each turn."""
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret).digest()
        with self._lock:
            if (known := self._seen.get(key)) is not None:
                self._seen.move_to_end(key)
                return known
        reading = self._read(text)
        with self._lock:
            self._seen[key] = reading
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return reading

    def _read(self, text: str) -> Reading:
        own = own_words(text)
        folded = fold(own)
        words = words_of(folded)
        if not words:
            return Reading()
        heads = self.heads
        cheap = heads.cheap(words)
        focus = folded
        if len(words) > WINDOW + STRIDE // 2:
            starts = range(0, len(words) - WINDOW + STRIDE, STRIDE)
            parts = [words[begin : begin + WINDOW] for begin in starts]
            seen = np.stack([heads.cheap(part) for part in parts])
            worst = int(np.argmax((seen - heads.arrays["gate"]).max(axis=1)))
            focus = " ".join(parts[worst])
            danger = [HEADS.index(head) for head in CRISES]
            cheap[danger] = np.maximum(cheap[danger], seen.max(axis=0)[danger])
        if self.encoder is None or heads.is_sure(cheap):
            likely = heads.alone(cheap)
        else:
            likely = heads.both(cheap, heads.deep(self.encoder.encode(focus)))
        weight = weight_of_heads(folded, float(likely[0]))
        values = {
            head: round(float(value) * (weight if head in CRISES else 1.0), 4)
            for head, value in zip(HEADS, likely, strict=True)
        }
        return Reading(
            insult=values["insult"],
            hate=values["hate"],
            harm=values["harm"],
            selfharm=values["selfharm"],
            distress=values["distress"],
            threat=values["threat"],
            sign=crisis_sign(folded),
            weak=is_weak(words, folded),
        )
