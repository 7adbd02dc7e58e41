"""The cheap half of the classifier: hashed word and character n-grams, as indices and weights."""

from __future__ import annotations

import re
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

BITS = 17
MASK = (1 << BITS) - 1
TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[!?]")
CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
WORD_SHARE = 0.6
"""How much of the squared length belongs to words; the rest belongs to their pieces."""


@lru_cache(maxsize=50_000)
def _pieces(word: str) -> tuple[int, ...]:
    padded = f" {word[:30]} "
    found = {
        crc32(padded[begin : begin + size].encode()) & MASK
        for size in (3, 4, 5)
        for begin in range(max(1, len(padded) - size + 1))
    }
    return tuple(found)


@lru_cache(maxsize=50_000)
def _word(word: str) -> int:
    return crc32(b"w" + word.encode()) & MASK


def words_of(folded: str) -> list[str]:
    """The words of a folded text; Chinese, Japanese and Korean characters count as words of their own."""
    if not folded.isascii() and CJK.search(folded):
        folded = CJK.sub(lambda match: f" {match[0]} ", folded)
    return TOKEN.findall(folded)


def features(words: list[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Which hashed features are there, and how much each weighs. An empty text has none."""
    whole: set[int] = set()
    pieces: set[int] = set()
    before = "^"
    for word in words:
        whole.add(_word(word))
        whole.add(crc32(f"b{before} {word}".encode()) & MASK)
        pieces.update(_pieces(word))
        before = word
    index = np.fromiter((*whole, *pieces), dtype=np.int64, count=len(whole) + len(pieces))
    value = np.empty(len(index), dtype=np.float32)
    value[: len(whole)] = (WORD_SHARE / max(1, len(whole))) ** 0.5
    value[len(whole) :] = ((1 - WORD_SHARE) / max(1, len(pieces))) ** 0.5
    return index, value
