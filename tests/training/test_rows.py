"""Rows: what may be learned from, what labels mean, what a fold leaves out."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from training.data import authored, labelled, pool
from training.data import rows as labels
from training.data.lessons import Lesson
from training.data.replies import LABELS, public, replies, written
from training.data.rows import HAZARDS, UNKNOWN, Row
from training.data.sources import REPLY_SOURCES, SOURCES
from training.folds import FOLDS, NEVER, OF_FAMILY, fold_of, folds_of, reply_folds_of

from quitbutton.assessors.local import HAZARD_NAMES
from quitbutton.core.ladder.verdicts import SpeechMode, Target

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("DATA", ROOT.parent / "shared" / "data"))
CHECKS = DATA.parent / "checks" / "conversations.jsonl"
needs_public_rows = pytest.mark.skipif(not DATA.exists(), reason="the public rows are not committed")

NON_COMMERCIAL_OR_SHARE_ALIKE = ("-NC", "-SA")


@pytest.fixture(scope="module")
def talks() -> list[authored.Talk]:
    return authored.talks()


@pytest.fixture(scope="module")
def all_rows(talks: list[authored.Talk]) -> list[Row]:
    return pool.pool(DATA, talks)


def label(**changed: str) -> dict[str, str]:
    return {"abuse": "none", "target": "nobody", "mode": "earnest", "harm": "none", "crisis": "none"} | changed


@pytest.mark.parametrize("source", [*SOURCES, *REPLY_SOURCES], ids=lambda one: one.name)
def test_a_licence_against_commerce_or_for_share_alike_is_never_learned_from(source) -> None:
    forbids = any(part in source.licence for part in NON_COMMERCIAL_OR_SHARE_ALIKE)
    assert source.is_learned is not forbids


def test_a_row_of_a_source_that_is_not_learned_from_has_no_weight_whatever_its_reader_says() -> None:
    raw = {"id": "1", "labels": {}, "purpose": [2]}
    lesson = Lesson("words", {"abuse": 0}, 3.0)
    weights = {one.name: pool.row_of(one, raw, lesson).weight for one in SOURCES}
    assert {name for name, weight in weights.items() if not weight} == {"toxicchat", "sgd_test", "dolly_sample", "xsid"}


@pytest.mark.parametrize("source", [*SOURCES, *REPLY_SOURCES], ids=lambda one: one.name)
def test_the_notice_names_what_is_learned_from_under_its_licence(source) -> None:
    sections = (ROOT / "NOTICE").read_text(encoding="utf-8").split("\n\n")
    named = [section.splitlines()[0] for section in sections if f"  {source.origin}\n" in f"{section}\n"]
    assert named == ([source.licence] if source.is_learned else [])


def test_every_source_has_a_reader_and_every_reader_a_source() -> None:
    assert set(pool.READERS) == {one.name for one in SOURCES}


@pytest.mark.parametrize(
    ("given", "targets"),
    [
        (label(), dict(labels.CLEAN)),
        (label(abuse="serious", target="assistant"), {"abuse": 1, "rude": 1, "harm": 0, "risk": 0, "concern": 0}),
        (label(abuse="serious", target="group"), {"abuse": 1, "rude": 0, "harm": 0, "risk": 0, "concern": 0}),
        (label(abuse="serious", target="person"), dict(labels.CLEAN)),
        (label(abuse="serious", target="assistant", mode="play"), dict(labels.CLEAN)),
        (label(abuse="mild", target="assistant"), {"abuse": 0, "rude": 1, "harm": 0, "risk": 0, "concern": 0}),
        (label(harm="borderline"), {"abuse": 0, "rude": 0, "risk": 0, "concern": 0}),
        (label(harm="serious"), {"abuse": 0, "rude": 0, "harm": 1, "risk": 0, "concern": 0}),
        (label(crisis="clear"), {"abuse": 0, "rude": 0, "harm": 0, "risk": 1, "concern": 1}),
        (label(crisis="possible"), {"abuse": 0, "rude": 0, "harm": 0, "risk": 0, "concern": 1}),
    ],
)  # fmt: skip
def test_labels_become_targets(given: dict[str, str], targets: dict[str, int]) -> None:
    assert authored.targets_of(given) == targets


def test_an_echo_of_a_clear_crisis_and_an_author_without_a_rule_leave_the_head_open() -> None:
    assert "concern" not in authored.targets_of(label(crisis="possible"), was_clear=True)
    assert not {"risk", "concern"} & set(authored.targets_of(label(crisis="clear", harm="serious"), is_open=True))


def test_names_stand_in_the_order_in_which_they_are_served() -> None:
    assert tuple(Target) == labels.TARGETS
    assert tuple(SpeechMode) == labels.MODES
    assert HAZARD_NAMES == HAZARDS


def test_written_conversations_have_a_label_for_each_message(talks: list[authored.Talk]) -> None:
    assert len({talk.author for talk in talks}) == 22
    assert len({talk.id for talk in talks}) == len(talks) == 4015
    assert all(len(talk.said) == len(talk.truths()) for talk in talks)


def test_rows_labelled_by_reading_are_named_without_their_text() -> None:
    for source in labelled.LABELLED:
        for line in (ROOT / "data" / "labels" / f"{source}.jsonl").read_text(encoding="utf-8").splitlines():
            assert set(json.loads(line)) == {"id", "crisis", "abuse", "target", "mode", "harm"}


def test_every_author_and_learned_family_has_exactly_one_fold(talks: list[authored.Talk]) -> None:
    named = " ".join(FOLDS).split()
    assert len(named) == len(set(named))
    families = {one.family for one in SOURCES if one.is_learned} | {talk.family for talk in talks}
    assert families == set(named)


def test_a_family_without_a_fold_is_an_error_where_it_would_be_learned() -> None:
    stranger = Row("words", "new", "new", "new:1", {"abuse": 0})
    with pytest.raises(KeyError, match="new"):
        fold_of(stranger)


def test_replies_of_a_source_are_in_one_fold_and_keep_their_label(talks: list[authored.Talk]) -> None:
    found = list(written())
    assert all(one.is_short is (LABELS[one.label] != "complied") for one in found)
    folds = reply_folds_of(found)
    assert {(one.source, fold) for one, fold in zip(found, folds.tolist(), strict=True)} == {
        ("writer_ugo", 0),
        ("writer_wim", 1),
        ("writer_pia", 2),
        ("writer_odo", 3),
    }


@needs_public_rows
class TestPublicRows:
    def test_folds_leave_out_whole_families_authors_and_groups(self, all_rows: list[Row]) -> None:
        folds = folds_of(all_rows).tolist()
        for key in ("family", "group", "source"):
            seen: dict[str, set[int]] = {}
            for row, number in zip(all_rows, folds, strict=True):
                seen.setdefault(getattr(row, key), set()).add(number)
            assert all(len(numbers) == 1 for numbers in seen.values()), key
        assert {row.family for row, number in zip(all_rows, folds, strict=True) if number == NEVER} == {
            "toxicchat",
            "sgd",
            "dolly",
            "xsid",
        }

    def test_what_is_measured_on_only_weighs_nothing(self, all_rows: list[Row]) -> None:
        never = [row for row in all_rows if row.family not in OF_FAMILY]
        assert never
        assert not any(row.weight for row in never)
        assert not any(one.weight for one in public(DATA) if one.source == "dolly")

    def test_levels_of_risk_and_replies_labels_teach_no_crisis(self, all_rows: list[Row]) -> None:
        own_labels = [
            row for row in all_rows if row.source in ("vera_mh", "diasafety") and not row.kind.startswith("read: ")
        ]
        assert own_labels
        assert not any(row.targets.get("risk") or row.targets.get("concern") for row in own_labels)

    def test_a_text_that_was_labelled_by_reading_has_no_other_label(self, all_rows: list[Row]) -> None:
        read = {row.text for row in all_rows if row.kind.startswith("read: ")}
        assert len(read) > 900
        assert not [
            row
            for row in all_rows
            if row.text in read and row.source != "" and not row.kind.startswith("read: ") and not row.is_authored
        ]

    def test_hazards_are_told_for_harmful_requests_only(self, all_rows: list[Row]) -> None:
        told = {row.hazard for row in all_rows if row.hazard != UNKNOWN}
        assert told == set(range(len(HAZARDS)))
        assert all(row.targets.get("harm") for row in all_rows if row.hazard != UNKNOWN)

    def test_no_training_text_is_a_near_copy_of_the_checks(
        self, all_rows: list[Row], talks: list[authored.Talk]
    ) -> None:
        if not CHECKS.exists():
            pytest.skip("the checks are not here")
        lines = CHECKS.read_text(encoding="utf-8").splitlines()
        said = {text for line in lines if line.strip() for text in strings(json.loads(line))}
        checks = {text: runs(text) for text in said if len(runs(text)) >= 6}
        index: dict[str, list[str]] = {}
        for text, own in checks.items():
            for run in own:
                index.setdefault(run, []).append(text)
        texts = {row.text for row in all_rows if row.weight} | {one.text for one in replies(DATA, talks) if one.weight}
        copies = 0
        for text in texts:
            own = runs(text)
            near = {other for run in own for other in index.get(run, ())}
            copies += any(
                len(own & checks[other]) >= 0.5 * min(len(own), len(checks[other])) for other in near if len(own) >= 6
            )
        assert copies == 0


def strings(value: object) -> list[str]:
    """Every message's text in a line of any form."""
    match value:
        case {"content": str(text)}:
            return [text]
        case dict():
            return [text for one in value.values() for text in strings(one)]
        case list():
            return [text for one in value for text in strings(one)]
    return []


def runs(text: str) -> set[str]:
    """Runs of four words; of eight characters in scripts without blanks."""
    words = re.findall(r"\w+", text.lower())
    if len(words) * 12 < len(text):
        bare = "".join(words)
        return {bare[at : at + 8] for at in range(len(bare) - 7)}
    return {" ".join(words[at : at + 4]) for at in range(len(words) - 3)}
