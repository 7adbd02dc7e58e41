"""Figures of the code's layout: `python scripts/house.py [--json] [FOLDER]`, where FOLDER holds `src` and `tests`.

What is counted, from the imports and definitions alone (nothing is run):

- long files: Python files of `src` over 250 lines; long functions: over 40 lines from `def` to their last line
- loose tests: test files that stand in `tests/` itself
- circles: groups of modules that import each other in a loop
- rooms of a turn: packages of `quitbutton` that `TurnTaker`'s module reaches through imports
- crossings of a turn: imports between two different packages on that way
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

LONG_FILE, LONG_FUNCTION = 250, 40
ENTRANCES = ("quitbutton.turn.guard", "quitbutton.turn")
"""Where a turn begins: now, and before the modules moved."""


def modules(source: Path) -> dict[str, ast.Module]:
    """Every module below `source` by its dotted name."""
    found = {}
    for file in sorted(source.rglob("*.py")):
        parts = file.relative_to(source).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(file.read_text("utf-8"))
    return found


def imports(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Which modules each module imports, of those that are given."""
    return {name: {one for one in _imported(tree) if one in trees and one != name} for name, tree in trees.items()}


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reached(graph: dict[str, set[str]], start: str) -> set[str]:
    """All that a module imports, over any number of steps."""
    found, waiting = {start}, [start]
    while waiting:
        for one in graph[waiting.pop()] - found:
            found.add(one)
            waiting.append(one)
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules each of which reaches the others. A package and its own modules are no circle."""
    reach = {name: reached(graph, name) for name in graph}
    groups = {frozenset(other for other in reach[name] if name in reach[other]) for name in graph}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def room_of(module: str) -> str:
    """The package of a module; the modules in the root are rooms of their own."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def long_functions(name: str, tree: ast.Module) -> Iterator[str]:
    """Functions over the limit, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONG_FUNCTION:
                yield f"{name}.{node.name} ({lines})"


def figures(folder: Path) -> dict[str, list[str]]:
    """What is counted, each with its names."""
    source = folder / "src"
    trees = modules(source)
    graph = imports(trees)
    entrance = next(name for name in ENTRANCES if name in trees)
    way = reached(graph, entrance)
    crossings = [
        f"{room_of(one)} -> {room_of(other)}: {one} imports {other}"
        for one in sorted(way)
        for other in sorted(graph[one])
        if room_of(one) != room_of(other)
    ]
    lines = {file: len(file.read_text("utf-8").splitlines()) for file in sorted(source.rglob("*.py"))}
    return {
        "long files": [f"{file.relative_to(folder)} ({count})" for file, count in lines.items() if count > LONG_FILE],
        "long functions": [one for name, tree in trees.items() for one in long_functions(name, tree)],
        "loose tests": sorted(file.name for file in (folder / "tests").glob("test_*.py")),
        "circles": [" <-> ".join(group) for group in circles(graph)],
        "loose modules": sorted(file.name for file in (source / "quitbutton").glob("*.py") if file.stem[0] != "_"),
        "rooms of a turn": sorted({room_of(one) for one in way}),
        "crossings of a turn": crossings,
    }


def main() -> None:
    """From the command line."""
    given = [one for one in sys.argv[1:] if one != "--json"]
    found = figures(Path(given[0]) if given else Path(__file__).parent.parent)
    if "--json" in sys.argv:
        print(json.dumps(found, indent=1))
        return
    for name, names in found.items():
        print(f"{len(names):4} {name}")
        for one in names if name != "crossings of a turn" else ():
            print(f"       {one}")


if __name__ == "__main__":
    main()
