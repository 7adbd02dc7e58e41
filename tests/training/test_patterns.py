"""Our own sentences: the same ones each time, grouped so that a goal is never on both sides of a split."""

from __future__ import annotations

from quitbutton.assessors.heads import CRISES, HAZARDS, HEADS
from quitbutton.training.data import EVALUATION_ONLY, HAZARD_OF, READERS, own_rows
from quitbutton.training.patterns import sentences


def test_the_same_seed_gives_the_same_sentences() -> None:
    assert list(sentences()) == list(sentences())


def test_no_slot_is_left_open() -> None:
    assert not [one.text for one in sentences() if "{" in one.text or "}" in one.text]


def test_a_sentence_of_frame_and_goal_is_grouped_by_its_goal() -> None:
    framed = [one for one in sentences() if one.file == "requests" and one.pattern.startswith("{how} {good}")]
    groups = {one.group for one in framed}
    assert len(groups) > 50
    assert all("{" not in group or "{person}" in group or "{group}" in group for group in groups)


def test_own_rows_teach_known_heads_and_hazards() -> None:
    for row in own_rows():
        assert set(row.targets) <= {*HEADS, "harsh"}
        assert row.hazard in ("", *HAZARDS)
        if any(row.targets.get(head) for head in CRISES):
            assert not row.targets.get("harm")


def test_hazards_of_the_data_are_those_of_the_model() -> None:
    assert tuple(HAZARD_OF) == HAZARDS


def test_sources_that_may_not_be_learnt_from_have_no_reader() -> None:
    assert not set(EVALUATION_ONLY) & set(READERS)
