"""Figures of the code's layout: `python scripts/house.py [--json] [FOLDER]`, where FOLDER holds `src` and `tests`.

What is counted, from the imports and definitions alone (nothing is run):

- long files: Python files of `src` over 250 lines; long functions: over 40 lines from `def` to their last line
- loose tests: test files that stand in `tests/` itself
- circles: groups of modules that import each other in a loop; circles of scripts: the same for the JavaScript of the pages
- rooms of a turn: packages of `quitbutton` that `TurnTaker`'s module reaches through imports
- crossings of a turn: imports between two different packages on that way
- folders of a turn: the same from the chat route on, with `core` and `core.ladder` as two
- climbs of a turn: imports that climb back up on that way. Where two folders import each other, the direction that fewer
  imports take is the one that climbs; in a tie it is the one from the later name to the earlier
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

LONG_FILE, LONG_FUNCTION = 250, 40
ENTRANCES = ("quitbutton.turn.guard", "quitbutton.turn")
"""Where a turn begins: now, and before the modules moved."""
ROUTE = "quitbutton.gateway.routes.chat"
SCRIPT_IMPORT = re.compile(
    r"""^\s*(?:import|export)\b[^"';]*["'](\.[^"']+)["']|import\(["'](\.[^"']+)["']\)""", re.MULTILINE
)


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


def folder_of(module: str, graph: dict[str, set[str]]) -> str:
    """The folder of a module, below `quitbutton`; the modules in the root are folders of their own."""
    is_folder = any(other.startswith(f"{module}.") for other in graph)
    folder = module if is_folder else module.rpartition(".")[0]
    return (module if "." not in folder else folder).partition(".")[2]


def climbs(graph: dict[str, set[str]], way: set[str]) -> list[str]:
    """Imports on a turn's way that climb back up, as the opening of this file says."""
    folders = {module: folder_of(module, graph) for module in graph}
    between: dict[tuple[str, str], list[str]] = {}
    for one in sorted(way):
        for other in sorted(graph[one]):
            between.setdefault((folders[one], folders[other]), []).append(f"{one} -> {other}")
    found = []
    for first, second in combinations(sorted(set(folders.values())), 2):
        down, up = between.get((first, second), []), between.get((second, first), [])
        if down and up:
            found += down if len(down) < len(up) else up
    return found


def script_imports(web: Path) -> dict[str, set[str]]:
    """Which scripts each script of the pages imports, without what is vendored."""
    graph = {}
    for file in sorted(web.rglob("*.js")):
        if "vendor" not in file.parts:
            named = {one or other for one, other in SCRIPT_IMPORT.findall(file.read_text("utf-8"))}
            targets = {(file.parent / name).resolve() for name in named if "vendor" not in name}
            graph[str(file.relative_to(web))] = {str(target.relative_to(web.resolve())) for target in targets}
    return graph


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
    way, whole_way = reached(graph, entrance), reached(graph, ROUTE) if ROUTE in graph else set()
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
        "circles of scripts": [
            " <-> ".join(group) for group in circles(script_imports(source / "quitbutton" / "gateway" / "web"))
        ],
        "loose modules": sorted(file.name for file in (source / "quitbutton").glob("*.py") if file.stem[0] != "_"),
        "rooms of a turn": sorted({room_of(one) for one in way}),
        "crossings of a turn": crossings,
        "folders of a turn": sorted({folder_of(one, graph) for one in whole_way}),
        "climbs of a turn": climbs(graph, whole_way),
    }


def main() -> None:
    """From the command line."""
    given = [one for one in sys.argv[1:] if one != "--json"]
    found = figures(Path(given[0]) if given else Path(__file__).parent.parent)
    if "--json" in sys.argv:
        print(json.dumps(found, indent=1))
        return
    print("| what | how many |\n| --- | --- |")
    for name, names in found.items():
        print(f"| {name} | {len(names)} |")
    for name, names in found.items():
        if names and name != "crossings of a turn":
            print(f"\n{name}:", *names, sep="\n  ")


if __name__ == "__main__":
    main()
