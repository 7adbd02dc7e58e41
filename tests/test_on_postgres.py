"""What is tested on SQLite elsewhere holds on PostgreSQL too: appeals, erasure, the audit trail, webhooks, counts, pages."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from quitbutton.stores.database import Database
from quitbutton.stores.postgres import Postgres
from tests import test_adversarial, test_audit, test_ladder, test_rights, test_webhooks
from tests.postgres import Server

MODULES = (test_adversarial, test_audit, test_ladder, test_rights, test_webhooks)


def plain(module: Any) -> Iterator[Callable[[], None]]:
    """Its tests that need nothing given."""
    for name, test in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(test) and not inspect.signature(test).parameters:
            yield test


LONG = {"test_an_exit_string_cut_anywhere_is_still_one"}
TESTS = [test for module in MODULES for test in plain(module) if test.__name__ not in LONG]


@pytest.fixture
def on_postgres(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[Database] = []

    def opens(path: str) -> Database:
        assert path == ":memory:"
        made.append(Postgres(postgres.new(), connections=2))
        return made[-1]

    for module in MODULES:
        if hasattr(module, "SQLite"):
            monkeypatch.setattr(module, "SQLite", opens)
    monkeypatch.setattr("tests.play.SQLite", opens)
    yield
    for one in made:
        one.close()


@pytest.mark.usefixtures("on_postgres")
@pytest.mark.parametrize("test", [pytest.param(test, id=f"{test.__module__}:{test.__name__}") for test in TESTS])
def test_the_same(test: Callable[[], None]) -> None:
    test()
