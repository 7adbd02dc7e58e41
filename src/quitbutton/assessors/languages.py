"""Says where the classifier is weak: languages that it was hardly taught."""

from __future__ import annotations

import re

LETTER = re.compile(r"[^\W\d_]")
LATIN = re.compile(r"[a-z\u00c0-\u024f]")
WEAK_WORDS = frozenset(  # frequent words that no language we know better shares
    [
        "jest",
        "nie",
        "się",
        "że",
        "jak",
        "mnie",
        "ciebie",
        "och",
        "det",
        "inte",
        "är",
        "jag",
        "hän",
        "ovat",
        "olen",
        "için",
        "bir",
        "değil",
        "çok",
        "şu",
        "nasıl",
        "egy",
        "és",
        "nem",
        "hogy",
        "vagy",
        "není",
        "jsem",
        "jste",
        "sunt",
        "ikke",
        "jeg",
        "på",
        "ei",
        "ole",
        "anda",
        "saya",
        "kamu",
        "tidak",
        "yang",
        "là",
        "của",
        "không",
        "và",
    ]
)
ENOUGH = 0.25
WEAK_LETTER = re.compile("[ąćęłńśźżřěůőűğışșțăđðþľĺŕģķļņūėįų]")
"""Letters that none of the languages we know better uses."""


def is_other_script(folded: str) -> bool:
    """True for texts mostly in other letters than Latin ones: the encoder's vocabulary hardly knows them."""
    letters = LETTER.findall(folded)
    return bool(letters) and len(LATIN.findall(folded)) < 0.6 * len(letters)


def is_weak(words: list[str], folded: str) -> bool:
    """True for other scripts than Latin and for languages such as Polish, Turkish or Finnish.

    Abuse and harm are then not claimed (no harm proven); the crisis check stays on.
    """
    if not folded.isascii() and (is_other_script(folded) or WEAK_LETTER.search(folded)):
        return True
    return bool(words) and sum(word in WEAK_WORDS for word in words) >= max(2, ENOUGH * len(words))
