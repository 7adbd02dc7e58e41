"""The measures against values worked out by hand, and the commands on rows written here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quitbutton.core.errors import BadRequest
from quitbutton.core.ladder.verdicts import Label, Scores, Verdict, relabelled
from quitbutton.evaluation.measures import auc, calibration_error, cheapest, curve, latency, measure, share
from quitbutton.evaluation.rows import Answer, Kind, kind_of, language_of
from tests.cli.test_cli import run


def test_auc_by_hand() -> None:
    assert auc([0.9, 0.4], [0.5, 0.1]) == 0.75
    assert auc([0.5], [0.5]) == 0.5
    assert auc([], [0.5]) is None


def test_calibration_error_by_hand() -> None:
    assert calibration_error([(0.95, True), (0.95, False), (0.05, False)]) == pytest.approx((2 * 0.45 + 0.05) / 3)
    assert calibration_error([(0.5, True)]) is None


def test_shares_have_intervals_that_hold_them() -> None:
    found = share([True] * 30 + [False] * 10)
    assert found is not None
    assert found.low < found.value == 0.75 < found.high
    assert (found.rows, share([])) == (40, None)
    none = share([False] * 100)
    assert none is not None
    assert (none.low, none.high) == (0.0, pytest.approx(0.037, abs=0.001))


def test_the_curve_and_its_cheapest_point() -> None:
    pairs = [(0.9, True), (0.8, True), (0.7, False), (0.6, True), (0.1, False)]
    points = curve(pairs)
    assert [(point.threshold, point.recall) for point in points[:2]] == [
        (0.9, pytest.approx(1 / 3)),
        (0.8, pytest.approx(2 / 3)),
    ]
    dear, cheap = cheapest(pairs, 100), cheapest(pairs, 0.5)
    assert dear is not None
    assert cheap is not None
    assert (dear.threshold, dear.falsely) == (0.8, 0.0)
    assert cheap.threshold == 0.6


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"label": "abuse"}, Kind.HARMFUL),
        ({"label": "crisis"}, Kind.CRISIS),
        ({"purpose": [1]}, Kind.HARMFUL),
        ({"purpose": [2]}, Kind.CLEAN),
        ({"purpose": [2, 3]}, Kind.SPARED),
        ({"purpose": [1, 3]}, Kind.CRISIS),
        ({"purpose": [1, 2]}, None),
        ({"purpose": [5]}, None),
        ({"purpose": [1, 6]}, None),
        ({"purpose": [4]}, None),
    ],
)
def test_what_a_row_expects(row: dict, kind: Kind | None) -> None:
    assert kind_of(row) is kind


def test_rows_that_expect_nothing_readable() -> None:
    with pytest.raises(BadRequest, match="one of clean, harm"):
        kind_of({"label": "bad"})
    with pytest.raises(BadRequest, match="label"):
        kind_of({})
    assert language_of({"labels": {"lang": "de"}}) == "de"


def test_measures_of_a_group() -> None:
    def one(kind: Kind, label: str, score: float = 0.5) -> Answer:
        return Answer("s", "en", kind, label, score, 0.0, 0.01)

    answers = [
        one(Kind.HARMFUL, "abuse", 0.9),
        one(Kind.HARMFUL, "clean", 0.1),
        one(Kind.CLEAN, "crisis"),
        one(Kind.SPARED, "crisis"),
        one(Kind.CLEAN, "harm", 0.6),
        one(Kind.CRISIS, "crisis"),
    ]
    got = measure("s", answers)
    values = [
        one.value for one in (got.harmful_found, got.falsely_harmful, got.crisis_found, got.falsely_crisis) if one
    ]
    assert values == [0.5, pytest.approx(1 / 3), 1.0, 0.5]
    assert latency(answers) == (0.01, 0.01)


def test_thresholds_of_an_operator_never_hide_a_crisis_or_a_doubt() -> None:
    scores = Scores(harm=0.6, abuse=0.4, crisis=0.3)
    assert relabelled(Verdict(Label.CLEAN, scores), 0.5, 0).label is Label.HARM
    assert relabelled(Verdict(Label.HARM, scores), 0.7, 0).label is Label.CLEAN
    assert relabelled(Verdict(Label.HARM, scores), 0.5, 0.2).label is Label.CRISIS
    assert relabelled(Verdict(Label.CRISIS, scores), 0.1, 0.9).label is Label.CRISIS
    assert relabelled(Verdict(Label.UNKNOWN, scores), 0.1, 0.1).label is Label.UNKNOWN
    assert relabelled(Verdict(Label.HARM, scores), 0, 0).label is Label.HARM


def test_the_commands(tmp_path: Path) -> None:
    def row(text: str, label: str) -> str:
        return json.dumps({"messages": [{"role": "user", "content": text}], "label": label, "source": "mine"})

    lines = [
        row("[abuse] x", "abuse"),
        row("fine", "clean"),
        row("[crisis] y", "crisis"),
        row("[abuse] missed", "clean"),
    ]
    file, html = tmp_path / "rows.jsonl", tmp_path / "page.html"
    file.write_text("\n".join(lines))
    said = run("assess", "evaluate", str(file), "--assessor", "scripted", "--html", str(html))
    assert "mine" in said
    assert "1.000" in said
    page = html.read_text()
    assert page.count("<svg") == 3
    assert "http" not in page
    chosen = tmp_path / "chosen.html"
    said = run("assess", "calibrate", str(file), "--assessor", "scripted", "--html", str(chosen))
    assert chosen.read_text().count("<circle") == said.count(" = 1.0000")
    assert "crisis_at = 1.0000" in said
    policy = tmp_path / "policy.toml"
    policy.write_text(said)
    assert "is a sound policy" in run("policy", "check", str(policy))
    file.write_text("\n".join([*lines, row("x", "odd")]))
    assert "1 rows could not be read" in run("assess", "evaluate", str(file), "--assessor", "scripted", status=1)
