"""What a format is: the question it puts, and the signs it reads in the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from quitbutton.assessors.judging.excerpt import Excerpt
from quitbutton.core.ladder.verdicts import Label, Scores, Verdict

CHAT = "/v1/chat/completions"

Body = dict[str, Any]
Labels = Mapping[str, Label | None]


@dataclass(frozen=True, slots=True)
class Asking:
    """What one question is made of."""

    excerpt: Excerpt
    model: str
    logprobs: bool
    nonce: str
    """Random letters and digits that the judged text cannot know."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One category of the judge's own taxonomy: whether the judge says it applies, and how likely (0 to 1)."""

    category: str
    applies: bool
    score: float


class Format(Protocol):
    """One judge's prompt format and taxonomy."""

    model: str
    """Which models speak it, for people."""
    source: str
    """Where it is published, for people."""
    path: str
    """Of the endpoint, below the server's URL."""
    shows_context: bool
    """True where the format has a place for earlier turns."""
    asks_logprobs: bool
    """Whether token probabilities are asked for when the settings leave that open."""
    labels: Labels
    """The judge's categories and what they are to us; None where they are neither abuse nor harm nor crisis."""

    def bodies(self, asking: Asking) -> list[Body]:
        """The bodies of the calls that make up one question, in the order `signs` wants their answers."""
        ...

    def signs(self, answers: Sequence[bytes]) -> list[Sign]:
        """What the answers say. Raises `AssessorFailed` when they are not in the format."""
        ...


def verdict_of(signs: Iterable[Sign], labels: Labels, assessor: str) -> Verdict:
    """The signs as our verdict: the strongest label that applies, the highest score of each.

    `why` names the categories that applied; those that are nothing to us are named in brackets.
    """
    told = list(signs)
    found = [sign for sign in told if sign.applies]
    kinds = [label for sign in found if (label := labels[sign.category]) is not None]
    order = list(Label)
    why = ",".join(sign.category if labels[sign.category] else f"({sign.category})" for sign in found)
    return Verdict(max(kinds, key=order.index, default=Label.CLEAN), _scores(told, labels), assessor, why)


def _scores(signs: list[Sign], labels: Labels) -> Scores:
    def highest(label: Label) -> float:
        return max((sign.score for sign in signs if labels[sign.category] is label), default=0.0)

    return Scores(harm=highest(Label.HARM), abuse=highest(Label.ABUSE), crisis=highest(Label.CRISIS))


def chat_body(asking: Asking, messages: list[dict[str, str]], **more: Any) -> Body:
    """The body of a chat completion at temperature 0."""
    body: Body = {"model": asking.model, "messages": messages, "temperature": 0, **more}
    if asking.logprobs:
        body |= {"logprobs": True, "top_logprobs": 5}
    return body
