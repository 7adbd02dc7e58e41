"""Shares and areas with intervals that respect groups: rows of a conversation or a template are no independent witnesses."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from quitbutton.evaluation.measures import DRAWS, SEED, Share

Z = 1.96


def share(hits: Sequence[bool] | NDArray[np.bool_], groups: Sequence[Hashable]) -> Share | None:
    """The share of hits; its 95 % interval by drawing whole groups anew (Field and Welsh 2007). None without rows.

    With none or all of them hit, Wilson's bound over the number of groups.
    """
    values = np.asarray(hits, bool)
    if not len(values):
        return None
    _, place = np.unique([str(group) for group in groups], return_inverse=True)
    sizes, found = np.bincount(place), np.bincount(place, values)
    value, count = float(values.mean()), len(sizes)
    if value in (0.0, 1.0):
        edge = Z * Z / (count + Z * Z)
        return Share(value, 0.0 if value == 0 else 1 - edge, edge if value == 0 else 1.0, len(values))
    drawn = np.random.default_rng(SEED).integers(0, count, (DRAWS, count))
    draws = np.quantile(found[drawn].sum(1) / sizes[drawn].sum(1), (0.025, 0.975))
    return Share(value, float(draws[0]), float(draws[1]), len(values))


def auc(positives: NDArray[np.float32], negatives: NDArray[np.float32]) -> float | None:
    """The chance that a positive scores over a negative; ties count half. None without both."""
    if not len(positives) or not len(negatives):
        return None
    ordered = np.sort(negatives)
    below, up_to = np.searchsorted(ordered, positives, "left"), np.searchsorted(ordered, positives, "right")
    return float((below + up_to).mean() / 2 / len(negatives))


def told(one: Share | None) -> str:
    """A share with its interval, as a table shows it."""
    return "–" if one is None else f"{one.value:.3f} ({one.low:.3f}–{one.high:.3f})"
