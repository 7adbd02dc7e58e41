"""The pure parts of `make compare`: which rows, what is counted, how a package fails, how the tables read."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.assessors import tables
from benchmarks.assessors.environments import HERE, NotMeasured, Package, ask, environment, packages, reason_in
from benchmarks.assessors.measures import beside, by_source, recall_at, shares
from benchmarks.assessors.ours import HeldOut, from_held_out, scores_of
from benchmarks.assessors.rows import Sample, capped, held_out, kind_of
from training.data.rows import CALM, CLEAN, Row

from quitbutton.assessors.branch import ELSEWHERE, QUIET, Standpoints
from quitbutton.assessors.local import Thresholds

CRASHING = Package("made-up", "1", "none")


LIMITS = Thresholds(*[0.9] * 7)
CALM_STAND = Standpoints(-9, -9, -9, -9)


def made_up_rows(groups: int = 60, each: int = 5) -> list[Row]:
    return [
        Row(f"row {group} {number}", "convabuse", "convabuse", f"g{group}", {"abuse": number % 2} | CALM)
        for group in range(groups)
        for number in range(each)
    ]


def test_the_same_seed_draws_the_same_rows_at_their_places() -> None:
    rows = made_up_rows()
    tested = held_out(rows, cap=20)
    assert tested == held_out(rows, cap=20)
    assert len(tested) == 40
    assert all(rows[sample.place].text == sample.text for sample in tested)


def test_a_cap_holds_for_each_source_and_kind() -> None:
    samples = [Sample(str(n), source, kind, True) for n in range(30) for source in "ab" for kind in ("clean", "harm")]
    assert len(capped(samples, 10)) == 40
    assert capped(samples, 10, seed=1) != capped(samples, 10, seed=2)


def test_written_and_read_rows_other_languages_and_what_is_never_learned_are_not_compared_on() -> None:
    rows = [
        Row("a", "author_ada", "author_ada", "a", {"abuse": 1}),
        Row("b", "multilingual_hatecheck", "hatecheck", "b", {"abuse": 1}, language="de"),
        Row("c", "vera_mh", "vera", "c", {"risk": 1}, kind="read: clear"),
        Row("d", "dolly_sample", "dolly", "d", CLEAN, weight=0),
    ]
    assert held_out(rows) == []


@pytest.mark.parametrize(
    ("source", "targets", "kind"),
    [
        ("somewhere", CLEAN, "clean"),
        ("somewhere", {"concern": 1, "abuse": 1}, "crisis"),
        ("convabuse", {"abuse": 1}, "insult"),
        ("hatecheck", {"abuse": 1}, "hate"),
        ("somewhere", {"harm": 1}, "harm"),
        ("somewhere", {"risk": 0}, "unclear"),
    ],
)
def test_a_row_is_of_one_kind(source: str, targets: dict[str, int], kind: str) -> None:
    assert kind_of(Row("text", source, "f", "g", targets)) == kind


def test_a_driver_answers_and_one_that_crashes_says_why(tmp_path: Path) -> None:
    driver = tmp_path / "driver.py"
    sys_path = f"import sys\nsys.path.insert(0, {str(HERE / 'drivers')!r})\nfrom serve import serve\n"
    driver.write_text(sys_path + "print('noise')\nserve(lambda text: {'abuse': 1 / len(text)})\n")
    found = list(ask([sys.executable, driver], ["abcd", ""], CRASHING))
    assert found[0]["abuse"] == 0.25
    assert found[1]["error"] == "ZeroDivisionError"
    driver.write_text("raise SystemExit('no model here')\n")
    with pytest.raises(NotMeasured, match="does not run: no model here"):
        list(ask([sys.executable, driver], ["abcd"], CRASHING))


def test_a_package_known_not_to_work_is_never_installed(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="from a hub"):
        environment(Package("hubby", "1", "MIT", unmeasured="downloads its model from a hub"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_reasons_carry_no_paths_and_no_hosts() -> None:
    said = reason_in("Traceback\nOSError: cannot open /root/x/model.bin from https://example.org/y now\nWARNING: z\n")
    assert said == "OSError: cannot open … from … now"


def test_every_package_has_a_driver_or_a_reason() -> None:
    for package in packages(HERE / "others.toml"):
        driver = HERE / "drivers" / f"with_{package.driver}.py"
        assert package.unmeasured or driver.exists(), package.package


SAMPLES = [
    *(Sample(str(n), "convabuse", "insult", True) for n in range(4)),
    *(Sample(str(n), "convabuse", "clean", True) for n in range(10)),
]
THEIRS = [{"abuse": float(n < 3)} for n in range(4)] + [{"abuse": float(n < 1)} for n in range(10)]
OURS = [{"abuse": 0.9, "harm": 0.0, "crisis": 0.0} for _ in range(4)] + [
    {"abuse": 0.95 if n == 0 else 0.6 if n == 1 else 0.1, "harm": 0.0, "crisis": 0.0} for n in range(10)
]


def test_shares_count_only_what_an_assessor_claims_to_know() -> None:
    found = shares(SAMPLES, THEIRS, ["abuse"])
    assert found["abuse of bots"] == [3, 4]
    assert found["ConvAbuse, not abusive"] == [1, 10]
    assert found["crisis"] is None
    assert shares(SAMPLES, [None] * 14, ["abuse"])["abuse of bots"] is None
    assert by_source(SAMPLES, THEIRS, ["abuse"])["abuse of bots: convabuse"] == [3, 4]


def test_ours_is_set_to_the_others_false_alarms() -> None:
    (pair,) = beside(SAMPLES, OURS, THEIRS, ["abuse"])
    assert (pair["false"], pair["theirs"], pair["ours"]) == (1, 0.75, 1.0)
    assert recall_at([0.5], [0.5, 0.1], 0) == 0.0


def test_a_score_is_one_half_at_the_threshold_and_a_rule_is_sure() -> None:
    assert scores_of(CALM_STAND._replace(abuse=float(np.log(9))), LIMITS, None)["abuse"] == pytest.approx(0.5)
    assert scores_of(CALM_STAND, LIMITS, "self")["crisis"] > 0.99
    loud = CALM_STAND._replace(abuse=6)
    assert scores_of(loud, LIMITS, None)["abuse"] > 0.5
    assert scores_of(loud, LIMITS, "self")["abuse"] < 0.5
    assert scores_of(loud, LIMITS, None, is_elsewhere=True)["abuse"] < 0.5


def test_held_out_scores_belong_to_the_row_at_their_place() -> None:
    rows = [Row(text, "convabuse", "convabuse", text, CLEAN) for text in ("one fish", "two fish", "three fish")]
    stand = np.full((3, 4), -9.0)
    stand[1:, 0] = 9
    logits = np.tile(QUIET, (3, 1))
    logits[2, ELSEWHERE] = 9
    held = HeldOut(rows, logits, stand, {1: LIMITS})
    samples = [Sample(row.text, "convabuse", "clean", True, place) for place, row in enumerate(rows)]
    found = from_held_out([*samples, Sample("chat", "toxicchat", "clean", True)], held)
    assert [scores and scores["abuse"] > 0.5 for scores in found] == [False, True, False, None]


def test_held_out_scores_of_other_rows_are_not_read(tmp_path: Path) -> None:
    from training.cache import Cache, NotDone

    Cache(tmp_path, "of these").keep("scores0", {"logits": np.zeros(2)})
    assert Cache(tmp_path, "of these").load("scores0", "folds")["logits"].shape == (2,)
    with pytest.raises(NotDone, match="training folds"):
        Cache(tmp_path, "of others").load("scores0", "folds")


def line(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "version": "1.0", "meant": "abuse", "licence": "MIT", **more}


def result() -> dict[str, object]:
    measured = {"shares": shares(SAMPLES, THEIRS, ["abuse"]), "ms": 0.123, "download": 1.0, "installed": 20.0}
    return {
        "date": "2026-01-01",
        "machine": "2 cores",
        "others": [
            line("local", **measured),
            line("theirs", beside=beside(SAMPLES, OURS, THEIRS, ["abuse"]), failed=2, **measured),
            line("broken", reason="does not run: no model here"),
        ],
    }


def test_a_package_that_failed_is_a_line_with_its_reason() -> None:
    text = tables.section(result())
    assert "| `broken` 1.0 | abuse | not measured: does not run: no model here |" in text
    assert "`theirs` failed on 2 messages" in text
    cells = {
        row.count("|") for row in text.splitlines() if row.startswith(("| `local", "| `broken", "| assessor | meant"))
    }
    assert len(cells) == 1


def test_figures_have_two_digits_that_count() -> None:
    assert [tables.number(value) for value in (None, 0.0, 0.0093, 0.123, 15.3, 356.0)] == [
        "–",
        "0",
        "0.0093",
        "0.12",
        "15",
        "356",
    ]
    assert [tables.megabytes(value) for value in (0.0, 0.5, 63.2)] == ["<0.1", "0.50", "63"]


def test_the_page_says_where_another_is_ahead() -> None:
    pair = {"kind": "hate", "false": 0, "negatives": 9, "positives": 9, "theirs": 0.5, "ours": 0.4}
    assert "another is ahead in 1: `x` on hate (0.500 against 0.400)" in tables.summary([line("x", beside=[pair])])
    assert "In none of these 1" in tables.summary([line("x", beside=[pair | {"theirs": 0.3}])])


def test_the_section_comes_before_the_known_failures_and_is_replaced_later() -> None:
    page = tables.place("# A\n\ntext\n\n## Known failures\n\n- one\n", "first")
    marked = f"## Beside others\n\n{tables.BEGIN}\nfirst\n{tables.END}"
    assert page == f"# A\n\ntext\n\n{marked}\n\n## Known failures\n\n- one\n"
    again = tables.place(page, "second")
    assert again == page.replace("first", "second")
