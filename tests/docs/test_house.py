"""The layout of the code holds what CONTRIBUTING.md says of it: no circles, no loose tests, few rooms on a turn's way."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, str(ROOT / "scripts" / "house.py")]
"""In a process of its own: the browser's driver upsets the parser of Python 3.11 in this one."""


@pytest.fixture(scope="module")
def house() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house", ROOT / "scripts" / "house.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_house_is_in_order() -> None:
    found = json.loads(subprocess.run([*COMMAND, "--json"], capture_output=True, text=True, check=True).stdout)
    assert found["circles"] == []
    assert found["loose tests"] == []
    assert found["loose modules"] == ["interfaces.py", "wiring.py"]
    assert len(found["rooms of a turn"]) <= 6


def test_a_circle_and_a_long_function_would_be_seen(house: ModuleType) -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert house.circles(graph) == [["a", "b", "c"]]
    tree = ast.parse("def short():\n    pass\n\ndef long():\n" + "    pass\n" * 41)
    assert list(house.long_functions("m", tree)) == ["m.long (42)"]


def test_an_import_that_climbs_back_up_would_be_seen(house: ModuleType) -> None:
    graph = {"q.a.x": {"q.b.y"}, "q.a.z": {"q.b.y"}, "q.b.y": set(), "q.b.up": {"q.a.z"}}
    assert house.climbs(graph, set(graph)) == ["q.b.up -> q.a.z"]


def test_it_prints_a_table_and_json() -> None:
    table = subprocess.run(COMMAND, capture_output=True, text=True, check=True).stdout
    found = json.loads(subprocess.run([*COMMAND, "--json"], capture_output=True, text=True, check=True).stdout)
    assert all(f"| {name} | {len(names)} |" in table for name, names in found.items())
    assert {"turn", "core.ladder", "gateway.routes"} <= set(found["folders of a turn"])
