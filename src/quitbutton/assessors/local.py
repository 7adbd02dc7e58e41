"""The default assessor: a small local model, and crisis rules beside it. No network, a few milliseconds, one core."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from secrets import token_bytes
from typing import NamedTuple

import numpy as np

from quitbutton.assessors.base import base
from quitbutton.assessors.crisis import crisis_sign, weight_of_heads
from quitbutton.assessors.encoder import Encoder
from quitbutton.assessors.heads import CRISES, HARSH, HAZARDS, HEADS, Heads, Logits, are_below, sigmoid
from quitbutton.assessors.languages import is_weak
from quitbutton.assessors.ngrams import words_of
from quitbutton.assessors.normal import fold
from quitbutton.assessors.provenance import own_words
from quitbutton.assessors.student import Student
from quitbutton.core.messages import Message, Role
from quitbutton.core.verdicts import Label, Scores, Verdict

LOOK_BACK = 0
"""How many earlier user messages are read: none, since what they were holds the branch already."""
WINDOW, STRIDE = 50, 35
"""Words: of a longer message the encoder reads head and tail, and the window that worries the cheap half most."""
REMEMBERED = 4096
BRIEF = 500
"""Characters, all texts together: shorter ones are read where they are asked for, unless the encoder has to read too; a
thread would cost more."""
LIKELY, NOTABLE = 0.5, 0.05
"""Probabilities: more likely than not, and too high to go unremarked."""
LOWEST = np.full(len(HEADS) + 1, -30.0, dtype=np.float32)
"""Logits of nothing at all."""
GUESSED = 0.07
"""The latter for a guess of the student, which is less sharp: from here on the encoder is asked."""
REQUESTED = 0.75
"""How much a threat's score counts in what is likely a request for harm: naming a deed is not yet announcing it."""
NAME = "local@2"


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
    harsh: float = 0.0
    """Harsh words or topics without harm."""
    hazard: str = ""
    """Which kind of harm a request would do; empty where the encoder was not asked."""
    sign: str | None = None
    weak: bool = False


class Doubt(NamedTuple):
    """A text that the encoder has to read too: what the cheap half saw in it."""

    key: bytes
    """Under which its reading is remembered."""
    folded: str
    words: list[str]
    cheap: Logits
    guess: Logits
    """What the student says of the parts that it is sure of."""
    parts: Sequence[list[int]]
    """Token ids of the others: the text or, of a long one, the window that worries most, or both."""


def weighed(folded: str, likely: Logits) -> Logits:
    """The heads' probabilities, those of a crisis taken down in errands, in insults of the bot alone, in requests."""
    out = likely.copy()
    out[len(HEADS) - len(CRISES) :] *= weight_of_heads(folded, float(likely[HEADS.index("insult")]))
    if likely[HEADS.index("harm")] >= LIKELY:
        out[HEADS.index("threat")] *= REQUESTED
    return out


def reading_of(folded: str, words: list[str], likely: Logits, harsh: float = 0.0, hazard: str = "") -> Reading:
    """A text's reading from the heads' probabilities and the rules."""
    values = {head: round(value, 4) for head, value in zip(HEADS, weighed(folded, likely).tolist(), strict=True)}
    return Reading(
        **values, harsh=round(harsh, 4), hazard=hazard, sign=crisis_sign(folded), weak=is_weak(words, folded)
    )


def judged(now: Reading, before: Sequence[Reading], limits: Thresholds) -> Verdict:
    """The verdict from the newest message's reading and those of the few before it."""
    crisis = max(getattr(now, head) for head in CRISES)
    scores = Scores(harm=now.harm, abuse=max(now.insult, now.hate), crisis=max(crisis, 0.99 if now.sign else 0.0))
    if danger := _danger(now, limits):
        return Verdict(Label.CRISIS, scores, NAME, danger)
    for head, label in (("insult", Label.ABUSE), ("hate", Label.ABUSE), ("harm", Label.HARM)):
        if getattr(now, head) >= getattr(limits, head):
            if now.weak:
                return Verdict(Label.UNKNOWN, scores, NAME, f"weak language:{head}")
            why = f"{head}:{now.hazard}" if head == "harm" and now.hazard else head
            return Verdict(label, scores, NAME, why)
    looked_at = max(scores.harm, scores.abuse) >= NOTABLE
    return Verdict(Label.CLEAN, scores, NAME, HARSH if looked_at and now.harsh >= LIKELY else "")


def _danger(now: Reading, limits: Thresholds) -> str:
    """What speaks for a crisis: a rule or a head; empty where nothing does. An earlier sign holds the branch already."""
    if now.sign:
        return f"rule:{now.sign}"
    for head in CRISES:
        if getattr(now, head) >= getattr(limits, head):
            return head
    return ""


def said_in(messages: Sequence[Message]) -> list[str]:
    """The texts that are looked at: the newest user message, then its few predecessors."""
    newest = (message.text for message in reversed(messages) if message.role is Role.USER)
    return list(islice(newest, 1 + LOOK_BACK))


def is_brief(said: Sequence[str]) -> bool:
    """Whether texts are read in a moment. Folding makes ASCII no longer; other letters it may."""
    return sum(map(len, said)) <= BRIEF and all(map(str.isascii, said))


def _is_remarkable(likely: Logits, said: Logits) -> bool:
    """True where a clean message may be called harsh for its topic: that is for the encoder to say."""
    return bool(said[-1] >= 0 and likely[HEADS.index("harm")] >= GUESSED)


class LocalAssessor:
    """Says abuse, harm, crisis or clean about the user's own words."""

    def __init__(self, thresholds: Thresholds | None = None, *, use_encoder: bool = True) -> None:
        self._thresholds = thresholds
        self.use_encoder = use_encoder
        self._encoder: Encoder | None = None
        self._heads: Heads | None = None
        self._lock = threading.Lock()
        self._secret = token_bytes(16)
        self._seen: OrderedDict[bytes, Reading] = OrderedDict()
        self._is_warm = False
        """True once the weights are in memory."""

    @property
    def name(self) -> str:
        """Name and version."""
        return NAME

    @property
    def heads(self) -> Heads:
        """The trained heads, read at first use."""
        with self._lock:
            if self._heads is None:
                self._heads = Heads.load()
                self._encoder = Encoder(self._heads.arrays) if self.use_encoder else None
            return self._heads

    @property
    def encoder(self) -> Encoder:
        """The tuned encoder. Raises `RuntimeError` where it was switched off."""
        _ = self.heads
        if self._encoder is None:
            raise RuntimeError("this assessor was made without its encoder (use_encoder=False)")
        return self._encoder

    @cached_property
    def student(self) -> Student:
        """The encoder's student, made at first use."""
        return Student(self.heads.arrays, base(self.encoder.model))

    @cached_property
    def bars(self) -> Logits:
        """Below which probabilities its guess is enough, for these thresholds."""
        return self.heads.bars([getattr(self.thresholds, head) for head in HEADS])

    @property
    def thresholds(self) -> Thresholds:
        """Those given, else the shipped ones."""
        if self._thresholds is None:
            shipped = self.heads.meta["thresholds"]
            self._thresholds = Thresholds(**{field.name: shipped[field.name] for field in fields(Thresholds)})
        return self._thresholds

    def load(self) -> None:
        """Read all weights now instead of at the first message."""
        _ = self.thresholds, self.heads.table
        if self._encoder is not None:
            self._encoder.load()
            _ = self.student, self.bars
        self._is_warm = True

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """As `classify`. What takes more than a moment is done in a thread: the event loop goes on."""
        said = said_in(messages)
        if not self._is_warm or not is_brief(said):
            return await asyncio.to_thread(self.classify, messages)
        seen = self._looked_at(said)
        if any(isinstance(one, Doubt) for one in seen):
            return await asyncio.to_thread(self._judged, seen)
        return self._judged(seen)

    def classify(self, messages: Sequence[Message]) -> Verdict:
        """The verdict about the newest user message; its few predecessors count for a crisis only."""
        return self._judged(self._looked_at(said_in(messages)))

    def read(self, text: str, only_crisis: bool = False) -> Reading:
        """What one text is by itself. Remembered by a keyed digest, so that a history is not read anew each turn.

        With `only_crisis` the encoder is spared where a crisis can be ruled out; the other heads say little then.
        """
        return self._settled(self._look(text, only_crisis))

    def _judged(self, seen: Sequence[Reading | Doubt]) -> Verdict:
        readings = [self._settled(one) for one in seen]
        if not readings:
            return Verdict(Label.CLEAN, assessor=NAME, why="no user message")
        return judged(readings[0], readings[1:], self.thresholds)

    def _looked_at(self, said: Sequence[str]) -> list[Reading | Doubt]:
        return [self._look(text, only_crisis=place > 0) for place, text in enumerate(said)]

    def _look(self, text: str, only_crisis: bool = False) -> Reading | Doubt:
        """What is remembered of a text, or what can be said of it without the encoder."""
        keys = [self._key(text, b"")] + ([self._key(text, b"crisis")] if only_crisis else [])
        with self._lock:
            for key in keys:
                if (known := self._seen.get(key)) is not None:
                    self._seen.move_to_end(key)
                    return known
        found = self._glance(text, CRISES if only_crisis else HEADS, keys[-1])
        return self._kept(keys[-1], found) if isinstance(found, Reading) else found

    def _key(self, text: str, purpose: bytes) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret, person=purpose).digest()

    def _kept(self, key: bytes, reading: Reading) -> Reading:
        with self._lock:
            self._seen[key] = reading
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return reading

    def _glance(self, text: str, asked: Sequence[str], key: bytes) -> Reading | Doubt:
        """What the cheap half says of a text, or it and the encoder's student; in doubt where the encoder could change it."""
        folded = fold(own_words(text))
        words = words_of(folded)
        if not words:
            return Reading()
        heads = self.heads
        cheap, focus = heads.cheap(words), ""
        if len(words) > WINDOW + STRIDE // 2:
            cheap, focus = self._most_worrying(words, cheap)
        if self._encoder is None or heads.is_sure(cheap, asked):
            return reading_of(folded, words, heads.alone(cheap))
        guess, doubtful = LOWEST, []
        for ids in [self._encoder.ids(part) for part in (folded, focus) if part]:
            said = self.student.logits(ids)
            likely = heads.both(cheap, said)
            if are_below(likely, self.bars, asked) and not (asked is HEADS and _is_remarkable(likely, said)):
                guess = np.maximum(guess, said)
            else:
                doubtful.append(ids)
        if doubtful:
            return Doubt(key, folded, words, cheap, guess, doubtful)
        return reading_of(folded, words, heads.both(cheap, guess))

    def _settled(self, seen: Reading | Doubt) -> Reading:
        """A reading: the encoder reads what is in doubt."""
        if isinstance(seen, Reading):
            return seen
        found = [self.encoder.logits_of(ids) for ids in seen.parts]
        deep, kinds = np.max([seen.guess, *(heads for heads, _ in found)], axis=0), found[0][1]
        harsh, hazard = float(sigmoid(deep)[-1]), HAZARDS[int(np.argmax(kinds))]
        likely = self.heads.both(seen.cheap, deep)
        return self._kept(seen.key, reading_of(seen.folded, seen.words, likely, harsh, hazard))

    def _most_worrying(self, words: list[str], cheap: Logits) -> tuple[Logits, str]:
        """The cheap logits with the crisis heads at their highest over all windows, and the worst window's text."""
        parts = [words[begin : begin + WINDOW] for begin in range(0, len(words) - WINDOW + STRIDE, STRIDE)]
        seen = np.stack([self.heads.cheap(part) for part in parts])
        worst = int(np.argmax((seen - self.heads.arrays["gate"]).max(axis=1)))
        danger = [HEADS.index(head) for head in CRISES]
        cheap = cheap.copy()
        cheap[danger] = np.maximum(cheap[danger], seen.max(axis=0)[danger])
        return cheap, " ".join(parts[worst])
