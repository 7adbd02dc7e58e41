"""Assessors that say what they were told to: for tests, demos and dry runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from quitbutton.core.ladder.verdicts import (
    RANKS,
    Label,
    ReplyLabel,
    ReplyVerdict,
    Scores,
    Severity,
    SpeechMode,
    Strength,
    Target,
    Verdict,
)
from quitbutton.core.messages import Message, Role
from quitbutton.core.second import SecondReading, answer_of

NAME = "scripted@1"
Said = Label | Verdict
"""What a script says of a text: a label, or a whole verdict."""
KEYWORDS: Mapping[str, Said] = {
    "[abuse]": Label.ABUSE,
    "[harm]": Label.HARM,
    "[crisis]": Label.CRISIS,
    "[possible]": Verdict(Label.CRISIS, Scores(crisis=0.4), NAME, "scripted", strength=Strength.POSSIBLE),
    "[unknown]": Label.UNKNOWN,
    "[mild]": Verdict(
        Label.CLEAN, Scores(abuse=0.3), NAME, "scripted", target=Target.ASSISTANT, severity=Severity.MILD
    ),
    "[played]": Verdict(
        Label.CLEAN, Scores(abuse=0.3), NAME, "scripted", mode=SpeechMode.PLAY, severity=Severity.SERIOUS
    ),
}

FAINT: Mapping[str, Strength] = {"[faint]": Strength.POSSIBLE, "[faint but clear]": Strength.CLEAR}
"""Signs of a crisis that only the last look sees."""


@cache
def verdict_of(said: Said) -> Verdict:
    """A verdict of full conviction, unless the script brings its own."""
    if isinstance(said, Verdict):
        return said
    label = said
    sure = Scores(
        harm=float(label is Label.HARM), abuse=float(label is Label.ABUSE), crisis=float(label is Label.CRISIS)
    )
    return Verdict(label, sure, NAME, "scripted")


def newest(messages: Sequence[Message]) -> str:
    """The words of the newest user message; empty if there is none."""
    return next((message.text for message in reversed(messages) if message.role is Role.USER), "")


class ScriptedAssessor:
    """Labels or verdicts from a list (one a call, then `CLEAN`), a mapping of words to them, or a function of the text.

    A mapping answers for the strongest of its words that the newest user message contains. Without an argument the
    words are `[abuse]`, `[harm]`, `[crisis]`, `[possible]` (a possible crisis), `[mild]`, `[played]` and `[unknown]`.
    """

    def __init__(self, script: Iterable[Said] | Mapping[str, Said] | Callable[[str], Said] = KEYWORDS) -> None:
        self.words = dict(script) if isinstance(script, Mapping) else None
        self.function = script if callable(script) else None
        self.labels = iter(()) if callable(script) or isinstance(script, Mapping) else iter(script)

    @property
    def name(self) -> str:
        """Name and version."""
        return NAME

    def classify(self, messages: Sequence[Message]) -> Verdict:
        """The scripted answer for the newest user message."""
        text = newest(messages)
        if self.function is not None:
            return verdict_of(self.function(text))
        if self.words is None:
            return verdict_of(next(self.labels, Label.CLEAN))
        folded = text.casefold()
        found = [verdict_of(said) for word, said in self.words.items() if word.casefold() in folded]
        return max(found, key=_strength, default=verdict_of(Label.CLEAN))

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """As `classify`."""
        return self.classify(messages)

    async def look_back(self, messages: Sequence[Message]) -> Verdict:
        """A crisis where a user message of the branch holds `[faint]` (possible) or `[faint but clear]`."""
        text = "\n".join(one.text for one in messages if one.role is Role.USER).casefold()
        found = [strength for word, strength in FAINT.items() if word in text]
        if not found:
            return Verdict(Label.CLEAN, assessor=NAME, why="scripted")
        strength = min(found, key=list(Strength).index)
        return Verdict(Label.CRISIS, assessor=NAME, why="scripted", strength=strength)


def _strength(verdict: Verdict) -> tuple[int, bool, bool]:
    return RANKS[verdict.label], verdict.is_clear_crisis, verdict.is_mild


BRANCH_WORDS: Mapping[str, tuple[bool | None, bool | None]] = {
    "[at risk]": (True, True),
    "[not persistent]": (False, False),
    "[cannot say]": (None, None),
}
"""What a scripted second reader finds, by the words of the branch: persistent, at risk."""


class ScriptedSecondReader:
    """Says yes, unless the user's words in the branch hold `[at risk]`, `[not persistent]` or `[cannot say]` (unsure)."""

    @property
    def name(self) -> str:
        """Name and version."""
        return NAME

    async def read(self, messages: Sequence[Message]) -> SecondReading:
        """The scripted answer for the branch."""
        text = "\n".join(one.text for one in messages if one.role is Role.USER).casefold()
        persistent, at_risk = next((told for word, told in BRANCH_WORDS.items() if word in text), (True, False))
        return SecondReading(answer_of(persistent, at_risk), persistent, at_risk, why="scripted", assessor=NAME)


REPLY_WORDS: Mapping[str, ReplyLabel] = {f"[{label.value}]": label for label in ReplyLabel}
CANNOT_TELL = "[cannot tell]"
"""In a reply: the reader says that it cannot tell."""


class ScriptedReplies:
    """Reads a reply by the words in it: `[refused]`, `[redirected]`, `[partial]`, `[complied]`, `[unknown]`, `[cannot tell]`.

    A reply with none of them is `otherwise`; of several the first in this order counts.
    """

    def __init__(
        self, words: Mapping[str, ReplyLabel] = REPLY_WORDS, otherwise: ReplyLabel = ReplyLabel.COMPLIED
    ) -> None:
        self.words = dict(words)
        self.otherwise = otherwise

    @property
    def name(self) -> str:
        """Name and version."""
        return NAME

    async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
        """The scripted answer for the last assistant message."""
        text = next((one.text for one in reversed(messages) if one.role is Role.ASSISTANT), "").casefold()
        if not text.strip():
            return ReplyVerdict(ReplyLabel.UNKNOWN, assessor=NAME, why="no reply")
        if CANNOT_TELL in text:
            return ReplyVerdict(ReplyLabel.UNKNOWN, assessor=NAME, why="scripted", cannot_tell=True)
        found = [label for word, label in self.words.items() if word.casefold() in text]
        label = max(found, key=list(ReplyLabel).index, default=self.otherwise)
        doubtful = label in (ReplyLabel.COMPLIED, ReplyLabel.UNKNOWN)
        return ReplyVerdict(label, 0.0 if doubtful else 1.0, NAME, "scripted")
