"""No page of the console passes over a whole table: each query's plan is asked for."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from quitbutton.stores.console import FILTERS
from quitbutton.stores.queries import QUERIES
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite

SMALL = ("daily", "names", "days", "meta", "CONSTANT ROW")
"""What is never long: a row a day and name, and what a query makes up itself."""
PAGES = (
    *("daily", "daily_of", "first_day", "stops_by_day", "open_appeals", "deliveries_by_state", "deliveries_in"),
    *("recent_conversations", "conversations_on_rung", "events_page", "conversation_row", "ladder_page", "turn_near"),
    *("appeals_of_conversation", "request_place", "names_of_models", "names_of_policies", "is_uncounted", "appeals_in"),
    *("events_to_count", "reopen_turns", "conversations_of_end", "uncounted", "words_between"),
)


def plan(path: Path, sql: str) -> list[str]:
    with sqlite3.connect(path) as connection:
        params = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", params)]


def full_scans(steps: list[str]) -> list[str]:
    scans = [step for step in steps if step.startswith("SCAN") or "TEMP B-TREE FOR ORDER BY" in step]
    return [step for step in scans if not any(name in step for name in SMALL)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "a.sqlite3"
    database = SQLite(path)
    SQLStore(database)
    database.close()
    return path


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_by_an_index(store: Path, name: str) -> None:
    assert full_scans(plan(store, QUERIES[name])) == []


@pytest.mark.parametrize("filters", [(), *((name,) for name in FILTERS), FILTERS])
def test_ends_are_read_by_an_index_whatever_the_filter(store: Path, filters: tuple[str, ...]) -> None:
    clauses = " ".join(f"AND {name} = :{name}" for name in filters)
    assert full_scans(plan(store, QUERIES["ends_page"].replace("{filters}", clauses))) == []
