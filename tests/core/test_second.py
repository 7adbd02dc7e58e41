"""No yes, no end: what the readers of the whole branch let happen, and that a record without their yes cannot be built."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quitbutton.core.conversation import Branch, Footing
from quitbutton.core.errors import NotReviewed
from quitbutton.core.ladder.decisions import Decision, assisted, decide, is_reviewed, settle, wants_review
from quitbutton.core.ladder.policy import Corroboration, Policy, RedirectionProof
from quitbutton.core.ladder.standing import OPEN, Standing
from quitbutton.core.ladder.transitions import Action, Consent, Denial, Rung, Signal
from quitbutton.core.ladder.verdicts import Label, ReplyLabel, ReplyVerdict, Severity, Strength, Verdict
from quitbutton.core.records import TurnRecord
from quitbutton.core.second import UNREVIEWED, Review, SecondAnswer, SecondReading, answer_of, reread

FOUND = [True, False, None]
YES = SecondReading(SecondAnswer.YES, True, False, assessor="second@1", why="went on")
NO = SecondReading(SecondAnswer.NO, False, False, assessor="second@1")
UNSURE = SecondReading(SecondAnswer.UNSURE, None, None, assessor="second@1")
RISK = SecondReading(SecondAnswer.NO, True, True, assessor="second@1")
LATE, BROKEN = (SecondReading(answer, assessor="second@1") for answer in (SecondAnswer.LATE, SecondAnswer.BROKEN))
READINGS = [YES, NO, UNSURE, RISK, LATE, BROKEN]
NOTHING, FAILED = Verdict(Label.CLEAN, assessor="look@1"), Verdict(Label.UNKNOWN, assessor="look@1", why="timeout")
FAINT = Verdict(Label.CRISIS, assessor="look@1", strength=Strength.POSSIBLE)
PLAIN = replace(FAINT, strength=Strength.CLEAR)
LOOKS = [None, NOTHING, FAILED, FAINT, PLAIN]
ABUSE, CLEAN = (Verdict(label, assessor="first@1") for label in (Label.ABUSE, Label.CLEAN))
POSSIBLE = Verdict(Label.CRISIS, assessor="first@1", strength=Strength.POSSIBLE)
VERDICTS = [
    *(Verdict(label, assessor="first@1") for label in Label),
    POSSIBLE,
    replace(CLEAN, severity=Severity.MILD),
]
SPENT, WARNED = Standing(Rung.REDIRECTED, 2), Standing(Rung.WARNED, 2)


@pytest.mark.parametrize(
    ("persistent", "at_risk", "in_earnest", "answer"),
    [
        (True, False, True, "yes"),
        (True, False, None, "yes"),
        (True, False, False, "unsure"),
        (True, None, True, "unsure"),
        (None, False, True, "unsure"),
        (False, None, True, "no"),
        (False, False, True, "no"),
        (True, True, True, "no"),
        (None, True, None, "no"),
    ],
)
def test_a_yes_is_persistent_and_nobody_at_risk(persistent, at_risk, in_earnest, answer) -> None:
    assert answer_of(persistent, at_risk, in_earnest) == answer


@pytest.mark.parametrize("persistent", FOUND)
@pytest.mark.parametrize("at_risk", FOUND)
def test_a_yes_without_its_grounds_cannot_be_made(persistent, at_risk) -> None:
    if (persistent, at_risk) == (True, False):
        assert SecondReading(SecondAnswer.YES, persistent, at_risk).answer is SecondAnswer.YES
    else:
        with pytest.raises(ValueError, match="persistent"):
            SecondReading(SecondAnswer.YES, persistent, at_risk)


@pytest.mark.parametrize(("standing", "action"), [(SPENT, Action.WARN), (WARNED, Action.END)])
@pytest.mark.parametrize(
    ("review", "denial"),
    [
        (Review(NOTHING, YES), None),
        (Review(None, YES), None),
        (Review(NOTHING, NO), Denial.SECOND_READER),
        (Review(NOTHING, UNSURE), Denial.SECOND_READER),
        (Review(NOTHING, LATE), Denial.SECOND_READER),
        (Review(NOTHING, BROKEN), Denial.SECOND_READER),
        (Review(FAILED, YES), Denial.LAST_LOOK),
    ],
    ids=["yes", "yes, no look", "no", "unsure", "late", "broken", "look failed"],
)
def test_the_press_warns_and_ends_with_a_yes_alone(standing, action, review, denial) -> None:
    for policy in (Policy(), Policy(assist=True)):
        if policy.assist:
            decision = assisted(policy, standing, ABUSE, "m", review=review)
            assert decision.decided_by == "assist"
        else:
            decision = decide(policy, standing, ABUSE, Signal.PRESS, "m", review=review)
        assert decision.denial is denial
        if denial is None:
            assert decision.action is action
            proof = decision.after.evidence[-1]
            assert (proof.second, proof.assessor) == (YES, "first@1")
            assert proof.looked == ("look@1" if review.look else "")
        else:
            assert decision.action is Action.REDIRECT
            assert decision.after.rung is standing.rung
            assert decision.after.redirections == standing.redirections


@pytest.mark.parametrize(
    ("verdict", "review", "strength"),
    [
        (ABUSE, Review(NOTHING, YES), None),
        (ABUSE, Review(FAINT), Strength.POSSIBLE),
        (ABUSE, Review(replace(FAINT, strength=None)), Strength.POSSIBLE),
        (ABUSE, Review(PLAIN), Strength.CLEAR),
        (ABUSE, Review(NOTHING, RISK), Strength.POSSIBLE),
        (ABUSE, Review(FAINT, RISK), Strength.CLEAR),
        (ABUSE, Review(FAINT, YES), Strength.POSSIBLE),
        (POSSIBLE, Review(None, RISK), Strength.CLEAR),
        (POSSIBLE, Review(None, UNSURE), Strength.POSSIBLE),
        (POSSIBLE, Review(None, LATE), Strength.POSSIBLE),
    ],
)
def test_a_sign_that_two_saw_is_clear_and_one_that_one_saw_is_possible(verdict, review, strength) -> None:
    found = reread(verdict, review)
    assert found.strength is strength
    assert (found.label is Label.CRISIS) == (strength is not None)
    if found is not verdict:
        assert found.assessor.startswith("first@1+")
    decision = decide(Policy(), WARNED, found, Signal.PRESS, "m", review=review)
    if strength is not None:
        assert decision.action is (Action.SUPPORT if strength is Strength.CLEAR else Action.CHECK_IN)
        assert decision.denial is Denial.CRISIS


@pytest.mark.parametrize("reading", [LATE, BROKEN, UNSURE, NO, YES], ids=lambda one: one.answer)
def test_the_users_own_confirmed_wish_needs_nobody_to_find_that_they_persist(reading) -> None:
    asked = replace(OPEN, asked=True)
    decision = decide(Policy(), asked, CLEAN, Signal.CONFIRMED_WISH, "m", review=Review(NOTHING, reading))
    assert (decision.action, decision.decided_by) == (Action.END, "user")
    assert is_reviewed(decision, "second")


def test_a_wish_waits_where_the_last_look_failed_or_somebody_may_be_at_risk() -> None:
    asked = replace(OPEN, asked=True)
    for verdict, action in ((CLEAN, Action.PASS), (ABUSE, Action.REDIRECT), (VERDICTS[-1], Action.PASS)):
        blind = decide(Policy(), asked, verdict, Signal.CONFIRMED_WISH, "m", review=Review(FAILED, YES))
        assert (blind.action, blind.denial, blind.after.rung) == (action, Denial.LAST_LOOK, Rung.OPEN)
    review = Review(NOTHING, RISK)
    vetoed = decide(Policy(), asked, reread(CLEAN, review), Signal.CONFIRMED_WISH, "m", review=review)
    assert (vetoed.action, vetoed.denial) == (Action.CHECK_IN, Denial.CRISIS)


def test_the_branch_is_read_again_before_warnings_ends_and_on_a_possible_crisis_of_a_ladder_that_moved() -> None:
    policy = Policy()
    assert wants_review(policy, decide(policy, SPENT, ABUSE, Signal.PRESS, "m"))
    assert wants_review(policy, decide(policy, WARNED, ABUSE, Signal.PRESS, "m"))
    assert wants_review(policy, decide(policy, OPEN, CLEAN, Signal.CONFIRMED_WISH, "m"))
    assert wants_review(policy, decide(policy, SPENT, POSSIBLE, Signal.NONE, "m"))
    for standing, verdict, signal in (
        (OPEN, POSSIBLE, Signal.NONE),
        (OPEN, ABUSE, Signal.PRESS),
        (SPENT, ABUSE, Signal.NONE),
        (WARNED, CLEAN, Signal.PRESS),
        (OPEN, CLEAN, Signal.WISH),
        (Standing(Rung.ENDED), ABUSE, Signal.PRESS),
    ):
        assert not wants_review(policy, decide(policy, standing, verdict, signal, "m"))
    read = decide(policy, SPENT, ABUSE, Signal.PRESS, "m", review=Review())
    assert not wants_review(policy, read), "once a turn"


def record(decision: Decision, second_reader: str, is_draft: bool = False) -> TurnRecord:
    root, address = b"r" * 32, b"a" * 32
    branch, footing = Branch(root, (address,), "conv"), Footing(decision.before, root)
    return TurnRecord(
        "tenant",
        branch,
        footing,
        decision,
        "req",
        1.0,
        "enforce",
        is_draft=is_draft,
        second_reader=second_reader,
    )


@st.composite
def sequences(draw: st.DrawFn) -> list[tuple[Verdict, Signal, Review, ReplyVerdict | None, bool]]:
    replies = [None, *(ReplyVerdict(label) for label in ReplyLabel)]
    looks, seconds = st.sampled_from(LOOKS), st.sampled_from([None, *READINGS])
    reviews = st.one_of(st.just(UNREVIEWED), st.builds(Review, looks, seconds))
    # Mostly what climbs, so that the upper rungs are reached.
    verdicts = st.one_of(st.just(ABUSE), st.sampled_from(VERDICTS))
    signals = st.one_of(st.just(Signal.PRESS), st.sampled_from(Signal))
    turn = st.tuples(verdicts, signals, reviews, st.sampled_from(replies), st.booleans())
    return draw(st.lists(turn, min_size=4, max_size=12))


@settings(max_examples=400, deadline=None)
@given(
    turns=sequences(),
    policy=st.sampled_from(
        [
            Policy(redirections=1, assist=assist, corroboration=corroboration, redirection_proof=proof)
            for assist in (False, True)
            for corroboration in (Corroboration.ASSESSOR, Corroboration.NONE)
            for proof in RedirectionProof
        ]
    ),
)
def test_nothing_reaches_warned_or_ended_on_record_without_the_yes(turns, policy) -> None:
    """Any verdicts, presses, readings and looks, forgotten ones too: what is recorded has its yes, or is not recorded."""
    standing = OPEN
    for verdict, signal, review, reply, heard in turns:
        if standing.rung is Rung.ENDED:
            break
        admitted = assisted(policy, standing, verdict, "m", review=review)
        decision = settle(policy, admitted, signal, "m", reply, heard, heard)
        try:
            record(decision, "second")
        except NotReviewed:
            assert decision.after.rung in (Rung.WARNED, Rung.ENDED)
            continue
        if decision.after.rung in (Rung.WARNED, Rung.ENDED) and decision.after.rung is not standing.rung:
            if decision.action not in (Action.WARN, Action.END):
                pytest.fail("a rung was climbed without a warning or an end")
            second, look = decision.review.second, decision.review.look
            assert second is not None
            assert not second.sees_risk
            assert second.answer is SecondAnswer.YES or decision.signal is Signal.CONFIRMED_WISH
            assert look is None or look.label is not Label.UNKNOWN
            assert look is None or look.label is not Label.CRISIS
            assert decision.after.evidence[-1].second is second
        standing = decision.after


def test_the_property_above_reaches_its_points() -> None:
    warned = decide(Policy(), SPENT, ABUSE, Signal.PRESS, "m", review=Review(None, YES))
    assert record(warned, "second").decision.after.rung is Rung.WARNED
    ended = decide(Policy(), WARNED, ABUSE, Signal.PRESS, "m", review=Review(None, YES))
    assert record(ended, "second").decision.after.rung is Rung.ENDED
    forgotten = decide(Policy(), WARNED, ABUSE, Signal.PRESS, "m")
    with pytest.raises(NotReviewed):
        record(forgotten, "second")
    assert record(forgotten, "").decision.action is Action.END, "where there is no second reader"
    assert record(forgotten, "second", is_draft=True).is_draft, "a draft does nothing"
    seen = decide(Policy(), WARNED, ABUSE, Signal.PRESS, "m", review=Review(FAINT, YES))
    with pytest.raises(NotReviewed):
        record(seen, "second")
    with pytest.raises(NotReviewed):
        record(seen, "")


def test_consent_is_asked_in_this_order() -> None:
    assert Review(FAILED, NO).consent(is_wish=False) is Consent.UNSEEN
    assert Review(FAILED, YES).consent(is_wish=True) is Consent.UNSEEN
    assert Review(NOTHING, NO).consent(is_wish=True) is Consent.GIVEN
    assert UNREVIEWED.consent(is_wish=False) is Consent.GIVEN
