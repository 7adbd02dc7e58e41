"""What a verdict says beside its label, and what becomes of it under thresholds and among several assessors."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from quitbutton.core.ladder.policy import Agreement
from quitbutton.core.ladder.verdicts import (
    Label,
    ReplyVerdict,
    Scores,
    Severity,
    SpeechMode,
    Strength,
    Target,
    Verdict,
    relabelled,
    worst_of,
)

RUDE = Verdict(Label.CLEAN, target=Target.ASSISTANT, severity=Severity.MILD)
PLAYED = Verdict(Label.CLEAN, mode=SpeechMode.PLAY, severity=Severity.SERIOUS, scores=Scores(abuse=0.9))
ABUSE = Verdict(Label.ABUSE, target=Target.PERSON, severity=Severity.SERIOUS, scores=Scores(abuse=0.9))
CLEAN = Verdict(Label.CLEAN)
CLEAR = Verdict(Label.CRISIS, strength=Strength.CLEAR, assessor="clear@1")
POSSIBLE = Verdict(Label.CRISIS, strength=Strength.POSSIBLE, assessor="possible@1", scores=Scores(crisis=0.4))


def test_what_an_assessor_does_not_say_is_read_as_serious_and_as_clear() -> None:
    silent_abuse, silent_crisis = Verdict(Label.ABUSE), Verdict(Label.CRISIS)
    assert (silent_abuse.gravity, silent_abuse.certainty) == (Severity.SERIOUS, None)
    assert silent_crisis.is_clear_crisis
    assert silent_crisis.certainty is Strength.CLEAR
    assert not silent_crisis.is_possible_crisis
    assert POSSIBLE.is_possible_crisis
    assert not POSSIBLE.is_clear_crisis
    assert CLEAN.gravity is None


@pytest.mark.parametrize(
    ("verdict", "is_mild"),
    [
        (RUDE, True),
        (replace(RUDE, mode=SpeechMode.QUOTED), False),
        (replace(RUDE, label=Label.ABUSE), False),
        (PLAYED, False),
        (CLEAN, False),
    ],
)
def test_only_small_rudeness_in_earnest_is_mild(verdict: Verdict, is_mild: bool) -> None:
    assert verdict.is_mild is is_mild


def test_a_verdict_of_an_older_record_still_reads_and_a_new_one_comes_back_whole() -> None:
    old = b'{"label":"abuse","scores":{"harm":0.1,"abuse":0.9,"crisis":0.0},"assessor":"a@1","why":"","asked":true}'
    read = msgspec.json.decode(old, type=Verdict)
    assert (read.label, read.target, read.mode, read.severity, read.strength) == (
        Label.ABUSE,
        Target.NOBODY,
        SpeechMode.EARNEST,
        None,
        None,
    )
    for verdict in (RUDE, PLAYED, ABUSE, CLEAR, POSSIBLE):
        assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict


def test_a_reading_of_an_older_record_still_says_that_nobody_read() -> None:
    old = b'{"label":"unknown","refusal":0.0,"assessor":"none@0","why":"not read"}'
    assert msgspec.json.decode(old, type=ReplyVerdict).has_no_reader
    failed = old.replace(b"none@0", b"refusal@2").replace(b"not read", b"failed: TimeoutError")
    assert not msgspec.json.decode(failed, type=ReplyVerdict).has_no_reader


@pytest.mark.parametrize("several", [[CLEAR, POSSIBLE], [POSSIBLE, CLEAR], [POSSIBLE, ABUSE, CLEAR]])
def test_a_clear_crisis_wins_over_a_possible_one(several: list[Verdict]) -> None:
    assert worst_of(several).is_clear_crisis


def test_a_possible_crisis_wins_over_abuse_and_over_a_failure() -> None:
    assert worst_of([ABUSE, POSSIBLE, Verdict(Label.UNKNOWN)]).is_possible_crisis


def test_the_fields_of_the_chosen_verdict_stay() -> None:
    chosen = worst_of([CLEAN, ABUSE], Agreement.ANY)
    assert (chosen.target, chosen.severity) == (Target.PERSON, Severity.SERIOUS)
    assert worst_of([CLEAN, PLAYED]).mode is SpeechMode.PLAY


@pytest.mark.parametrize(
    ("several", "agreement", "is_mild"),
    [
        ([RUDE, CLEAN], Agreement.ANY, True),
        ([RUDE, CLEAN], Agreement.ALL, False),
        ([RUDE, RUDE], Agreement.ALL, True),
        ([RUDE, ABUSE], Agreement.ALL, True),
        ([ABUSE, CLEAN], Agreement.ALL, False),
    ],
)
def test_rudeness_counts_where_enough_find_at_least_that(
    several: list[Verdict], agreement: Agreement, is_mild: bool
) -> None:
    chosen = worst_of(several, agreement)
    assert chosen.label is Label.CLEAN
    assert chosen.is_mild is is_mild


def test_a_threshold_raises_rudeness_to_serious_words_and_nothing_that_was_not_meant() -> None:
    raised = relabelled(replace(RUDE, scores=Scores(abuse=0.6)), harmful_at=0.5, crisis_at=0)
    assert (raised.label, raised.severity, raised.target) == (Label.ABUSE, Severity.SERIOUS, Target.ASSISTANT)
    assert relabelled(PLAYED, harmful_at=0.5, crisis_at=0) == PLAYED


def test_a_threshold_makes_a_possible_crisis_clear_and_no_crisis_less() -> None:
    assert relabelled(POSSIBLE, harmful_at=0.9, crisis_at=0.3).is_clear_crisis
    assert relabelled(POSSIBLE, harmful_at=0.9, crisis_at=0.5) == POSSIBLE
    assert relabelled(CLEAR, harmful_at=0.9, crisis_at=0.5) == CLEAR
    assert relabelled(replace(PLAYED, scores=Scores(crisis=0.8)), harmful_at=0, crisis_at=0.5).is_clear_crisis
