"""Knows the gateway's own texts again: in a history that a client sends back, and in a model's words that imitate them.

A text of ours is known by its words, exactly and in their order, whatever white space stands between them. Its variable
parts (reasons, resources) come from the tables that it was written from, so that there is a finite set of texts and nothing
is matched by likeness. Only assistant messages and the model's own replies are ever looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from quitbutton.core.ladder.decisions import Reason
from quitbutton.core.ladder.transitions import Action
from quitbutton.core.messages import Message, Role
from quitbutton.core.notices import LANGUAGES, help_text, locked_text, support_text, words_for
from quitbutton.core.resources import INTERNATIONAL, RESOURCES

BULLETS = frozenset("-*•")
ENDING = 6
"""Characters at the end of a message by which nearly all are told at once to hold nothing of ours."""


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text of ours."""

    text: str
    may_follow: bool = False
    """Whether the model's own words may stand before it in one message; else it is only said where the model said nothing."""

    @property
    def words(self) -> tuple[str, ...]:
        """Its words, which white space and the sign of a list's points do not change."""
        return _words_of(self.text.split())


@cache
def _all() -> tuple[OwnText, ...]:
    """Every text of ours, in every language and with every filling."""
    return tuple(one for language in LANGUAGES for one in _of(language))


def _of(name: str) -> Iterator[OwnText]:
    language, lists = LANGUAGES[name], (*RESOURCES.values(), INTERNATIONAL)
    alone = (language.redirect_abuse, language.redirect_harm, language.denied)
    ends = (language.end_abuse, language.end_harm, language.end_user_request)
    yield from map(OwnText, (*alone, *(support_text(name, resources) for resources in lists)))
    following = (language.warn_abuse, language.warn_harm, language.ask, language.check_in, *ends)
    helps = dict.fromkeys(help_text(name, resources[0]) for resources in lists)
    locks = (locked_text(reason, name) for reason in Reason)
    yield from (OwnText(text, may_follow=True) for text in (*following, *helps, *locks))


@cache
def _by_ending() -> Mapping[str, Sequence[OwnText]]:
    found: dict[str, list[OwnText]] = {}
    for one in _all():
        found.setdefault(one.text[-ENDING:], []).append(one)
    return found


def _words_of(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple("-" if part in BULLETS else part for part in parts)


def cuts_in(messages: Sequence[Message]) -> dict[int, int]:
    """The assistant messages that end with texts of ours, by place, with the number of characters that are the model's."""
    endings, assistant = _by_ending(), Role.ASSISTANT
    places = [
        place
        for place, (role, text, _) in enumerate(messages)
        if role is assistant and text.rstrip()[-ENDING:] in endings
    ]
    left = ((place, left_of(messages[place].text)) for place in places)
    return {place: len(words) for place, words in left if words is not None}


def left_of(text: str) -> str | None:
    """What an assistant message says before the texts of ours that it ends with; None where it ends with none.

    Words of the model's and ours stand on lines of their own.
    """
    left: str | None = None
    while (shorter := _without_last(text)) is not None:
        left = text = shorter
    return left


def _without_last(text: str) -> str | None:
    text = text.rstrip()
    for own in _by_ending().get(text[-ENDING:], ()):
        words = own.words
        parts = text.rsplit(None, len(words))
        head = parts[0] if len(parts) > len(words) else ""
        if _words_of(parts[-len(words) :]) != words:
            continue
        if not head.strip():
            return ""
        rest = text[len(head) :]
        if own.may_follow and "\n" in rest[: len(rest) - len(rest.lstrip())]:
            return head
    return None


@cache
def _fixed_parts() -> frozenset[str]:
    """The longest part without a filling of every text of ours, on one line."""
    texts = [text for one in LANGUAGES.values() for text in one.texts]
    return frozenset(max(re.split(r"\{\w+\}", text), key=len).strip() for text in texts)


def imitates(said: str) -> bool:
    """True where the model's own words hold a text of ours, word for word."""
    line = " ".join(said.split())
    return any(part in line for part in _fixed_parts())


_END_OF_CHAT = re.compile(
    r"\b(end|ends|ended|ending|close|closed|closing|terminat\w+)\b[^.!?\n]{0,40}\b(conversation|chat|session)\b"
    r"|\b(conversation|chat|session)\b[^.!?\n]{0,40}\b(ends|ended|ending|closed|over|terminated)\b"
    r"|\b(Unterhaltung|Gespräch|Chat)\b[^.!?\n]{0,60}\bbeend\w*",
    re.IGNORECASE,
)
_MAY = re.compile(r"\b(may|might|will|could|shall|have to|going to|kann|könnte|werde|wird|muss)\b", re.IGNORECASE)
_IF = re.compile(r"\b(if|unless|otherwise|should you|wenn|falls|sonst)\b", re.IGNORECASE)
_FOREVER = re.compile(r"\b(permanent\w*|final|for good|endgültig)\b", re.IGNORECASE)
_NOT = re.compile(r"\b(not|never|no|nicht|nie|kein\w*)\b|n['’]t\b", re.IGNORECASE)


def already_said(action: Action, text: str) -> bool:
    """True when the model's own words do what the action needs; in doubt they do not, and ours are added.

    One sentence must say it, unnegated: a warning names the consequence and its condition, a farewell says that the
    conversation ends, a question says that the end is final. A sentence of another text of ours, which the model repeats
    from somewhere, says nothing.
    """
    needs = {Action.WARN: (_END_OF_CHAT, _MAY, _IF), Action.END: (_END_OF_CHAT,), Action.ASK: (_END_OF_CHAT, _FOREVER)}
    if action not in needs:
        return bool(text.strip())
    but_not = {Action.END: (_NOT, _IF)}.get(action, (_NOT,))
    sentences = [
        one
        for one in re.split(r"(?<=[.!?])\s+|\n+", text)
        if all(pattern.search(one) for pattern in needs[action]) and not any(pattern.search(one) for pattern in but_not)
    ]
    return any(not _is_of_another(action, " ".join(one.split())) for one in sentences)


def _is_of_another(action: Action, sentence: str) -> bool:
    """True for a sentence that stands in a text of ours which is not said for this action."""
    own = [words_for(action, reason, language) for language in LANGUAGES for reason in Reason]
    return not any(sentence in text for text in own) and any(sentence in one.text for one in _all())
