"""The page of attacks is what the tests say, and every test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.security import PAGE, Finding, findings, got, outcomes, page

ROOT = Path(__file__).parents[2]
REPORT = """<testsuites><testsuite>
<testcase classname="tests.http.test_framing" name="test_one[a-b]"/>
<testcase classname="tests.http.test_framing" name="test_one[c]"/>
<testcase classname="tests.http.test_framing" name="test_two"><failure message="no"/></testcase>
<testcase classname="tests.http.test_framing" name="test_three"><skipped message="none here"/></testcase>
</testsuite></testsuites>"""


def finding(*names: str) -> Finding:
    return Finding("attacks 1", "a thing", "an answer", tuple(f"tests/http/test_framing.py::{name}" for name in names))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["test_one"], "as expected, 2 cases"),
        (["test_two"], "**failed**"),
        (["test_three"], "**skipped**"),
        (["test_gone"], "**not there**"),
        (["test_one", "test_two"], "**failed**"),
    ],
)
def test_a_line_says_what_its_tests_did(names: list[str], said: str) -> None:
    assert got(finding(*names), outcomes(REPORT)) == said
    assert said in page([finding(*names)], outcomes(REPORT))


@pytest.mark.parametrize("one", findings(), ids=lambda one: one.id)
def test_a_finding_names_tests_that_are_there(one: Finding) -> None:
    assert one.tests
    for test in one.tests:
        path, _, name = test.partition("::")
        assert re.search(rf"^ *(?:async )?def {re.escape(name)}\(", (ROOT / path).read_text(encoding="utf-8"), re.M)


def test_the_committed_page_has_a_line_for_every_finding() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| {one.id} | {one.what} |" in text for one in findings())
    assert "**failed**" not in text
