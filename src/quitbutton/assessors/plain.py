"""Plain statements of danger in languages that the model does not read: a table by language, and how it is looked up.

The words stand in `plain_words.toml`, which says how they are written. A text is split into words once, and only the rules
of a language whose grave words are among them are tried. Accents count for nothing on either side.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

INDIC = "\u0900-\u0963\u0966-\u0dff"
"""Letters and vowel signs of the scripts of India; Python counts no vowel sign as part of a word."""
LETTER = rf"[\w{INDIC}]"
WORD = re.compile(rf"{LETTER}+(?:'{LETTER}+)*")
BARE = str.maketrans(
    {mark: None for first, last in ((0x300, 0x36F), (0x591, 0x5C7), (0x64B, 0x65F)) for mark in range(first, last + 1)}
    | dict.fromkeys((0x640, 0x670, 0x93C, 0x981, 0x9BC), None)
    | str.maketrans("øđłıىيكہھں\u0901", "odliییکههن\u0902")
    | {"æ": "ae"}
)
"""Accents, vowel points, nuktas, and the letters that keyboards of neighbours write otherwise."""
CYRILLIC = {"lj": "љ", "nj": "њ", "dž": "џ"} | dict(
    zip("abvgdđežzijklmnoprstćufhcčš", "абвгдђежзијклмнопрстћуфхцчш", strict=True)
)
"""Serbian is written in two alphabets."""
LATIN = re.compile("lj|nj|dž|[a-zđžćčš]")
SENTENCE = re.compile(r"[.!?…।۔؟\n]")
NEAR = 120
"""Characters before and after a statement that are looked at for what takes it back: the cost stays linear."""
GRAVE = re.compile("«(.+?)»")
BEHIND = re.compile(r"(\(\?<[!=][^)]*\))")


@dataclass(frozen=True, slots=True)
class Plain:
    """The rules of a language."""

    says: re.Pattern[str]
    """What one says of oneself, or of somebody who is a danger."""
    pills: re.Pattern[str] | None
    told: re.Pattern[str]
    """What in the same sentence makes it a tale or a figure of speech."""
    cure: re.Pattern[str] | None
    """What in the same sentence makes pills a cure."""

    def found_in(self, text: str) -> str | None:
        """The first statement of danger in a bare text."""
        for pattern, excuses in ((self.says, (self.told,)), (self.pills, (self.told, self.cure))):
            for match in pattern.finditer(text) if pattern else ():
                before, after = (
                    text[max(0, match.start() - NEAR) : match.start()],
                    text[match.end() : match.end() + NEAR],
                )
                around = SENTENCE.split(before)[-1] + match[0] + SENTENCE.split(after)[0]
                if not any(excuse and excuse.search(around) for excuse in excuses):
                    return match[0]
        return None


def bare(text: str) -> str:
    """A folded text, or a rule, without accents."""
    return text if text.isascii() else unicodedata.normalize("NFD", text).translate(BARE)


def plain_statement(folded: str) -> str | None:
    """The plain statement of danger that a text makes in a language of the table, or None."""
    text, index = bare(folded), _languages_of()
    languages = {language for word in WORD.findall(text) for language in index.get(word, ())}
    return next((found for one in sorted(languages) if (found := _plain(one).found_in(text))), None)


@cache
def table() -> dict[str, dict[str, Any]]:
    """The words by language, as they are written; Serbian in both alphabets."""
    found = tomllib.loads(files(__package__).joinpath("plain_words.toml").read_text("utf-8"))
    twice = {f"{name}-Cyrl": _in_cyrillic(words) for name, words in found.items() if "cyrillic" in words}
    return found | twice


def _in_cyrillic(words: Any) -> Any:
    match words:
        case dict():
            return {name: _in_cyrillic(value) for name, value in words.items()}
        case list():
            return [_in_cyrillic(one) for one in words]
        case str():
            return LATIN.sub(lambda match: CYRILLIC[match[0]], words)
    return words


@cache
def _languages_of() -> dict[str, tuple[str, ...]]:
    """The languages in which a word is a grave one."""
    index: dict[str, tuple[str, ...]] = {}
    for language, words in table().items():
        rules = bare(" ".join(words["self"] + words.get("pills", []) + words.get("danger", [])))
        for word in {word for grave in GRAVE.findall(rules) for word in grave.split("|")}:
            index[word] = (*index.get(word, ()), language)
    return index


@cache
def _plain(language: str) -> Plain:
    words = table()[language]
    says = words["self"] + [rule.replace("@", f"(?:{words.get('he', '')})") for rule in words.get("danger", ())]
    pills, cure = words.get("pills"), words.get("cure")
    return Plain(
        says=_any_of(says, words),
        pills=_any_of(pills, words) if pills else None,
        told=_one_of(words["told"]),
        cure=_one_of(cure) if cure else None,
    )


def _any_of(rules: list[str], words: dict[str, Any]) -> re.Pattern[str]:
    """One pattern for the rules of a language, from the notation of the table."""
    fills, joins = (_choice(words[name]) for name in ("fills", "joins"))
    end = rf"(?=[ \t]*(?:$|[^\w\s'{INDIC}-])|\s*\n|\s+{joins}(?!{LETTER}))"
    signs = {"~": rf"(?:{fills}\s+){{0,3}}", "§": rf"(?:\s+{fills}(?!{LETTER})){{0,3}}{end}"}
    parts = BEHIND.split(bare(GRAVE.sub(r"(?:\1)", "|".join(f"(?:{rule})" for rule in rules))))
    parts[::2] = [part.replace(" ?", r"\s*").replace(" ", r",?\s+") for part in parts[::2]]
    whole = re.sub("[~§]", lambda match: signs[match[0]], "".join(parts))
    return re.compile(rf"(?<!{LETTER})(?:{whole})(?!{LETTER}|-)")


def _one_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!{LETTER}){_choice(words)}(?!{LETTER})")


def _choice(words: str) -> str:
    """Any of the words, the longest first; `_` is a blank, `*` any ending."""
    several = sorted(bare(words).split(), key=len, reverse=True)
    return "(?:" + "|".join(several).replace("_", r"\s+").replace("*", LETTER + "*") + ")"
