"""Figures of the house: sizes, import circles, and the packages that a turn enters.

    python scripts/house.py [--json]

What is counted, in `src/quitbutton`, with imports inside functions and under `TYPE_CHECKING` like any others:

- A *package* is a folder (`core` and `core.ladder` are two), or a module that stands beside the folders (`wiring`).
- A *circle* is a set of modules each of which imports all others, directly or through others.
- A *turn's way* is every module that `gateway/routes/chat.py` imports, directly or through others.
- An import on a turn's way *climbs back up* where two packages import each other: the direction that fewer imports
  take is the one that climbs (in a tie, the one that leads from the later name to the earlier).
"""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "quitbutton"
WEB = PACKAGE / "gateway" / "web"
LONGEST_FILE, LONGEST_FUNCTION = 250, 40
TURN = "quitbutton.gateway.routes.chat"
SCRIPT_IMPORT = re.compile(
    r"""^\s*(?:import|export)\b[^"';]*["'](\.[^"']+)["']|import\(["'](\.[^"']+)["']\)""", re.MULTILINE
)

Graph = Mapping[str, set[str]]
"""What each module imports, by name."""


def name_of(path: Path) -> str:
    """The dotted name of a module; a package's is that of its folder."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def trees() -> dict[Path, ast.Module]:
    """Every Python file of the package, parsed."""
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def scripts() -> list[Path]:
    """The JavaScript of the pages, without what is vendored."""
    return sorted(path for path in WEB.rglob("*.js") if "vendor" not in path.parts)


def long_files() -> list[str]:
    """Files that are too long, with their lines."""
    found = []
    for path in [*sorted(PACKAGE.rglob("*.py")), *scripts()]:
        lines = len(path.read_text("utf-8").splitlines())
        if lines > LONGEST_FILE:
            found.append(f"{path.relative_to(ROOT)} {lines}")
    return found


def long_functions(parsed: Mapping[Path, ast.Module]) -> list[str]:
    """Functions that are too long, with their lines."""
    found = []
    for path, tree in parsed.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    found.append(f"{path.relative_to(ROOT)}::{node.name} {lines}")
    return found


def loose_tests() -> list[str]:
    """Test files that stand beside no part of the house."""
    return [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests").glob("test_*.py"))]


def imported(tree: ast.Module, known: set[str]) -> Iterator[str]:
    """The modules of the package that a module imports. Imports are absolute here."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else str(node.module)


def python_graph(parsed: Mapping[Path, ast.Module]) -> Graph:
    """Who imports whom among the modules of the package."""
    known = {name_of(path) for path in parsed}
    return {name_of(path): set(imported(tree, known)) - {name_of(path)} for path, tree in parsed.items()}


def script_graph() -> Graph:
    """Who imports whom among the scripts of the pages."""
    graph = {}
    for path in scripts():
        targets = [one or other for one, other in SCRIPT_IMPORT.findall(path.read_text("utf-8"))]
        graph[str(path.relative_to(WEB))] = {
            str((path.parent / target).resolve().relative_to(WEB)) for target in targets if "vendor" not in target
        }
    return graph


def reached(graph: Graph, start: str) -> set[str]:
    """Everything that is imported from a module on; the module itself only where it is in a circle."""
    found: set[str] = set()
    waiting = list(graph.get(start, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(graph.get(one, ()))
    return found


def circles(graph: Graph) -> list[list[str]]:
    """The circles of a graph, each as its sorted members."""
    reach = {one: reached(graph, one) for one in graph}
    found = {tuple(sorted(other for other in reach[one] if one in reach.get(other, ()))) for one in graph}
    return [list(circle) for circle in sorted(found) if circle]


def package_of(module: str, graph: Graph) -> str:
    """The folder of a module, without the name of the whole; a module in the root is a package of its own."""
    is_folder = any(other.startswith(module + ".") for other in graph)
    folder = module if is_folder else module.rpartition(".")[0]
    return (module if folder == PACKAGE.name else folder).removeprefix(f"{PACKAGE.name}.")


def climbs(graph: Graph, way: set[str]) -> list[str]:
    """Imports on a turn's way that climb back up, as `importer -> imported`."""
    packages = {module: package_of(module, graph) for module in graph}
    between: dict[tuple[str, str], list[str]] = {}
    for module in sorted(way):
        for other in sorted(graph[module]):
            pair = packages[module], packages[other]
            if pair[0] != pair[1]:
                between.setdefault(pair, []).append(f"{module} -> {other}")
    found = []
    for first, second in combinations(sorted(set(packages.values())), 2):
        down, up = between.get((first, second), []), between.get((second, first), [])
        found += down if len(down) < len(up) else up if down else []
    return found


def figures() -> dict[str, list[str]]:
    """Every figure by its name: what was found, one line each."""
    parsed = trees()
    graph = python_graph(parsed)
    way = {TURN} | reached(graph, TURN)
    rings = [(circle, {package_of(one, graph) for one in circle}) for circle in circles(graph)]
    return {
        f"files over {LONGEST_FILE} lines": long_files(),
        f"functions over {LONGEST_FUNCTION} lines": long_functions(parsed),
        "loose test files": loose_tests(),
        "import circles between packages": [" ".join(circle) for circle, packages in rings if len(packages) > 1],
        "import circles inside a package": [" ".join(circle) for circle, packages in rings if len(packages) == 1],
        "import circles of scripts": [" ".join(circle) for circle in circles(script_graph())],
        "packages that a turn enters": sorted({package_of(one, graph) for one in way}),
        "imports that climb back up": climbs(graph, way),
    }


def main() -> None:
    """Print the figures."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--json", action="store_true", help="as JSON")
    found = figures()
    if given.parse_args().json:
        print(json.dumps(found, indent=2))
        return
    print("| what | how many |\n|---|---|")
    for name, lines in found.items():
        print(f"| {name} | {len(lines)} |")
    for name, lines in found.items():
        if lines:
            print(f"\n{name}:", *lines, sep="\n  ")


if __name__ == "__main__":
    main()
