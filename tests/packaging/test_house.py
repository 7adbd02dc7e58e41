"""The figures of the house can be asked for at any time, and its imports stand in no circle."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.conftest import ROOT


def figures(*options: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "house.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_no_modules_import_each_other_and_no_test_lies_loose() -> None:
    found = json.loads(figures("--json"))
    assert found["import circles between packages"] == []
    assert found["import circles inside a package"] == []
    assert found["loose test files"] == []
    assert {"turn", "core.ladder", "gateway.routes"} <= set(found["packages that a turn enters"])


def test_the_table_names_every_figure() -> None:
    table = figures()
    assert all(f"| {name} |" in table for name in json.loads(figures("--json")))
