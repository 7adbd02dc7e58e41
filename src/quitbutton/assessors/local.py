"""The default assessor: one small multilingual model and crisis rules, on the CPU, without a network."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from secrets import token_bytes
from typing import NamedTuple

import numpy as np

from quitbutton.assessors.branch import (
    ABUSE,
    CONCERN,
    ELSEWHERE,
    HAZARDS,
    IN_CONTEXT,
    MODES,
    RUDE,
    TARGETS,
    Read,
    Standpoints,
)
from quitbutton.assessors.crisis import UNMEASURED
from quitbutton.assessors.encoder import Floats
from quitbutton.assessors.heads import sigmoid
from quitbutton.assessors.languages import is_english, is_other_script
from quitbutton.assessors.reader import Reader, Reading
from quitbutton.core.ladder.verdicts import Label, Scores, Severity, SpeechMode, Strength, Target, Verdict
from quitbutton.core.messages import Message, Role

NAME = "local@3"
LOOK_BACK = 12
"""How many user messages of a branch are read: cost must not grow with the history."""
REMEMBERED = 4096
BRIEF = 600
"""Characters, all new texts together: shorter ones are read where they are asked for; a thread would cost more."""
OWN = 0.12
"""Probability by itself below which a message is no strike and no crisis, whatever came before it: it must go on in it."""
SURE_ALONE = 0.86
"""Probability of a crisis by itself from which on a message is one, however much abuse came before it."""
BORNE_OUT = 0.1
"""Probability of a crisis from which on a rule is believed: alone, rules are wrong more often than right. Either
the whole message has it or the statement that the rule found, by itself. In a language that the model does not read the
rule is all there is, and is believed."""
SURELY = 0.97
"""The probability below for one message alone, in the last look: a crisis may be hidden in what nobody could read."""
FOREIGN = 0.5
"""Probability from which on a message is taken to be in a language that was not measured, or not well enough."""
TARGET_NAMES = tuple(Target)
MODE_NAMES = tuple(SpeechMode)
HAZARD_NAMES = ("violent", "nonviolent", "sex", "weapons", "hate", "privacy", "deception")
"""Kinds of harmful requests after MLCommons' AILuminate 1.0, and deception, which it has not."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability on a score counts. The shipped values are in `weights/reader.json`."""

    abuse: float
    harm: float
    clear: float
    """A clear crisis."""
    possible: float
    """A possible one."""
    look_back: float
    """A possible one in the last look before a warning or an end."""
    rude: float
    """Rudeness: told, never counted."""
    first: float
    """A possible crisis in the first message of a branch, which has nothing before it that could bear it out."""

    def at(self, place: int) -> Thresholds:
        """Those that hold for the message at a place of the branch, from 0."""
        return replace(self, possible=min(self.first, self.possible)) if place == 0 else self


@dataclass(frozen=True, slots=True)
class Judgement:
    """The newest message in probabilities: after all that was said before, and by itself."""

    abuse: float
    harm: float
    danger: float
    worry: float
    own_abuse: float
    own_harm: float
    own_worry: float
    hazard: str
    """The kind of harm, if it is any."""
    target: Target
    mode: SpeechMode
    severity: Severity | None

    @classmethod
    def of(cls, now: Floats, stand: Standpoints, limits: Thresholds) -> Judgement:
        """From the message's logits and what the branch makes of it."""
        own = [now[ABUSE], now[IN_CONTEXT], now[CONCERN], max(now[RUDE], now[ABUSE])]
        abuse, harm, danger, worry, own_abuse, own_harm, own_worry, rude = sigmoid(
            np.array([*stand, *own], np.float32)
        ).tolist()
        is_serious = max(own_abuse, own_harm) >= 0.5
        severity = Severity.SERIOUS if is_serious else Severity.MILD if rude >= limits.rude else None
        target = TARGET_NAMES[int(np.argmax(now[TARGETS]))] if severity else Target.NOBODY
        hazard, mode = HAZARD_NAMES[int(np.argmax(now[HAZARDS]))], MODE_NAMES[int(np.argmax(now[MODES]))]
        return cls(abuse, harm, danger, worry, own_abuse, own_harm, own_worry, hazard, target, mode, severity)

    def scores(self, limits: Thresholds, sign: str | None) -> Scores:
        """As the verdict tells them; a rule that is believed lifts the crisis to where it counts."""
        crisis = max(self.worry, limits.possible if sign else 0.0)
        return Scores(harm=round(self.harm, 4), abuse=round(self.abuse, 4), crisis=round(crisis, 4))

    def is_crisis(self, limits: Thresholds) -> bool:
        """Whether the model alone sees one, clear or possible."""
        is_seen = self.danger >= limits.clear or self.worry >= limits.possible
        return (is_seen and self.own_worry >= OWN) or self.own_worry >= SURE_ALONE

    def strike(self, limits: Thresholds) -> tuple[Label, str] | None:
        """What speaks against the user, and why."""
        if self.abuse >= limits.abuse and self.own_abuse >= OWN:
            return Label.ABUSE, "abuse"
        if self.harm >= limits.harm and self.own_harm >= OWN:
            return Label.HARM, f"harm:{self.hazard}"
        return None


class Plea(NamedTuple):
    """What a plain statement of danger is by itself, whatever was said around it and before."""

    danger: float
    worry: float


class LocalAssessor:
    """Says abuse, harm, crisis or clean about the newest user message of a branch, in more than a dozen languages."""

    def __init__(self, thresholds: Thresholds | None = None, *, reader: Reader | None = None) -> None:
        self.reader = reader or Reader()
        self._thresholds = thresholds
        self._lock = threading.Lock()
        self._secret = token_bytes(16)
        self._known: OrderedDict[bytes, Reading] = OrderedDict()
        self._is_warm = False

    @property
    def name(self) -> str:
        """Name and version."""
        return NAME

    @property
    def thresholds(self) -> Thresholds:
        """Those given, else the shipped ones."""
        if self._thresholds is None:
            shipped = self.reader.meta["thresholds"]
            self._thresholds = Thresholds(**{field.name: shipped[field.name] for field in fields(Thresholds)})
        return self._thresholds

    def load(self) -> None:
        """Read all weights now instead of at the first message."""
        self.reader.load()
        _ = self.thresholds
        self._is_warm = True

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """As `classify`. What takes more than a moment is done in a thread: the event loop goes on."""
        if self._is_warm and self._is_brief(said_in(messages)):
            return self.classify(messages)
        return await asyncio.to_thread(self.classify, messages)

    async def look_back(self, messages: Sequence[Message]) -> Verdict:
        """Whether any of the branch's messages may be a crisis, at the threshold of the last look."""
        return await asyncio.to_thread(self.looked_back, messages)

    def classify(self, messages: Sequence[Message]) -> Verdict:
        """The verdict about the newest user message, read after those before it."""
        said = said_in(messages)
        if not said:
            return Verdict(Label.CLEAN, assessor=NAME, why="no user message")
        readings = [self._read(text) for text in said]
        read = self.reader.branch(readings)
        return self._judged(said, readings[-1], read)

    def looked_back(self, messages: Sequence[Message]) -> Verdict:
        """As `look_back`, in this thread."""
        said = said_in(messages)
        if not said:
            return Verdict(Label.CLEAN, assessor=NAME, why="no user message")
        readings = [self._read(text) for text in said]
        read = self.reader.branch(readings)
        highest = max(self.reader.standpoints(read.until(end)).worry for end in range(1, len(said) + 1))
        worry = float(sigmoid(np.float32(highest)))
        sign = next((one.sign for one in readings if one.sign), None)
        seen = sign is not None or worry >= self.thresholds.look_back
        if not seen and (any(map(is_other_script, said)) or (foreignness(said, read.logits) >= SURELY).any()):
            return Verdict(Label.UNKNOWN, Scores(crisis=round(worry, 4)), NAME, "language not measured")
        label, why = (Label.CRISIS, f"rule:{sign}" if sign else "last look") if seen else (Label.CLEAN, "")
        return Verdict(label, Scores(crisis=round(worry, 4)), NAME, why, strength=Strength.POSSIBLE if seen else None)

    def _judged(self, said: Sequence[str], newest: Reading, read: Read) -> Verdict:
        """A crisis first, then abuse, then harm, where the language is one that is measured; else clean."""
        limits, now = self.thresholds.at(len(said) - 1), read.logits[-1]
        one = Judgement.of(now, self.reader.standpoints(read), limits)
        plea = self._plea(newest)
        is_believed = newest.sign == UNMEASURED or max(one.worry, plea.worry) >= BORNE_OUT
        sign = newest.sign if is_believed else None
        verdict = Verdict(Label.CLEAN, one.scores(limits, sign), NAME, "", True, one.target, one.mode, one.severity)
        if sign or one.is_crisis(limits):
            strength = Strength.CLEAR if max(one.danger, plea.danger) >= limits.clear else Strength.POSSIBLE
            return replace(verdict, label=Label.CRISIS, why=f"rule:{sign}" if sign else "crisis", strength=strength)
        strike = one.strike(limits)
        if strike is None:
            return verdict
        label, why = strike
        if is_other_script(said[-1]) or foreignness(said, read.logits).mean() >= FOREIGN:
            return replace(verdict, label=Label.UNKNOWN, why=f"language not measured:{why}", severity=None)
        return replace(verdict, label=label, why=why, mode=SpeechMode.EARNEST, severity=Severity.SERIOUS)

    def _plea(self, newest: Reading) -> Plea:
        """How likely what a rule found is a crisis, read without what stands around it; 0 where none found any."""
        if newest.plea is None:
            return Plea(0.0, 0.0)
        stand = self.reader.by_itself(newest.plea)
        return Plea(*sigmoid(np.array([stand.danger, stand.worry], np.float32)).tolist())

    def _is_brief(self, said: Sequence[str]) -> bool:
        """Whether what was not read before is read in a moment."""
        with self._lock:
            return sum(len(text) for text in said if self._key(text) not in self._known) <= BRIEF

    def _read(self, text: str) -> Reading:
        """A message's reading. Remembered by a keyed digest, so that a history is not read anew each turn."""
        key = self._key(text)
        with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
        reading = self.reader.read(text)
        with self._lock:
            self._known[key] = reading
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return reading

    def _key(self, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret).digest()


def said_in(messages: Sequence[Message]) -> list[str]:
    """The texts that are read: the newest user messages, oldest first."""
    return [message.text for message in messages if message.role is Role.USER][-LOOK_BACK:]


def foreignness(said: Sequence[str], read: Floats) -> Floats:
    """How likely each message is in a language that was not measured well enough; one message alone says little."""
    chances = sigmoid(read[:, ELSEWHERE])
    return np.where([is_english(text) for text in said], 0, chances).astype(np.float32)
