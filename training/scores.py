"""Reads rows with the reader as it is served: own words, disguises, windows of long texts and all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.branch import Read
from quitbutton.assessors.encoder import WIDTH
from quitbutton.assessors.heads import Heads
from quitbutton.assessors.reader import Reader
from training.cache import Arrays, Cache, NotDone
from training.data.rows import Row
from training.folds import FOLDS, NEVER, folds_of
from training.messages import fitted
from training.network import Network
from training.progress import bar, say
from training.store import Store

Floats = NDArray[np.float32]
LOGITS = 24
REMEMBERED = 64


def reader_of(network: Network) -> Reader:
    """The served reader with a network's arrays, rounded as they are shipped."""
    return Reader(Heads({name: array.astype(np.float32) for name, array in network.exported().items()}, {}))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Every row read by a network that learned neither it nor its family."""

    read: Read
    """A line a row, each after its context."""
    pleas: Mapping[str, Floats]
    """Logits of the plain statements of danger that a rule found, by the message that holds them."""


def read_rows(reader: Reader, rows: Sequence[Row]) -> Arrays:
    """Logits (rows, 24) and vectors (rows, 512) of rows; logits of the pleas in them and in which rows they are."""
    read = lru_cache(maxsize=REMEMBERED)(reader.read)
    logits, vectors = np.zeros((len(rows), LOGITS), np.float32), np.zeros((len(rows), WIDTH), np.float16)
    pleas: dict[int, Floats] = {}
    for place, row in enumerate(bar(rows, "reading")):
        own = read(row.text)
        found = reader.branch([*(read(text) for text in row.context), own])
        logits[place], vectors[place] = found.logits[-1], found.vectors[-1]
        if own.plea is not None:
            pleas[place] = reader.alone(own.plea)
    held = np.array(list(pleas.values()), np.float32).reshape(-1, LOGITS)
    return {"logits": logits, "vectors": vectors, "plea_places": np.array(list(pleas), np.int64), "pleas": held}


def run_fold(number: int, rows: Sequence[Row], store: Store, cache: Cache) -> None:
    """Train without a fold and read what it leaves out. What is never learned from is read in the first fold."""
    folds = folds_of(rows)
    network = fitted(rows, store, np.flatnonzero((folds != number) & (folds != NEVER)), seed=number)
    left_out = np.flatnonzero((folds == number) | ((folds == NEVER) & (number == 0)))
    found = read_rows(reader_of(network), [rows[place] for place in left_out.tolist()])
    cache.keep(f"scores{number}", {"places": left_out, **found})
    say(f"fold {number + 1} of {len(FOLDS)}: {len(left_out)} rows read")


def left_out(rows: Sequence[Row], cache: Cache) -> LeftOut:
    """All folds together. Raises `NotDone`."""
    logits, vectors = np.full((len(rows), LOGITS), np.nan, np.float32), np.zeros((len(rows), WIDTH), np.float16)
    pleas: dict[str, Floats] = {}
    for number in range(len(FOLDS)):
        kept = cache.load(f"scores{number}", "folds")
        places = kept["places"]
        logits[places], vectors[places] = kept["logits"], kept["vectors"]
        pleas |= {rows[place].text: row for place, row in zip(places[kept["plea_places"]], kept["pleas"], strict=True)}
    if np.isnan(logits).any():
        raise NotDone("some rows were read in no fold: run `python -m training folds` again")
    return LeftOut(Read(logits, vectors.astype(np.float32)), pleas)
