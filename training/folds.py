"""Five folds. Each leaves out whole families and whole authors, so that every score is of a style that was not learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.data.replies import Reply
from training.data.rows import Row

FOLDS = (
    "author_ada author_clara author_mira author_zeno author_vera mlc clinc_oos xstest cold goemotions",
    "author_bex author_dario author_rafe author_quynh convabuse wildguard taskmaster4 germeval vera counsel",
    "author_finn author_emi author_tess author_xenia moderation orbench hatecheck arena_hard xpersona ugm",
    "author_hana author_ivo author_sol author_yara author_otis advbench bail xsafety smilechat oasst_trees vicuna davidson "
    "chatgpt",
    "author_kai author_jun author_lea author_noor declare medsafety multijail cyber cvalues_responsibility "
    "self_instruct_user banking77 diasafety mlma spiral",
)
"""The families of each, spread so that every fold has languages, abuse, harm and crisis in what it leaves out."""
OF_FAMILY = {family: number for number, families in enumerate(FOLDS) for family in families.split()}
NEVER = -1
"""The fold of what is never learned from. The first fold's model scores it."""
REPLY_FOLDS = (
    ("writer_ugo", "xstest"),
    ("writer_wim", "chatgpt", "medsafety"),
    ("writer_pia", "oasst"),
    ("writer_odo", "ko_redteam", "dolly"),
)
"""Folds of the reader of replies: one writer and some of the public sources out; the authors take turns."""


def fold_of(row: Row) -> int:
    """The fold that leaves a row out. Raises `KeyError` for a family without a fold."""
    if row.family in OF_FAMILY:
        return OF_FAMILY[row.family]
    if row.weight:
        raise KeyError(f"family {row.family} has no fold: add it to FOLDS")
    return NEVER


def folds_of(rows: Sequence[Row]) -> NDArray[np.int64]:
    """The folds of all rows."""
    return np.array([fold_of(row) for row in rows])


def reply_folds_of(replies: Sequence[Reply]) -> NDArray[np.int64]:
    """The folds of all replies."""
    fold = {source: number for number, sources in enumerate(REPLY_FOLDS) for source in sources}
    authors = sorted({reply.source for reply in replies} - set(fold))
    fold |= {author: place % len(REPLY_FOLDS) for place, author in enumerate(authors)}
    return np.array([fold[reply.source] for reply in replies])
