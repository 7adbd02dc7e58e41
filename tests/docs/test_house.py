"""The layout of the code holds what CONTRIBUTING.md says of it: no circles, no loose tests, few rooms on a turn's way."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def house() -> ModuleType:
    spec = importlib.util.spec_from_file_location("house", ROOT / "scripts" / "house.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_house_is_in_order(house: ModuleType) -> None:
    found = house.figures(ROOT)
    assert found["circles"] == []
    assert found["loose tests"] == []
    assert found["loose modules"] == ["interfaces.py", "wiring.py"]
    assert len(found["rooms of a turn"]) <= 6


def test_a_circle_and_a_long_function_would_be_seen(house: ModuleType) -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert house.circles(graph) == [["a", "b", "c"]]
    tree = ast.parse("def short():\n    pass\n\ndef long():\n" + "    pass\n" * 41)
    assert list(house.long_functions("m", tree)) == ["m.long (42)"]
