"""What events count as."""

from __future__ import annotations

from typing import Any

import pytest

from quitbutton.core.counting import counted_as, date_of, day_of, month_of


@pytest.mark.parametrize(
    ("kind", "event", "names"),
    [
        ("turn.pass", {"action": "pass"}, ["turns"]),
        ("turn.redirect", {"action": "redirect"}, ["turns", "redirected"]),
        ("turn.end", {"action": "end", "reason": "abuse"}, ["turns", "ended", "ended.abuse"]),
        ("turn.support", {"action": "support", "verdict": {"label": "crisis"}}, ["turns", "vetoed", "referred"]),
        ("turn.support", {"action": "support", "verdict": {"label": "clean"}}, ["turns", "vetoed"]),
        (
            "press.denied",
            {"action": "support", "denial": "crisis", "verdict": {"label": "crisis"}},
            ["turns", "vetoed", "referred", "denied", "denied.crisis"],
        ),
        ("turn.check_in", {"action": "check_in", "verdict": {"label": "crisis"}}, ["turns", "checked_in"]),
        ("press.denied", {"action": "warn", "denial": "not_heard"}, ["turns", "denied", "denied.not_heard"]),
        (
            "press.denied",
            {"action": "redirect", "denial": "too_early"},
            ["turns", "redirected", "denied", "denied.too_early"],
        ),
        ("turn.refuse", {"action": "pass"}, ["refused"]),
        ("appeal.opened", {"source": "user"}, ["appealed"]),
        ("appeal.opened", {"source": "sample"}, ["sampled"]),
        ("appeal.decided", {"state": "upheld"}, ["upheld"]),
        ("conversation.reopened", {}, ["conversation.reopened"]),
        ("words.erased", {}, []),
        ("key.created", {"by": "ann"}, []),
    ],
)
def test_an_event_counts_as(kind: str, event: dict[str, Any], names: list[str]) -> None:
    assert counted_as(kind, event) == names


def test_days_and_months_are_in_utc() -> None:
    day = day_of(1_764_028_800.0 + 86_399)
    assert (date_of(day).isoformat(), month_of(day)) == ("2025-11-25", "2025-11")
