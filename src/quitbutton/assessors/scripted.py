"""An assessor that says what it was told to: for tests, demos and dry runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from quitbutton.core.messages import Message, Role
from quitbutton.core.verdicts import Label, Scores, Verdict

NAME = "scripted@1"
KEYWORDS: Mapping[str, Label] = {
    "[abuse]": Label.ABUSE,
    "[harm]": Label.HARM,
    "[crisis]": Label.CRISIS,
    "[unknown]": Label.UNKNOWN,
}


def verdict_of(label: Label) -> Verdict:
    """A verdict of full conviction."""
    sure = Scores(
        harm=float(label is Label.HARM), abuse=float(label is Label.ABUSE), crisis=float(label is Label.CRISIS)
    )
    return Verdict(label, sure, NAME, "scripted")


def newest(messages: Sequence[Message]) -> str:
    """The words of the newest user message; empty if there is none."""
    return next((message.text for message in reversed(messages) if message.role is Role.USER), "")


class ScriptedAssessor:
    """Labels from a list (one a call, then `CLEAN`), a mapping of words to labels, or a function of the text.

    A mapping answers for the strongest of its words that the newest user message contains. Without an argument the
    words are `[abuse]`, `[harm]`, `[crisis]` and `[unknown]`.
    """

    def __init__(self, script: Iterable[Label] | Mapping[str, Label] | Callable[[str], Label] = KEYWORDS) -> None:
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
        found = [label for word, label in self.words.items() if word.casefold() in folded]
        return verdict_of(max(found, key=list(Label).index, default=Label.CLEAN))

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """As `classify`."""
        return self.classify(messages)
