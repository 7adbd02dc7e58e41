"""Reads what comes back from a judge, strictly: whatever is not plainly an answer raises `AssessorFailed`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import msgspec

from quitbutton.core.errors import AssessorFailed

T = TypeVar("T")


class Usage(msgspec.Struct, frozen=True):
    """Tokens as the judge's server counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Candidate(msgspec.Struct, frozen=True):
    """A token that could have come at one place, and its natural log probability."""

    token: str
    logprob: float


class Place(msgspec.Struct, frozen=True):
    """One place of the reply."""

    token: str
    top_logprobs: list[Candidate] = []


class Logprobs(msgspec.Struct, frozen=True):
    """Token probabilities of a reply."""

    content: list[Place] | None = None


class Said(msgspec.Struct, frozen=True):
    """The message of a reply."""

    content: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """The only choice."""

    message: Said
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class _Chat(msgspec.Struct, frozen=True):
    choices: list[Choice]


class _Counted(msgspec.Struct, frozen=True):
    usage: Usage | None = None


def unreadable(what: str) -> AssessorFailed:
    """The failure of a judge whose answer is not in its format; `what` never repeats the answer."""
    return AssessorFailed(f"The judge's answer cannot be read: {what}.", "unreadable")


def decoded(body: bytes, kind: type[T]) -> T:
    """A body of that type. Raises `AssessorFailed`."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(f"it is no {kind.__name__.strip('_').lower()} reply") from error


def usage_of(body: bytes) -> Usage:
    """The tokens counted in a reply; zeros where none are."""
    try:
        return msgspec.json.decode(body, type=_Counted).usage or Usage()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Usage()


def choice_of(body: bytes) -> Choice:
    """The choice of a chat completion that says something. Raises `AssessorFailed`."""
    chat = decoded(body, _Chat)
    if not chat.choices or not (chat.choices[0].message.content or "").strip():
        raise unreadable("it says nothing")
    return chat.choices[0]


def text_of(body: bytes) -> str:
    """The text of a chat completion that ran to its end. Raises `AssessorFailed`, `truncated` where it was cut."""
    choice = choice_of(body)
    if choice.finish_reason == "length":
        raise AssessorFailed("The judge's answer was cut off before its end.", "truncated")
    return (choice.message.content or "").strip()


def probability(
    choice: Choice, is_yes: Callable[[str], bool], is_no: Callable[[str], bool], first: bool = False
) -> float | None:
    """How likely the answer is a yes, at the last (or first) place where a yes or a no stands; None if nothing tells."""
    places = (choice.logprobs.content or []) if choice.logprobs else []
    for place in places if first else reversed(places):
        if not (is_yes(place.token) or is_no(place.token)):
            continue
        yes = sum(math.exp(one.logprob) for one in place.top_logprobs if is_yes(one.token))
        no = sum(math.exp(one.logprob) for one in place.top_logprobs if is_no(one.token))
        return yes / (yes + no) if yes + no else None
    return None


def yes_probability(choice: Choice) -> float | None:
    """`probability` for answers that are `yes` or `no` in any case."""
    return probability(choice, lambda token: _bare(token) == "yes", lambda token: _bare(token) == "no")


def _bare(token: str) -> str:
    return token.strip(" \t\n▁Ġ").lower()
