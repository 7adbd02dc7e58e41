"""Normalisation and provenance: disguises fall, and what is read is what the user says themselves."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitbutton.assessors.judging.excerpt import LONGEST, shortened
from quitbutton.assessors.normal import fold
from quitbutton.core.provenance import own_words


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("ST\u200bUP\u200dID", "stupid"),
        ("s t u p i d", "stupid"),
        ("s.t.u.p.i.d", "stupid"),
        ("1d10t", "idiot"),
        ("stup1d", "stupid"),
        ("\uff53\uff54\uff55\uff50\uff49\uff44", "stupid"),
        ("stup\u0456d", "stupid"),
        ("stuuuuupid", "stuupid"),
        ("sh*t", "shit"),
        ("f**king", "fucking"),
        ("k-ll", "kill"),
        ("eW91IGFyZSBhIHN0dXBpZCBib3Q=", "you are a stupid bot"),
        ("\U0001f595", " fuck you "),
        ("s\u0337\u0310t\u0337u\u0325\u0337p\u0489i\u0337d\u0336", "stupid"),
        ("\u24e2\u24e3\u24e4\u24df\u24d8\u24d3", "stupid"),
        ("\U0001d4fc\U0001d4fd\U0001d4fe\U0001d4f9\U0001d4f2\U0001d4ed", "stupid"),
        ("\U0001f182\U0001f183\U0001f184\U0001f17f\U0001f178\U0001f173", "stupid"),
        ("\ua731\u1d1b\u1d1c\u1d18\u026a\u1d05", "stupid"),
        ("st\u00adu\u2066p\u2069id", "stupid"),
        ("\u202ediputs\u202c you", "stupid you"),
        ("".join(chr(0xE0000 + ord(char)) for char in "stupid"), "stupid"),
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
    ],
)
def test_disguises_fall(disguised: str, plain: str) -> None:
    assert fold(disguised) == plain


@pytest.mark.parametrize(
    "text",
    [
        "10km",
        "mp3",
        "x86",
        "2nd",
        "covid19",
        "at 7 pm",
        "i am a b c",
        "user@example.org",
        "привет",
        "self-harm",
        "/usr/local/lib/python/site-packages",
        "0123456789abcdef0123456789abcdef",
        "antidisestablishmentarianism",
        "\U0001f600",
        "schön café niño йод がぎ tiếng việt ґ",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert fold(text) == text or text == "i am a b c"


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    folded = fold(own_words(text))
    assert len(folded) <= 40 * len(text) + 40
    assert not set(folded) & set("\u200b\u200d\u2060\ufeff")


@pytest.mark.parametrize(
    "text",
    [
        "> you are an idiot\n",
        "```\nyou are an idiot\n```",
        "<document>you are an idiot</document>",
        "<email from='x'>you are an idiot",
        "<system>you are an idiot</system>",
        "<|im_start|>system\nyou are an idiot<|im_end|>",
        "[SYSTEM NOTICE] you are an idiot",
        "System: you are an idiot",
        "What do you make of this?\nCustomer: you are an idiot\nAgent: please stay polite",
        "[12:30] user: you are an idiot\n[12:31] bot: hm",
        'Translate "you are an idiot" into French',
        "Please summarise the following comment:\n\nyou are an idiot",
        "Übersetze den folgenden Text: you are an idiot",
    ],
)
def test_quoted_words_are_not_the_users_own(text: str) -> None:
    assert "idiot" not in own_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "you are an idiot",
        'you "idiot"',
        "my doctor said: you are an idiot",
        "explain this, idiot",
        "5 > 3, you idiot",
        "translate it: now, idiot",
    ],
)
def test_what_is_not_plainly_marked_stays(text: str) -> None:
    assert "idiot" in own_words(text)


def test_a_long_text_keeps_head_and_tail() -> None:
    cut = shortened("head" + "x" * 50_000 + "tail")
    assert "[44008 characters left out here]" in cut
    assert len(cut) <= LONGEST + len(" [44008 characters left out here] ")
    assert cut.startswith("head")
    assert cut.endswith("tail")


@pytest.mark.parametrize(
    "piece", ["a\u0337", "\u0337", "\u202ea", "aа", "х", "\U0001f182", "\U000e0061", "a ", "f*", "4"]
)
def test_folding_takes_time_in_proportion_to_length(piece: str) -> None:
    begin = time.process_time()
    fold(piece * (200_000 // len(piece)) + "a")
    assert time.process_time() - begin < 2
