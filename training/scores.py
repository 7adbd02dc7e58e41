"""Reads rows with the reader as it is served: own words, disguises, windows of long texts and all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.heads import Heads
from quitbutton.assessors.reader import Reader
from training.cache import Cache, NotDone
from training.data.rows import Row
from training.folds import FOLDS, NEVER, folds_of
from training.messages import fitted
from training.network import Network
from training.progress import bar, say
from training.store import Store

LOGITS = 24
REMEMBERED = 64


def reader_of(network: Network) -> Reader:
    """The served reader with a network's arrays, rounded as they are shipped."""
    return Reader(Heads({name: array.astype(np.float32) for name, array in network.exported().items()}, {}))


def read_rows(reader: Reader, rows: Sequence[Row]) -> NDArray[np.float32]:
    """The logits of each row after its context: shape (rows, 24)."""
    read = lru_cache(maxsize=REMEMBERED)(reader.read)
    found = np.zeros((len(rows), LOGITS), np.float32)
    for place, row in enumerate(bar(rows, "reading")):
        found[place] = reader.logits(read(row.text), [read(text) for text in row.context])
    return found


def run_fold(number: int, rows: Sequence[Row], store: Store, cache: Cache) -> None:
    """Train without a fold and read what it leaves out. What is never learned from is read in the first fold."""
    folds = folds_of(rows)
    network = fitted(rows, store, np.flatnonzero((folds != number) & (folds != NEVER)), seed=number)
    left_out = np.flatnonzero((folds == number) | ((folds == NEVER) & (number == 0)))
    found = read_rows(reader_of(network), [rows[place] for place in left_out.tolist()])
    cache.keep(f"scores{number}", {"places": left_out, "logits": found})
    say(f"fold {number + 1} of {len(FOLDS)}: {len(left_out)} rows read")


def left_out_logits(rows: Sequence[Row], cache: Cache) -> NDArray[np.float32]:
    """Every row's logits by a network that learned neither it nor its family. Raises `NotDone`."""
    found = np.full((len(rows), LOGITS), np.nan, np.float32)
    for number in range(len(FOLDS)):
        kept = cache.load(f"scores{number}", "folds")
        found[kept["places"]] = kept["logits"]
    if np.isnan(found).any():
        raise NotDone("some rows were read in no fold: run `python -m training folds` again")
    return found
