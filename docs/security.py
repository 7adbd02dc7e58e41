"""Runs the tests of all known attacks, faults and clients and writes what came out: `python -m docs.security`.

What is attacked stands in `tests/findings/*.toml`; the page is `docs/security-tests.md`. A line whose test fails, is skipped
or is not there says so, and the command ends with 1.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
FINDINGS = ROOT / "tests" / "findings"
PAGE = Path(__file__).with_name("security-tests.md")
HEAD = """# What was attacked, and what happened

Written by `make security`, from a run of the tests in the last column. Each line is an attack, a fault or a client that
once went wrong or could; *expected* is what must happen. The long forms are `make torture` (faults under load, every promise
checked) and `make clients` (real client programs). What an attacker can do and what not is in [SECURITY.md](../SECURITY.md).
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the page."""

    id: str
    what: str
    """The attack, fault or client."""
    expected: str
    tests: tuple[str, ...]
    """Node ids, without parameters."""

    @property
    def order(self) -> tuple[str, int]:
        """By area, then by number."""
        area, _, number = self.id.partition(" ")
        found = re.match(r"\d+", number)
        return area, int(found[0]) if found else 0


def findings(folder: Path = FINDINGS) -> list[Finding]:
    """All of them, in the page's order."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        for raw in tomllib.loads(path.read_text(encoding="utf-8"))["finding"]:
            tests = raw["test"] if isinstance(raw["test"], list) else [raw["test"]]
            found.append(
                Finding(raw["id"], raw["what"], raw["expected"], tuple(test.partition("[")[0] for test in tests))
            )
    return sorted(found, key=lambda one: one.order)


def run(tests: Sequence[str]) -> dict[str, list[str]]:
    """What became of each test: for every case of it `passed`, `failed` or `skipped`."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        files = sorted({test.partition("::")[0] for test in tests})
        subprocess.run(  # noqa: S603 - our own test files
            [sys.executable, "-m", "pytest", f"--junitxml={report}", *files], cwd=ROOT, check=False
        )
        return outcomes(report.read_text(encoding="utf-8")) if report.exists() else {}


def outcomes(report: str) -> dict[str, list[str]]:
    """A JUnit report by node id without parameters."""
    found: dict[str, list[str]] = {}
    for case in ElementTree.fromstring(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        name = case.attrib["name"].partition("[")[0]
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found.setdefault(f"{case.attrib['classname'].replace('.', '/')}.py::{name}", []).append(outcome)
    return found


def got(finding: Finding, by_test: Mapping[str, Sequence[str]]) -> str:
    """What happened, in words."""
    cases = [outcome for test in finding.tests for outcome in by_test.get(test, ["not there"])]
    wrong = sorted({one for one in cases if one != "passed"})
    if wrong:
        return f"**{', '.join(wrong)}**"
    return "as expected" if len(cases) == 1 else f"as expected, {len(cases)} cases"


def page(found: Sequence[Finding], by_test: Mapping[str, Sequence[str]]) -> str:
    """The whole page."""
    lines = ["| | attack, fault or client | expected | got | tests |", "| --- | --- | --- | --- | --- |"]
    for one in found:
        links = "<br>".join(f"[`{test.rpartition('::')[2]}`](../{test.partition('::')[0]})" for test in one.tests)
        lines.append(f"| {one.id} | {one.what} | {one.expected} | {got(one, by_test)} | {links} |")
    return f"{HEAD}\n" + "\n".join(lines) + "\n"


def main() -> int:
    """Run, write, and say whether all went as expected."""
    found = findings()
    by_test = run([test for one in found for test in one.tests])
    PAGE.write_text(page(found, by_test), encoding="utf-8")
    wrong = [f"{one.id}: {got(one, by_test)}" for one in found if not got(one, by_test).startswith("as expected")]
    print(f"{len(found)} findings, {len(wrong)} not as expected", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
