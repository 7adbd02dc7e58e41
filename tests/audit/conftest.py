"""Every test of the trail runs on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quitbutton.wiring import database_at
from tests.audit.database import Lived, lived


@pytest.fixture(params=["sqlite", "postgres"])
def one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lived]:
    is_server = request.param == "postgres"
    place = request.getfixturevalue("postgres").new() if is_server else str(tmp_path / "a.sqlite3")
    with lived(database_at(place), tmp_path) as made:
        yield made
