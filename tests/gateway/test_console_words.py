"""The words of the console: the same in both languages, each said once, and none missing."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from quitbutton.gateway.pages import WEB

CONSOLE = WEB / "console"


def keys(language: str) -> Counter[str]:
    files = [CONSOLE / "words" / f"{language}.js", *(CONSOLE / "words").glob(f"*-{language}.js")]
    return Counter(key for file in files for key in re.findall(r"^  ([\w]+):", file.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_word_covers_another(language: str) -> None:
    assert [key for key, count in keys(language).items() if count > 1] == []


def test_both_languages_have_the_same_words() -> None:
    assert set(keys("en")) == set(keys("de"))


def test_no_page_asks_for_a_word_that_is_not_there() -> None:
    asked = {
        word
        for file in CONSOLE.glob("*.js")
        for word in re.findall(r"(?:\bt|words\(\))\.(\w+)", file.read_text("utf-8"))
    }
    assert asked <= set(keys("en"))
