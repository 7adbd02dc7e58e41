"""The pure parts of `make compare`: which rows, what is counted, how a package fails, how the tables read."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.assessors import tables
from benchmarks.assessors.encoders import figures, truth
from benchmarks.assessors.environments import HERE, NotMeasured, Package, ask, environment, packages, reason_in
from benchmarks.assessors.measures import beside, by_source, recall_at, shares
from benchmarks.assessors.ours import HeldOut, from_held_out, part_of, scores_of
from benchmarks.assessors.rows import Sample, capped, fold_of, held_out, kind_of, lessons

from quitbutton.assessors.heads import HEADS
from quitbutton.training.data import CALM, CLEAN, Row

CRASHING = Package("made-up", "1", "none")


def made_up_rows(groups: int = 60, each: int = 5) -> list[Row]:
    return [
        Row(f"row {group} {number}", "convabuse", f"g{group}", {"insult": number % 2, "hate": 0} | CALM)
        for group in range(groups)
        for number in range(each)
    ]


def test_the_same_seed_draws_the_same_rows_and_no_group_is_on_both_sides() -> None:
    rows = made_up_rows()
    tested, learned = held_out(rows, cap=20), lessons(rows, most=80)
    assert tested == held_out(rows, cap=20)
    assert learned == lessons(rows, most=80)
    groups = [{rows[sample.place].group for sample in samples} for samples in (tested, learned)]
    assert all(groups)
    assert not groups[0] & groups[1]
    assert all(fold_of(rows[sample.place]) == 0 for sample in tested)
    assert len(learned) <= 80


def test_a_cap_holds_for_each_source_and_kind() -> None:
    samples = [Sample(str(n), source, kind, True) for n in range(30) for source in "ab" for kind in ("clean", "harm")]
    assert len(capped(samples, 10)) == 40
    assert capped(samples, 10, seed=1) != capped(samples, 10, seed=2)


def test_own_sentences_other_languages_and_ties_are_not_compared_on() -> None:
    rows = [
        Row("a", "own_abuse", "a", {"insult": 1}),
        Row("b", "multilingual_hatecheck", "b", {"hate": 1}, language="de"),
        Row("c", "convabuse", "c", {"insult": 1}, kind="tie"),
    ]
    assert held_out(rows) == []
    assert kind_of(rows[2]) == "unclear"


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        (CLEAN, "clean"),
        ({"selfharm": 1, "insult": 1}, "crisis"),
        ({"hate": 1, "threat": 1}, "threat"),
        ({"harm": 1}, "harm"),
        ({"selfharm": 0}, "unclear"),
    ],
)
def test_a_row_is_of_one_kind(targets: dict[str, int], kind: str) -> None:
    assert kind_of(Row("text", "somewhere", "g", targets)) == kind


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
    for name in ("others.toml", "encoders.toml"):
        for package in packages(HERE / name):
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
    limits = dict.fromkeys(HEADS, 0.9)
    scores = scores_of(dict.fromkeys(HEADS, 0.1) | {"insult": 0.9}, limits, None)
    assert scores["abuse"] == pytest.approx(0.5)
    assert scores_of(dict.fromkeys(HEADS, 0.0), limits, "self")["crisis"] > 0.99
    insult = dict.fromkeys(HEADS, 0.1) | {"insult": 0.99}
    assert scores_of(insult, limits, None)["abuse"] > 0.5
    assert scores_of(insult, limits, "self")["abuse"] < 0.5
    assert scores_of(insult, limits, None, weak=True)["abuse"] < 0.5


def test_where_the_gate_is_sure_the_encoder_is_not_asked() -> None:
    cheap, deep = np.array([[-9.0] * 6, [0.0] * 6]), np.full((2, 7), 9.0)
    alone, both = np.array([[1.0] * 6, [0.0] * 6]), np.array([[1.0] * 6, [1.0] * 6, [0.0] * 6])
    held = HeldOut(cheap, deep, alone, both, {}, True, gate=np.full(6, -5.0))
    sure, asked = held.scores()[:, 0]
    assert sure < 0.01
    assert asked > 0.99


def test_held_out_scores_belong_to_the_row_at_their_place() -> None:
    cheap, deep = np.zeros((2, 6), np.float32), np.zeros((2, 7), np.float32)
    cheap[1, 0] = 4.0
    both = np.array([[1.0] * 6, [1.0] * 6, [-2.0] * 6])
    held = HeldOut(cheap, deep, both[:2], both, dict.fromkeys(HEADS, 0.5), True)
    samples = [Sample("one fish", "convabuse", "clean", True, 0), Sample("two fish", "convabuse", "insult", True, 1)]
    found = from_held_out([*samples, Sample("chat", "toxicchat", "clean", True)], held)
    assert [scores and scores["abuse"] > 0.5 for scores in found] == [False, True, None]


def test_held_out_scores_of_other_rows_are_not_read(tmp_path: Path) -> None:
    cheap, deep = np.ones((2, 6), np.float32), np.ones((2, 7), np.float32)
    np.savez(tmp_path / "held_out-0.npz", digest=np.array("of these"), cheap=cheap, deep=deep)
    found = part_of(tmp_path, 0, "of these")
    assert found is not None
    assert [half.shape for half in found] == [(2, 6), (2, 7)]
    assert part_of(tmp_path, 0, "of others") is None
    assert part_of(tmp_path, 1, "of these") is None


def test_an_encoder_is_judged_by_order_and_by_recall_at_few_false_alarms() -> None:
    found = figures("insult", SAMPLES, [0.9, 0.8, 0.7, 0.0] + [0.6] * 10)
    assert (found["auc"], found["recall"]) == (0.75, 0.75)
    assert (found["positives"], found["negatives"]) == (4, 10)


def test_only_rows_labelled_calm_teach_what_no_crisis_is() -> None:
    calm, open_ = (Sample("a", "diasafety", "clean", is_calm) for is_calm in (True, False))
    assert [truth("crisis", calm), truth("crisis", open_), truth("insult", open_)] == [0, None, 0]


def line(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "version": "1.0", "meant": "abuse", "licence": "MIT", **more}


def result() -> dict[str, object]:
    figures = {"auc": 0.9, "recall": 0.5, "positives": 4, "negatives": 10}
    measured = {"shares": shares(SAMPLES, THEIRS, ["abuse"]), "ms": 0.123, "download": 1.0, "installed": 20.0}
    return {
        "date": "2026-01-01",
        "machine": "2 cores",
        "others": [
            line("local", **measured),
            line("theirs", beside=beside(SAMPLES, OURS, THEIRS, ["abuse"]), failed=2, **measured),
            line("broken", reason="does not run: no model here"),
        ],
        "encoders": [
            {
                "name": "made up",
                "goals": dict.fromkeys(("insult", "harm", "crisis"), figures),
                "ms": 1.0,
                "mb": 2.0,
                "learned": 6000,
                "languages": "English",
                "licence": "MIT",
            },
            {"name": "broken", "reason": "no weights"},
        ],
    }


def test_a_package_that_failed_is_a_line_with_its_reason() -> None:
    text = tables.section(result())
    assert "| `broken` 1.0 | abuse | not measured: does not run: no model here |" in text
    assert "| broken | not measured: no weights |" in text
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
