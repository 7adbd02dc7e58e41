"""Shares with intervals by group, areas with ties."""

from __future__ import annotations

import numpy as np
import pytest
from training.measures import auc, share, told


def test_rows_of_one_group_are_no_independent_witnesses() -> None:
    hits = [True, False] * 50
    alone = share(hits, list(range(100)))
    grouped = share(hits, [place % 2 for place in range(100)])
    assert alone is not None
    assert grouped is not None
    assert alone.value == grouped.value == 0.5
    assert alone.high - alone.low < 0.25
    assert (grouped.low, grouped.high) == (0.0, 1.0)


def test_none_or_all_hit_are_bound_by_the_number_of_groups() -> None:
    few, many = share([False] * 100, [1] * 100), share([False] * 100, list(range(100)))
    assert few is not None
    assert many is not None
    assert few.high > 0.7 > 0.05 > many.high > 0
    assert share([], []) is None
    assert told(None) == "–"


def test_area_counts_ties_half() -> None:
    one = np.array([1.0, 2.0], np.float32)
    assert auc(one + 5, one) == 1
    assert auc(one, one) == pytest.approx(0.5)
    assert auc(one, np.array([], np.float32)) is None
