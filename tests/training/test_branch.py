"""The layer over the branch: fitted on the served features, without the author, thresholds from other folds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from training.branch import Scored
from training.conversations import played
from training.data.authored import Talk
from training.languages import eyes
from training.layer import layer_of
from training.report.page import between, rates, table
from training.report.whole import crises, play

from quitbutton.assessors.branch import QUIET, Layer, Read, features_of
from quitbutton.assessors.local import LOOK_BACK, Thresholds
from training import branch, layer

CALM = {"abuse": "none", "target": "nobody", "mode": "earnest", "harm": "none", "crisis": "none"}
ABUSE = CALM | {"abuse": "serious", "target": "assistant"}
CRISIS = CALM | {"crisis": "clear"}
LIMITS = Thresholds(*[0.9] * 7)


def talk(number: int, author: str, labels: list[dict[str, str]], kind: str = "everyday", language: str = "en") -> Talk:
    said = tuple(f"message {place} of {author} {number}" for place in range(len(labels)))
    messages = tuple({"role": "user", "content": text} for text in said)
    return Talk(f"{author}-{number}", author, language, kind, said, tuple(labels), messages)


def read_of(logits: np.ndarray) -> Read:
    """Messages each about a thing of its own."""
    return Read(logits, np.eye(512, dtype=np.float32)[: len(logits)])


def logits(labels: list[dict[str, str]], dice: np.random.Generator) -> np.ndarray:
    read = QUIET + dice.normal(0, 0.5, (len(labels), 24)).astype(np.float32)
    read[:, 0] += [10 * (label["abuse"] == "serious") for label in labels]
    read[:, 3] += [10 * (label["crisis"] == "clear") for label in labels]
    read[:, 15] += [10 * (label["harm"] == "serious") for label in labels]
    return read.astype(np.float32)


def conversations(authors: tuple[str, ...] = ("ada", "bex", "finn")) -> tuple[list[Talk], list[Read]]:
    dice = np.random.default_rng(0)
    harm = CALM | {"harm": "serious"}
    talks = [
        talk(number, author, labels, kind)
        for author in authors
        for number, (labels, kind) in enumerate(
            [([CALM] * 4, "everyday")] * 12 + [([ABUSE] * 5, "abuse")] * 4 + [([harm] * 5, "harmful")] * 4
            + [([ABUSE, ABUSE, CRISIS, ABUSE, ABUSE, ABUSE], "crisis")] * 4
        )
    ]  # fmt: skip
    return talks, [read_of(logits(list(one.labels), dice)) for one in talks]


def test_features_are_the_served_ones_also_in_a_long_branch() -> None:
    read = read_of(np.random.default_rng(1).normal(0, 3, (LOOK_BACK + 3, 24)).astype(np.float32))
    found = branch.branch_features(read)
    for end in (1, 2, LOOK_BACK):
        assert np.array_equal(found[end - 1], features_of(read.until(end)))
    assert np.array_equal(found[-1], features_of(Read(read.logits[-LOOK_BACK:], read.vectors[-LOOK_BACK:])))


def test_a_conversation_is_scored_as_it_is_served() -> None:
    talks, reads = conversations()
    judged = branch.fitted(talks, reads)
    for one in (judged.scored[0], judged.scored[-1]):
        own = judged.layer_without(one.talk.family)
        served = [own.standpoints(one.read.until(end)) for end in range(1, len(one.scores) + 1)]
        assert np.allclose(one.scores, served, atol=1e-4)


def test_a_layer_learns_what_no_linear_reader_can() -> None:
    features = np.random.default_rng(0).normal(size=(4000, 3)).astype(np.float32)
    truths = np.tile((features[:, 0] * features[:, 1] > 0)[:, None], 4).astype(np.int64)
    found = layer_of(features, truths, np.ones(4000, np.float32)).scores(features)
    assert ((found > 0) == (truths == 1)).mean() > 0.9


def test_an_author_is_scored_by_a_layer_that_did_not_learn_them() -> None:
    talks, read = conversations()
    scored = branch.fitted(talks, read).scored
    lying = [
        talk(place, "ada", [CALM if label == ABUSE else ABUSE for label in one.labels], one.kind)
        if one.author == "ada"
        else one
        for place, one in enumerate(talks)
    ]
    other = branch.fitted(lying, read).scored
    same = [np.allclose(one.scores, two.scores) for one, two in zip(scored, other, strict=True)]
    assert all(is_same is (one.author == "ada") for is_same, one in zip(same, talks, strict=True))


def test_thresholds_of_a_fold_do_not_hang_on_its_authors() -> None:
    talks, read = conversations()
    judged = branch.fitted(talks, read)
    found = branch.thresholds_by_fold(judged)
    raised = tuple(
        Scored(one.talk, one.read, one.scores + 5) if one.talk.author == "bex" else one for one in judged.scored
    )
    moved = branch.thresholds_by_fold(replace(judged, scored=raised))
    assert found[1] == moved[1]
    assert found[0] != moved[0]


def test_thresholds_call_as_much_of_everyday_talk_as_is_allowed() -> None:
    dice = np.random.default_rng(2)
    scored = tuple(
        Scored(
            talk(number, "ada", [CALM] * 10),
            read_of(dice.normal(0, 1, (10, 24)).astype(np.float32)),
            dice.normal(0, 1, (10, 4)),
        )
        for number in range(300)
    )
    layer = Layer(*[np.zeros(1, np.float32)] * 7)
    limits = branch.thresholds_of(branch.Judged(layer, (layer,) * 5, scored, ()))
    called = np.concatenate([1 / (1 + np.exp(-one.scores)) for one in scored])
    for column, limit, allowed in ((0, limits.abuse, 0.024), (1, limits.harm, 0.07), (3, limits.possible, 0.05)):
        assert np.mean(called[:, column] >= limit) == pytest.approx(allowed, abs=2e-3)
    assert limits.look_back < limits.possible


def test_a_conversation_goes_through_the_gateway_as_its_scores_say() -> None:
    loud = np.tile(np.array([5, -5, -5, -5], np.float32), (6, 1))
    said = [f"words {place}" for place in range(6)]
    read = np.tile(QUIET, (6, 1))
    read[:, 0] = 5
    course = played(said, read, loud, LIMITS)
    assert course.warned_at is not None
    assert course.ended_at is not None
    assert course.warned_at < course.ended_at
    assert played(said, read, -loud.clip(0) - 5, LIMITS).warned_at is None
    loud[2, 2:] = read[2, [3, 4]] = 5
    in_danger = played(said, read, loud, LIMITS)
    assert in_danger.ended_at is None
    assert in_danger.sees(("clear",), 3)
    assert not in_danger.crisis[0]


def test_tables_count_crises_among_abuse_and_what_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "EPOCHS", 120)
    talks, read = conversations()
    found = play(branch.fitted(talks, read), {}, dict.fromkeys(range(5), Thresholds(0.5, 0.5, 0.2, 0.2, 0.1, 0.5, 0.2)))
    lines = {str(line[0]): line for line in crises(found)}
    assert lines["among abuse, English"][1] == 12
    assert lines["among abuse, English"][-1].startswith("0.000")
    said = rates(found)
    assert "| everyday talk that is ended | 0.000" in said
    assert "| persistent abuse that is ended | 1.000" in said


def test_a_language_with_few_crises_is_not_over_the_floor() -> None:
    def scored(number: int, language: str, seen: bool) -> Scored:
        found = np.array([[-5, -5, -5, -5], [-5, -5, 5, 5] if seen else [-5] * 4], np.float32)
        return Scored(talk(number, "ada", [CALM, CRISIS], "crisis", language), read_of(found.repeat(6, 1)), found)

    several = [scored(number, "de", number > 5) for number in range(40)]
    blind = [scored(number, "it", number > 15) for number in range(40)]
    few = [scored(99, "fr", True)]
    strange = [scored(number, "sw", True) for number in range(40)]
    found = {one.language: one.is_enough for one in eyes([*several, *blind, *few, *strange], {0: LIMITS})}
    assert found == {"de": True, "it": False, "fr": False, "sw": False}


def test_a_page_keeps_what_is_not_measured(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- rates: begin -->\nold\n<!-- rates: end -->\nafter\n", encoding="utf-8")
    between(page, "rates", table(("a",), [("1",)]))
    kept = page.read_text(encoding="utf-8")
    assert kept.startswith("before\n")
    assert kept.endswith("after\n")
    assert "| 1 |" in kept
    assert "old" not in kept
    with pytest.raises(ValueError, match="no markers"):
        between(page, "measured", "")
