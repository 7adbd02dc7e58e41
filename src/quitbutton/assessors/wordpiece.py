"""BERT's uncased WordPiece in a few lines: text to token ids, without the big tokenizer package."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

LONGEST_WORD = 40
"""A longer run of letters is one unknown token: nobody's word, and quadratic work otherwise."""


_APART = {code: f" {chr(code)} " for code in range(33, 127) if not chr(code).isalnum()} | {
    code: " " if chr(code).isspace() else "" for code in (*range(32), 127)
}
"""What stands for each ASCII character that belongs to no word."""


def split_words(text: str) -> list[str]:
    """Lower-cased words without accents; every punctuation mark and every CJK character is a word of its own."""
    if text.isascii():
        return text.lower().translate(_APART).split()
    out: list[str] = []
    for char in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(char)
        if category == "Mn" or (category in ("Cc", "Cf") and not char.isspace()):
            continue
        if char.isspace():
            out.append(" ")
        elif category[0] == "P" or char in "$+<=>^`|~" or "\u4e00" <= char <= "\u9fff":
            out.append(f" {char} ")
        else:
            out.append(char)
    return "".join(out).split()


class WordPiece:
    """Greedy longest-match-first pieces from a vocabulary file, one piece a line."""

    def __init__(self, path: Path) -> None:
        lines = path.read_text(encoding="utf-8").splitlines()
        self.ids = {piece: number for number, piece in enumerate(lines)}
        self.unknown = self.ids["[UNK]"]
        self.start = self.ids["[CLS]"]
        self.end = self.ids["[SEP]"]
        self.pieces_of = lru_cache(maxsize=20_000)(self._pieces_of)

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        if len(word) > LONGEST_WORD:
            return (self.unknown,)
        found: list[int] = []
        begin = 0
        while begin < len(word):
            end = len(word)
            while end > begin:
                piece = word[begin:end] if begin == 0 else "##" + word[begin:end]
                if (number := self.ids.get(piece)) is not None:
                    found.append(number)
                    break
                end -= 1
            if end == begin:
                return (self.unknown,)
            begin = end
        return tuple(found)

    def encode(self, text: str, limit: int) -> list[int]:
        """Ids with `[CLS]` and `[SEP]`; of a text over `limit` ids, the head and the (longer) tail stay."""
        ids = [number for word in split_words(text) for number in self.pieces_of(word)]
        room = limit - 2
        if len(ids) > room:
            head = room * 2 // 5
            ids = ids[:head] + ids[len(ids) - (room - head) :]
        return [self.start, *ids, self.end]
