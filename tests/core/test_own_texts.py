"""Texts of ours are known again by their words alone, and what only looks like one is left as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitbutton.core.ladder.decisions import Reason
from quitbutton.core.ladder.transitions import MUST_NOTIFY, Action
from quitbutton.core.messages import Message, Role
from quitbutton.core.notices import (
    ENGLISH,
    GERMAN,
    LANGUAGES,
    Language,
    fallback,
    help_text,
    locked_text,
    support_text,
    words_for,
)
from quitbutton.core.own_texts import already_said, cuts_in, imitates, left_of
from quitbutton.core.resources import INTERNATIONAL, RESOURCES, resources_for

LOCALES = ["en-US", "en-GB", "de-AT", "fr", "pt-BR", "en"]
REASONS = [None, *Reason]
FOLLOWING = (*MUST_NOTIFY, Action.CHECK_IN)
TELLING = {
    *(words_for(action, reason, name) for action in FOLLOWING for reason in REASONS for name in LANGUAGES),
    *(help_text(name, resources_for(locale)[0]) for name in LANGUAGES for locale in LOCALES),
    *(locked_text(reason, name) for reason in Reason for name in LANGUAGES),
}
"""Texts that may follow the model's own words."""
ANSWERING = {
    *(words_for(action, reason, name) for action in Action for reason in REASONS for name in LANGUAGES),
    *(fallback(name) for name in LANGUAGES),
    *(support_text(name, list_) for name in LANGUAGES for list_ in (*RESOURCES.values(), INTERNATIONAL)),
} - {"", ENGLISH.support, GERMAN.support, *TELLING}
"""Texts that are a reply of their own."""
SUPPORT = support_text("en", resources_for("en-US"))
WARNING = f"{ENGLISH.warn_abuse}\n\n{help_text('en', resources_for('en-US')[0])}"


@pytest.mark.parametrize("text", sorted(TELLING | ANSWERING))
def test_every_text_of_ours_is_known_whatever_became_of_its_white_space(text: str) -> None:
    assert left_of(text) == ""
    assert left_of(f"\n  {text} \n") == ""
    assert left_of(re.sub(r"\n+", "\n", text)) == ""
    assert left_of(text.replace("\n", "\r\n")) == ""
    assert left_of(text.replace("\n- ", "\n* ")) == ""
    assert left_of(text.replace(". ", ".\n")) == ""


@pytest.mark.parametrize("text", sorted(TELLING))
def test_only_our_part_is_cut_where_it_follows_the_models_own(text: str) -> None:
    assert left_of(f"I would rather not.\n\n{text}") == "I would rather not."
    assert left_of(f"  I would rather not. \n{text}\n") == "  I would rather not."
    assert left_of(f"I would rather not. {text}") is None, "a quotation within a line is the model's"


@pytest.mark.parametrize("text", sorted(ANSWERING))
def test_a_text_that_we_say_by_itself_alone_is_the_models_where_it_follows_other_words(text: str) -> None:
    assert left_of(f"I would rather not.\n\n{text}") is None


def test_a_warning_goes_with_its_offer_of_help_and_with_what_was_repeated_before_it() -> None:
    assert left_of(WARNING) == ""
    assert left_of(f"No.\n\n{WARNING}") == "No."
    assert left_of(f"No.\n\n{ENGLISH.end_abuse}\n\n{WARNING}") == "No."


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "chat.",
        "You can start a new chat.",
        ENGLISH.warn_abuse.replace("abusive", "rude"),
        f"{WARNING} So there.",
        f"{SUPPORT}\n- A friend: call 12345",
        SUPPORT.replace("988", "989", 1),
        ENGLISH.support,
        SUPPORT.upper(),
        WARNING.replace(" ", ""),
    ],
)
def test_what_is_only_like_ours_is_not_ours(text: str) -> None:
    assert left_of(text) is None


@given(st.text(max_size=60), st.sampled_from(sorted(TELLING)))
def test_whatever_the_model_said_before_is_left(said: str, ours: str) -> None:
    assert left_of(f"{said}\n\n{ours}") == said.rstrip()


@given(st.lists(st.sampled_from([*" ".join(TELLING).split(), "\n\n"]), max_size=40))
def test_words_of_ours_in_another_order_are_left(words: list[str]) -> None:
    text = " ".join(words)
    left = left_of(text)
    assert left is None or any(" ".join(text.split()).endswith(" ".join(one.split())) for one in TELLING | ANSWERING)


def test_only_assistant_messages_are_cut() -> None:
    roles = [Role.USER, Role.SYSTEM, Role.TOOL, Role.ASSISTANT]
    messages = [Message(role, f"See:\n\n{WARNING}") for role in roles]
    assert cuts_in([*messages, Message(Role.ASSISTANT, "Hello."), Message(Role.ASSISTANT, SUPPORT)]) == {3: 4, 5: 0}


@pytest.mark.parametrize("language", list(LANGUAGES.values()), ids=list(LANGUAGES))
def test_every_text_of_a_language_is_known_as_an_imitation(language: Language) -> None:
    for text in language.texts:
        filled = re.sub(r"\{\w+\}", "somebody", text)
        assert imitates(f"Well, {filled} And more.")
        assert imitates(filled.replace(" ", "\n"))


@pytest.mark.parametrize("language", list(LANGUAGES.values()), ids=list(LANGUAGES))
def test_no_text_of_a_language_is_forgotten(language: Language) -> None:
    whole = [text for text in language.texts if "{" not in text and text != language.support]
    assert len(whole) == len(language.texts) - 3, "all but help, support and the lock, which are filled in"
    assert [left_of(text) for text in whole] == [""] * len(whole)


@pytest.mark.parametrize("said", ["", "Hello.", "This is a warning: the road is wet.", "You can start a new chat."])
def test_ordinary_words_imitate_nothing(said: str) -> None:
    assert not imitates(said)


@pytest.mark.parametrize("action", MUST_NOTIFY)
def test_a_text_of_ours_that_the_model_repeats_does_not_stand_for_another(action: Action) -> None:
    own = {words_for(action, reason, name) for reason in Reason for name in LANGUAGES}
    for text in (TELLING | ANSWERING | {SUPPORT}) - own:
        assert not already_said(action, text), text
        assert not already_said(action, f"Well.\n{text} Bye.".replace(" ", "  ")), text


def test_our_own_warning_in_the_models_mouth_is_a_warning_on_the_turn_that_warns() -> None:
    assert already_said(Action.WARN, ENGLISH.warn_abuse)
    assert already_said(Action.END, ENGLISH.end_harm)


def test_a_farewell_is_not_conditional() -> None:
    assert already_said(Action.END, "I am ending this conversation now.")
    assert not already_said(Action.END, "If you go on I will end this conversation.")
