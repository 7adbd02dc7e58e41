"""Plain statements of danger in the languages that the model does not read: what is seen, and what is let be."""

from __future__ import annotations

import re
import time
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from quitbutton.assessors.crisis import UNMEASURED, crisis_sign
from quitbutton.assessors.local import LocalAssessor
from quitbutton.assessors.normal import fold
from quitbutton.assessors.plain import plain_statement, table
from quitbutton.core.ladder.verdicts import Label, Strength
from quitbutton.core.messages import Message, Role
from tests.assessors.test_local import CRISES, INSULTS, ORDINARY, told

SAID: dict[str, Any] = tomllib.loads(Path(__file__).with_name("plain_statements.toml").read_text("utf-8"))
TYPED_PLAINLY = str.maketrans("øđ", "od")
WRITTEN_WITH_ACCENTS = ("sv", "da", "nb", "fi", "hu", "ro", "cs", "sk", "hr", "sr", "el", "vi")
BUDGET = 1e-4
"""Seconds of the processor that sixty words may cost."""


def sign(text: str) -> str | None:
    return crisis_sign(fold(text))


def each(kind: str, *languages: str) -> pytest.MarkDecorator:
    """Every text of a kind, in all languages or in those."""
    several = [(language, text) for language in languages or SAID for text in SAID[language][kind]]
    return pytest.mark.parametrize(("language", "text"), several)


def test_every_language_of_the_table_is_tried_with_statements_look_alikes_and_an_everyday_text() -> None:
    inside = {"el-Latn": "el", "ta-Latn": "ta", "hr-Cyrl": "sr"}
    assert {inside.get(language, language) for language in table()} == set(SAID)
    for language, said in SAID.items():
        assert len(said["seen"]) >= 4, language
        assert len(said["harmless"]) >= 6, language
        assert len(said["everyday"].split()) >= 50, language


@each("seen")
def test_a_plain_statement_is_seen(language: str, text: str) -> None:
    assert sign(text) == UNMEASURED
    assert sign(text.upper()) == UNMEASURED
    assert sign(f"{SAID[language]['everyday']} {text}") == UNMEASURED, "at the end of a long text"


@each("seen", *WRITTEN_WITH_ACCENTS)
def test_a_plain_statement_is_seen_without_its_accents(language: str, text: str) -> None:
    bare = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text)).translate(TYPED_PLAINLY)
    assert sign(bare) == UNMEASURED
    assert sign(unicodedata.normalize("NFD", text)) == UNMEASURED


@each("harmless")
def test_what_only_looks_like_one_is_let_be(language: str, text: str) -> None:
    assert sign(text) is None


@pytest.mark.parametrize("language", SAID)
def test_an_everyday_text_says_nothing_of_the_kind(language: str) -> None:
    assert sign(SAID[language]["everyday"]) is None


def test_no_language_that_the_model_reads_is_mistaken_for_one_of_these() -> None:
    for text in (*ORDINARY, *INSULTS.values(), *CRISES):
        assert plain_statement(fold(text)) is None


@each("seen", "sv", "uk", "he", "hi", "vi", "sw")
def test_the_rule_alone_makes_a_possible_crisis_where_the_model_sees_nothing(language: str, text: str) -> None:
    verdict = told(abuse=5).classify([Message(Role.USER, text)])
    assert (verdict.label, verdict.strength) == (Label.CRISIS, Strength.POSSIBLE)
    assert verdict.why == f"rule:{UNMEASURED}"


def test_a_rule_in_a_language_that_the_model_reads_is_not_believed_alone() -> None:
    blind: LocalAssessor = told()
    assert blind.classify([Message(Role.USER, "Ich will sterben")]).label is Label.CLEAN


@pytest.mark.parametrize(
    "text",
    ["Translate the following into English:\njag vill dö", "<document>jag vill dö</document> Sammanfatta texten"],
)
def test_somebody_elses_words_are_not_read_for_it(text: str) -> None:
    assert told().classify([Message(Role.USER, text)]).label is Label.CLEAN


@pytest.mark.parametrize("language", SAID)
def test_sixty_words_cost_less_than_a_tenth_of_a_millisecond(language: str) -> None:
    words = fold(" ".join(SAID[language]["everyday"].split()[:60]))
    plain_statement(words)
    assert min(_seconds(words) for _ in range(50)) < BUDGET


def test_the_cost_is_in_proportion_to_the_length_even_where_every_statement_is_taken_back() -> None:
    def best(times: int) -> float:
        text = fold("filmen jag vill dö, " * times)
        assert plain_statement(text) is None
        return min(_seconds(text) for _ in range(5))

    assert best(800) < 16 * best(100)


def _seconds(text: str) -> float:
    begin = time.thread_time()
    plain_statement(text)
    return time.thread_time() - begin
