"""The default assessor: one small multilingual model and crisis rules, on the CPU, without a network."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from secrets import token_bytes

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
    Standpoints,
)
from quitbutton.assessors.encoder import Floats
from quitbutton.assessors.heads import sigmoid
from quitbutton.assessors.languages import is_other_script
from quitbutton.assessors.reader import Reader, Reading
from quitbutton.core.messages import Message, Role
from quitbutton.core.verdicts import Label, Scores, Severity, SpeechMode, Strength, Target, Verdict

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
the whole message has it or the statement that the rule found, by itself."""
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
        read = self._logits(readings)
        return self._judged(said[-1], readings[-1], read, self.reader.standpoints(read))

    def looked_back(self, messages: Sequence[Message]) -> Verdict:
        """As `look_back`, in this thread."""
        said = said_in(messages)
        readings = [self._read(text) for text in said]
        read = self._logits(readings)
        worries = [self.reader.standpoints(read[: place + 1]).worry for place in range(len(readings))]
        worry = float(sigmoid(np.float32(max(worries, default=-30.0))))
        sign = next((one.sign for one in readings if one.sign), None)
        seen = sign is not None or worry >= self.thresholds.look_back
        is_blind = any(is_other_script(text) for text in said) or bool((sigmoid(read[:, ELSEWHERE]) >= SURELY).any())
        if is_blind and not seen:
            return Verdict(Label.UNKNOWN, Scores(crisis=round(worry, 4)), NAME, "language not measured")
        label, why = (Label.CRISIS, f"rule:{sign}" if sign else "last look") if seen else (Label.CLEAN, "")
        return Verdict(label, Scores(crisis=round(worry, 4)), NAME, why, strength=Strength.POSSIBLE if seen else None)

    def _judged(self, text: str, newest: Reading, read: Floats, stand: Standpoints) -> Verdict:
        limits = self.thresholds
        now = read[-1]
        abuse, harm, danger, worry, rude = sigmoid(
            np.array([stand.abuse, stand.harm, stand.danger, stand.worry, max(now[RUDE], now[ABUSE])], np.float32)
        ).tolist()
        sign = newest.sign if max(worry, self._plea(newest)) >= BORNE_OUT else None
        scores = Scores(
            harm=round(harm, 4), abuse=round(abuse, 4), crisis=round(max(worry, limits.possible if sign else 0.0), 4)
        )
        serious, borne_out = max(sigmoid(now[ABUSE]), sigmoid(now[IN_CONTEXT])), sigmoid(now[CONCERN]) >= OWN
        severity = Severity.SERIOUS if serious >= 0.5 else Severity.MILD if rude >= limits.rude else None
        mode = MODE_NAMES[int(np.argmax(now[MODES]))]
        target = TARGET_NAMES[int(np.argmax(now[TARGETS]))] if severity else Target.NOBODY
        is_seen = borne_out and (danger >= limits.clear or worry >= limits.possible)
        if is_seen or sign or sigmoid(now[CONCERN]) >= SURE_ALONE:
            strength = Strength.CLEAR if danger >= limits.clear else Strength.POSSIBLE
            why = f"rule:{sign}" if sign else "crisis"
            return Verdict(Label.CRISIS, scores, NAME, why, True, target, mode, severity, strength)
        found = next(
            (
                (label, why)
                for label, why, own, value, limit in (
                    (Label.ABUSE, "abuse", now[ABUSE], abuse, limits.abuse),
                    (
                        Label.HARM,
                        f"harm:{HAZARD_NAMES[int(np.argmax(now[HAZARDS]))]}",
                        now[IN_CONTEXT],
                        harm,
                        limits.harm,
                    ),
                )
                if value >= limit and sigmoid(own) >= OWN
            ),
            None,
        )
        if found is None:
            return Verdict(Label.CLEAN, scores, NAME, "", True, target, mode, severity)
        label, why = found
        if is_other_script(text) or is_elsewhere(read):
            return Verdict(Label.UNKNOWN, scores, NAME, f"language not measured:{why}", True, target, mode)
        return Verdict(label, scores, NAME, why, True, target, SpeechMode.EARNEST, Severity.SERIOUS)

    def _plea(self, newest: Reading) -> float:
        """Probability that what a rule found is a crisis, read without what stands around it; 0 where none found any."""
        return 0.0 if newest.plea is None else float(sigmoid(np.float32(self.reader.by_itself(newest.plea).worry)))

    def _logits(self, readings: Sequence[Reading]) -> Floats:
        rows = [self.reader.logits(one, readings[max(0, place - 2) : place]) for place, one in enumerate(readings)]
        return np.stack(rows) if rows else np.zeros((0, 24), dtype=np.float32)

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


def is_elsewhere(read: Floats) -> bool:
    """True where the branch so far is in a language that was not measured well enough; one message alone says little."""
    return bool(sigmoid(read[:, ELSEWHERE]).mean() >= FOREIGN)
