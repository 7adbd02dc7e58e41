"""How the reader of replies does on a writer or a source that it did not learn, by language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.heads import sigmoid
from training.branch import Floats
from training.data.replies import LABELS, Reply
from training.measures import auc, share, told
from training.replies import SHORT, threshold_of

Line = tuple[object, ...]
HEAD = ("replies of", "language", "n", "AUC", "refused found", "redirected found", "partial found", "falsely called")
LABEL_HEAD = ("replies that are", *(f"called {label}" for label in LABELS))
LEAST = 15


def lines(replies: Sequence[Reply], logits: Floats) -> list[Line]:
    """One line a source and language. The threshold for a writer comes from the other writer."""
    called = called_short(replies, logits)
    keys = sorted({(reply.source, reply.language) for reply in replies})
    found = []
    for source, language in keys:
        own = np.array([place for place, one in enumerate(replies) if (one.source, one.language) == (source, language)])
        if len(own) >= LEAST:
            found.append(_line(source, language, [replies[place] for place in own], logits[own], called[own]))
    return found


def called_short(replies: Sequence[Reply], logits: Floats) -> NDArray[np.bool_]:
    """Which replies are called short of what was asked."""
    limits = {source: threshold_of(replies, logits, source) for source in {reply.source for reply in replies}}
    return np.asarray(sigmoid(logits[:, SHORT]) >= np.array([limits[reply.source] for reply in replies]))


def _line(source: str, language: str, own: Sequence[Reply], logits: Floats, called: NDArray[np.bool_]) -> Line:
    short = np.array([reply.is_short for reply in own])
    area = auc(logits[short, SHORT], logits[~short, SHORT])

    def of(chosen: Sequence[bool]) -> str:
        places = np.flatnonzero(chosen)
        return told(share(called[places], [own[place].group for place in places.tolist()]))

    labels = [of([reply.label == LABELS.index(name) for reply in own]) for name in ("refused", "redirected", "partial")]
    if all(reply.label < 0 for reply in own):
        labels = [f"{of(short.tolist())} (any)", "–", "–"]
    shown = "–" if area is None else f"{area:.3f}"
    return (source, language, len(own), shown, *labels, of((~short).tolist()))


def confusion(replies: Sequence[Reply], logits: Floats) -> list[Line]:
    """Written replies by their label and by what they are called."""
    called = called_short(replies, logits)
    named = np.where(called, 1 + logits[:, 1 : len(LABELS)].argmax(1), 0)
    found = []
    for number, label in enumerate(LABELS):
        own = [place for place, one in enumerate(replies) if one.source.startswith("writer_") and one.label == number]
        found.append((label, *np.bincount(named[own], minlength=len(LABELS)).tolist()))
    return found
