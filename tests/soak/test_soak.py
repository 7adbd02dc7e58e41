"""The soak, its short form: steady load, cancelled streams and restarts of the database leave every turn accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.soak.run import soak
from tests.soak.stage import Stage

SEED = 1
SECONDS, RATE = 27.0, 120.0


@pytest.fixture
def staged(tmp_path: Path) -> Iterator[Callable[[str], Stage]]:
    made: list[Stage] = []

    def stage(store: str) -> Stage:
        folder = tmp_path / store
        folder.mkdir()
        made.append(Stage(folder, store))
        return made[-1]

    yield stage
    for one in made:
        one.close()


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_grows_under_a_steady_load(staged: Callable[[str], Stage]) -> None:
    done = soak(staged("postgresql"), SEED, SECONDS, RATE)
    assert done.found == [], f"seed {SEED}"
    results, kinds = done.counts.results, done.counts.kinds
    assert results.total() > SECONDS * RATE * 0.8
    assert min(results["refused"], results["cancelled"], kinds["turn.end"], done.counts.receipts) > 30, (results, kinds)
    assert len(done.windows) == 2


@pytest.mark.slow
def test_the_same_on_sqlite(staged: Callable[[str], Stage]) -> None:
    done = soak(staged("sqlite"), SEED, 4.0, RATE)
    assert done.found == [], f"seed {SEED}"
