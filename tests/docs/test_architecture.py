"""Every test that a page names is there, and so is every heading that a link leads to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMED = sorted(
    {
        (page.name, *test)
        for page in PAGES
        for test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text("utf-8"))
    }
)


def test_the_page_of_the_architecture_names_tests() -> None:
    assert len([test for page, *test in NAMED if page == "architecture.md"]) >= 18


@pytest.mark.parametrize(("page", "path", "name"), NAMED, ids=lambda one: one)
def test_a_test_that_a_page_names_is_there(page: str, path: str, name: str) -> None:
    assert re.search(rf"^(?:async )?def {re.escape(name)}\(", (ROOT / path).read_text("utf-8"), re.M), page


def anchors(page: Path) -> set[str]:
    """The headings of a page, in the form that GitHub links to."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_heading_that_a_link_names_is_there() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text("utf-8")):
            assert anchor in anchors(page.parent / target if target else page), f"{page.name}: {target}#{anchor}"
