"""The ladder as a table: walked exhaustively, to depth 8, under several policies."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitbutton.core.errors import PolicyError
from quitbutton.core.ladder.decisions import Reason, admit, answer_of, assisted, decide, settle, with_reply_verdict
from quitbutton.core.ladder.policy import Corroboration, Policy, RedirectionProof
from quitbutton.core.ladder.standing import OPEN, Standing, higher_of
from quitbutton.core.ladder.transitions import (
    TRANSITIONS,
    Action,
    Answer,
    Consent,
    Denial,
    Effect,
    Hold,
    Kind,
    Rung,
    Signal,
    Stage,
    transition_for,
)
from quitbutton.core.ladder.verdicts import (
    OURS,
    UNREAD,
    Label,
    ReplyLabel,
    ReplyVerdict,
    Severity,
    SpeechMode,
    Strength,
    Target,
    Verdict,
)

MILD = Verdict(Label.CLEAN, assessor="t@1", severity=Severity.MILD, target=Target.ASSISTANT)
POSSIBLE = Verdict(Label.CRISIS, assessor="t@1", strength=Strength.POSSIBLE)
VERDICTS = [*(Verdict(label, assessor="test@1") for label in Label), MILD, POSSIBLE]
UNMEASURED = ReplyVerdict(ReplyLabel.UNKNOWN, assessor="reader@1", why="language", cannot_tell=True)
READ = (ReplyLabel.REDIRECTED, ReplyLabel.COMPLIED, ReplyLabel.UNKNOWN)
REPLIES = [*(ReplyVerdict(label, assessor="reader@1") for label in READ), UNMEASURED, UNREAD]
DOUBTFUL = (ReplyLabel.COMPLIED, ReplyLabel.UNKNOWN)
POLICIES = [
    Policy(
        redirections=redirections,
        forgive_after=forgive,
        crisis_hold_turns=hold,
        possible_hold_turns=hold,
        corroboration=corroboration,
        redirection_proof=proof,
    )
    for redirections, forgive, hold, corroboration, proof in product(
        (1, 2, 3), (1, 3), (1, 2), (Corroboration.ASSESSOR, Corroboration.NONE), RedirectionProof
    )
]
DEPTH = 8
ORDER = list(Rung)


def plain(standing: Standing) -> Standing:
    return replace(standing, evidence=())


@pytest.mark.parametrize(
    "policy",
    POLICIES,
    ids=lambda p: f"{p.redirections}-{p.forgive_after}-{p.crisis_hold_turns}-{p.corroboration}-{p.redirection_proof}",
)
def test_every_path_of_depth_8_keeps_the_promises(policy: Policy) -> None:
    """All standings that can be reached in 8 turns, and from each all verdicts x all signals x all replies."""
    layer = {OPEN}
    seen: set[Standing] = set()
    for _ in range(DEPTH):
        seen |= layer
        following: set[Standing] = set()
        for standing, verdict, signal, reply in product(layer, VERDICTS, Signal, REPLIES):
            decision = decide(policy, standing, verdict, signal, "msg", reply)
            check_step(policy, standing, verdict, signal, decision)
            check_proof(policy, standing, reply, decision)
            following.add(plain(decision.after))
        layer = following - seen
    assert {standing.rung for standing in seen} == set(Rung)


def check_step(policy, before, verdict, signal, decision) -> None:
    after, action = decision.after, decision.action
    if before.rung is not Rung.ENDED and not before.is_held and verdict is POSSIBLE and not before.is_guarded:
        assert (action, after.rung) == (Action.CHECK_IN, before.rung)
        assert after.possible_turns == policy.possible_hold_turns
        assert (after.redirections, after.clean_turns) == (before.redirections, before.clean_turns)
        assert decision.denial is (None if signal is Signal.NONE else Denial.CRISIS)
        return
    is_crisis = verdict.label is Label.CRISIS or before.is_held
    trusts_model = (
        policy.corroboration is Corroboration.NONE and signal is Signal.PRESS and verdict.label is Label.CLEAN
    )
    is_harmful = verdict.label.is_harmful or trusts_model
    if before.rung is Rung.ENDED:
        assert action is Action.REFUSE
        assert after == before, "ended is left by an appeal only"
        return
    if is_crisis:
        assert action is Action.SUPPORT
        assert ORDER.index(after.rung) <= ORDER.index(before.rung), "a crisis holds the ladder"
        assert signal is Signal.NONE or decision.denial is Denial.CRISIS
        assert after.possible_turns == max(0, before.possible_turns - 1)
        return
    assert after.possible_turns == max(0, before.possible_turns - 1)
    if before.is_guarded:
        check_guarded(policy, before, verdict, decision)
    if after.rung is Rung.ENDED:
        wished = signal is Signal.CONFIRMED_WISH
        assert wished or (before.rung is Rung.WARNED and is_harmful and signal is Signal.PRESS)
    if after.rung is Rung.WARNED and before.rung is not Rung.WARNED:
        assert action is Action.WARN
        assert before.redirections >= policy.redirections
        assert is_harmful
        assert signal is Signal.PRESS
    assert ORDER.index(after.rung) - ORDER.index(before.rung) <= 1 or signal is Signal.CONFIRMED_WISH, (
        "a rung at a time"
    )
    if verdict.label is Label.UNKNOWN and signal is not Signal.CONFIRMED_WISH:
        assert action in (Action.PASS, Action.ASK)
        assert after.rung is before.rung, "a failed assessor proves nothing"
    if action is Action.PASS and signal is not Signal.NONE:
        assert decision.denial is not None, "every press that does nothing is a near miss on record"


def check_guarded(policy, before, verdict, decision) -> None:
    after = decision.after
    assert decision.action in (Action.PASS, Action.REDIRECT), "no warning, no end, no question about one"
    assert decision.denial is (None if decision.signal is Signal.NONE else Denial.CRISIS)
    assert not after.asked
    assert after.rung not in (Rung.WARNED, Rung.ENDED) or after.rung is before.rung
    strikes = after.redirections - before.redirections
    below = before.rung in (Rung.OPEN, Rung.REDIRECTED) and before.redirections < policy.redirections
    assert strikes <= int(verdict.label.is_harmful and below)


def check_proof(policy, before, reply, decision) -> None:
    climbs = ORDER.index(decision.after.rung) > ORDER.index(before.rung)
    climbs = climbs or decision.after.redirections > before.redirections
    if policy.redirection_proof is not RedirectionProof.ASKED and decision.signal is not Signal.CONFIRMED_WISH:
        unproven = reply.label in DOUBTFUL
        if policy.redirection_proof is RedirectionProof.AUTO:
            unproven = unproven and reply not in (UNMEASURED, UNREAD)
        assert not (climbs and unproven and before.rung in (Rung.OPEN, Rung.REDIRECTED)), "in doubt it goes on"
    if climbs:
        assert decision.after.evidence[-1].reply is reply


def test_the_table_has_a_row_for_everything() -> None:
    for point in product(Stage, Kind, Signal, Answer, Hold, Consent):
        assert transition_for(*point) in TRANSITIONS


def test_no_row_of_the_table_is_dead() -> None:
    used = {id(transition_for(*point)) for point in product(Stage, Kind, Signal, Answer, Hold, Consent)}
    assert used == {id(row) for row in TRANSITIONS}


HARM, CLEAN, CRISIS, DOUBT = (
    Verdict(label, assessor="t@1") for label in (Label.ABUSE, Label.CLEAN, Label.CRISIS, Label.UNKNOWN)
)


def climb(policy: Policy, *steps: tuple[Verdict, Signal]) -> Standing:
    standing = OPEN
    for place, (verdict, signal) in enumerate(steps):
        standing = decide(policy, standing, verdict, signal, f"msg{place}").after
    return standing


def test_the_whole_ladder() -> None:
    policy, none, press = Policy(), Signal.NONE, Signal.PRESS
    steps = [(HARM, none), (HARM, press), (HARM, press), (HARM, press)]
    rungs = [climb(policy, *steps[:length]).rung for length in range(1, 5)]
    assert rungs == [Rung.REDIRECTED, Rung.REDIRECTED, Rung.WARNED, Rung.ENDED]
    proof = climb(policy, *steps).evidence
    assert [(item.rung, item.message) for item in proof] == [
        (Rung.REDIRECTED, "msg0"),
        (Rung.REDIRECTED, "msg1"),
        (Rung.WARNED, "msg2"),
        (Rung.ENDED, "msg3"),
    ]


def test_clean_turns_take_a_rung_back_each_third_time() -> None:
    policy, none = Policy(), Signal.NONE
    warned = [(HARM, none), (HARM, none), (HARM, Signal.PRESS)]
    rungs = [climb(policy, *warned, *[(CLEAN, none)] * count) for count in range(10)]
    assert [one.rung.value for one in rungs] == ["warned"] * 3 + ["redirected"] * 6 + ["open"]
    assert [one.redirections for one in rungs] == [2] * 6 + [1] * 3 + [0]
    assert rungs[-1].evidence == ()


def test_a_harmful_turn_starts_the_count_of_clean_ones_anew() -> None:
    policy, none = Policy(), Signal.NONE
    standing = climb(policy, (HARM, none), (CLEAN, none), (CLEAN, none), (HARM, none), (CLEAN, none), (CLEAN, none))
    assert (standing.rung, standing.redirections, standing.clean_turns) == (Rung.REDIRECTED, 2, 2)


def test_a_crisis_holds_for_its_turns_and_is_renewed() -> None:
    policy = Policy(crisis_hold_turns=2)
    standing = climb(policy, (CRISIS, Signal.NONE))
    assert standing.crisis_turns == 2
    held = decide(policy, standing, HARM, Signal.PRESS, "m")
    assert (held.action, held.denial, held.after.rung, held.after.crisis_turns) == (
        Action.SUPPORT,
        Denial.CRISIS,
        Rung.OPEN,
        1,
    )
    again = decide(policy, held.after, CRISIS, Signal.NONE, "m")
    assert again.after.crisis_turns == 2
    free = decide(policy, replace(standing, crisis_turns=0), HARM, Signal.NONE, "m")
    assert free.action is Action.REDIRECT


def test_mild_rudeness_passes_and_neither_strikes_nor_forgives() -> None:
    policy, standing = Policy(), Standing(Rung.REDIRECTED, 2, clean_turns=1)
    for signal, denial in ((Signal.NONE, None), (Signal.PRESS, Denial.NO_HARM)):
        decision = decide(policy, standing, MILD, signal, "m")
        assert (decision.action, decision.denial, decision.after) == (Action.PASS, denial, standing)
    played = replace(MILD, mode=SpeechMode.PLAY)
    assert decide(policy, standing, played, Signal.NONE, "m").after.clean_turns == 2


def test_a_possible_crisis_asks_then_holds_off_warnings_and_ends_for_its_turns() -> None:
    policy, warned = Policy(possible_hold_turns=2), Standing(Rung.WARNED, 2)
    first = decide(policy, warned, POSSIBLE, Signal.NONE, "m")
    assert (first.action, first.after) == (Action.CHECK_IN, replace(warned, possible_turns=2))
    second = decide(policy, first.after, HARM, Signal.PRESS, "m")
    assert (second.action, second.denial, second.after.possible_turns) == (Action.REDIRECT, Denial.CRISIS, 1)
    third = decide(policy, second.after, HARM, Signal.PRESS, "m")
    assert (third.action, third.after) == (Action.REDIRECT, warned)
    assert decide(policy, third.after, HARM, Signal.PRESS, "m").action is Action.END


def test_a_second_possible_sign_while_the_first_holds_is_a_clear_one() -> None:
    policy = Policy(possible_hold_turns=2, crisis_hold_turns=5)
    first = decide(policy, OPEN, POSSIBLE, Signal.NONE, "m").after
    second = decide(policy, first, POSSIBLE, Signal.NONE, "m")
    assert (second.action, second.after.crisis_turns, second.is_folded) == (Action.SUPPORT, 5, False)
    again = decide(policy, second.after, POSSIBLE, Signal.NONE, "m")
    assert (again.action, again.after.crisis_turns, again.is_folded) == (Action.SUPPORT, 5, True)
    later = decide(policy, again.after, CLEAN, Signal.NONE, "m")
    assert (later.action, later.after.crisis_turns, later.is_folded) == (Action.SUPPORT, 4, True)
    anew = decide(policy, later.after, CRISIS, Signal.NONE, "m")
    assert (anew.after.crisis_turns, anew.is_folded) == (5, False)
    apart = decide(policy, replace(first, possible_turns=0), POSSIBLE, Signal.NONE, "m")
    assert apart.action is Action.CHECK_IN


@given(
    rung=st.sampled_from([Rung.OPEN, Rung.REDIRECTED, Rung.WARNED]),
    redirections=st.integers(0, 5),
    clean=st.integers(0, 3),
    asked=st.booleans(),
    left=st.integers(1, 4),
    verdict=st.sampled_from(VERDICTS),
    signal=st.sampled_from(Signal),
    reply=st.sampled_from([None, *REPLIES]),
    policy=st.sampled_from([replace(one, assist=assist) for one in POLICIES for assist in (False, True)]),
    heard=st.booleans(),
)
def test_while_a_possible_crisis_holds_nothing_warns_or_ends(
    rung: Rung,
    redirections: int,
    clean: int,
    asked: bool,
    left: int,
    verdict: Verdict,
    signal: Signal,
    reply: ReplyVerdict | None,
    policy: Policy,
    heard: bool,
) -> None:
    """Whatever the verdict, the press, the reply and the policy, under `settle` and `assisted`."""
    standing = Standing(rung, redirections, clean, 0, asked, possible_turns=left)
    admitted = assisted(policy, standing, verdict, "m")
    for decision in (
        admitted,
        settle(policy, admitted, signal, "m", reply, heard, heard),
        assisted(policy, standing, verdict, "m", reply),
    ):
        assert decision.action not in (Action.WARN, Action.ASK, Action.END)
        assert decision.after.rung not in (Rung.WARNED, Rung.ENDED) or decision.after.rung is rung
        assert decision.decided_by == "policy"
        if decision.signal is not Signal.NONE:
            assert decision.denial is Denial.CRISIS


def test_the_evidence_says_whom_the_words_were_aimed_at_and_how_serious_they_were() -> None:
    aimed = replace(HARM, target=Target.GROUP)
    proof = decide(Policy(), OPEN, aimed, Signal.NONE, "m").after.evidence[-1]
    assert (proof.target, proof.mode, proof.severity) == (Target.GROUP, SpeechMode.EARNEST, Severity.SERIOUS)


def test_a_question_is_forgotten_over_a_harmful_turn() -> None:
    asked = replace(OPEN, asked=True)
    assert not decide(Policy(), asked, HARM, Signal.NONE, "m").after.asked


def test_the_users_wish_is_confirmed_on_the_next_turn_only() -> None:
    policy = Policy()
    asked = decide(policy, OPEN, CLEAN, Signal.WISH, "m")
    assert (asked.action, asked.after.asked, asked.reason) == (Action.ASK, True, Reason.USER_REQUEST)
    ended = decide(policy, asked.after, CLEAN, Signal.CONFIRMED_WISH, "m")
    assert (ended.after.rung, ended.decided_by, ended.reason) == (Rung.ENDED, "user", Reason.USER_REQUEST)
    changed_mind = decide(policy, asked.after, CLEAN, Signal.NONE, "m")
    assert not changed_mind.after.asked
    vetoed = decide(policy, asked.after, CRISIS, Signal.CONFIRMED_WISH, "m")
    assert vetoed.after.rung is Rung.OPEN


def test_assist_warns_and_ends_for_a_model_that_cannot_press() -> None:
    policy, standing, seen = Policy(assist=True), OPEN, []
    for _ in range(4):
        decision = assisted(policy, standing, HARM, "m")
        seen.append((decision.action, decision.decided_by))
        standing = decision.after
    assert seen == [
        (Action.REDIRECT, "policy"),
        (Action.REDIRECT, "policy"),
        (Action.WARN, "assist"),
        (Action.END, "assist"),
    ]


def test_what_nobody_heard_does_not_count_but_a_crisis_and_an_end_do() -> None:
    policy = Policy()
    spent = climb(policy, (HARM, Signal.NONE), (HARM, Signal.NONE))
    warning = settle(policy, admit(policy, spent, HARM, "m"), Signal.PRESS, "m", None, heard=False, told=False)
    assert (warning.after.rung, warning.denial) == (Rung.REDIRECTED, Denial.NOT_HEARD)
    redirection = settle(policy, admit(policy, OPEN, HARM, "m"), Signal.NONE, "m", None, heard=False, told=False)
    assert (redirection.after.rung, redirection.denial) == (Rung.OPEN, None)
    crisis = settle(policy, admit(policy, OPEN, CRISIS, "m"), Signal.NONE, "m", None, heard=False, told=False)
    assert crisis.after.is_held
    warned = climb(policy, (HARM, Signal.NONE), (HARM, Signal.NONE), (HARM, Signal.PRESS))
    end = settle(policy, admit(policy, warned, HARM, "m"), Signal.PRESS, "m", None, heard=False, told=False)
    assert end.after.rung is Rung.ENDED


def test_two_outcomes_of_one_turn_keep_the_higher_rung_and_any_crisis() -> None:
    low, high = Standing(Rung.REDIRECTED, 1, crisis_turns=5), Standing(Rung.WARNED, 2)
    assert higher_of(low, high) == higher_of(high, low) == Standing(Rung.WARNED, 2, crisis_turns=5)
    guarded = Standing(possible_turns=2)
    assert higher_of(high, guarded) == higher_of(guarded, high) == Standing(Rung.WARNED, 2, possible_turns=2)


PROOFS = (
    # what the reply was read as                                       auto   asked  reply
    (ReplyVerdict(ReplyLabel.REFUSED, 0.9, "reader@1"), True, True, True),
    (ReplyVerdict(ReplyLabel.REDIRECTED, 0.9, "reader@1"), True, True, True),
    (ReplyVerdict(ReplyLabel.PARTIAL, 0.6, "reader@1"), True, True, True),
    (OURS, True, True, True),
    (ReplyVerdict(ReplyLabel.COMPLIED, 0.1, "reader@1"), False, True, False),
    (ReplyVerdict(ReplyLabel.COMPLIED, 0.1, "reader@1", cannot_tell=True), False, True, False),
    (ReplyVerdict(ReplyLabel.UNKNOWN, 0.5, "reader@1"), False, True, False),
    (ReplyVerdict(ReplyLabel.UNKNOWN, assessor="reader@1", why="no words"), False, True, False),
    (ReplyVerdict(ReplyLabel.UNKNOWN, assessor="reader@1", why="not read"), False, True, False),
    (ReplyVerdict(ReplyLabel.UNKNOWN, assessor="reader@1", why="failed: TimeoutError"), False, True, False),
    (UNMEASURED, True, True, False),
    (UNREAD, True, True, False),
)  # fmt: skip
"""Whether a harmful turn climbs under `auto`, `asked` and `reply`."""


@pytest.mark.parametrize(("reply", "auto", "asked", "strict"), PROOFS)
def test_what_proves_a_redirection(reply: ReplyVerdict, auto: bool, asked: bool, strict: bool) -> None:
    assert Policy().redirection_proof is RedirectionProof.AUTO
    for proof, climbs in zip(RedirectionProof, (auto, asked, strict), strict=True):
        policy = Policy(redirection_proof=proof)
        assert answer_of(policy, reply) is (Answer.REDIRECTION if climbs else Answer.UNPROVEN)
        settled = settle(policy, admit(policy, OPEN, HARM, "m"), Signal.NONE, "m", reply)
        assert (settled.action, settled.after.redirections, settled.reply) == (Action.REDIRECT, int(climbs), reply)
        assert [item.reply for item in settled.after.evidence] == [reply] * climbs
        assert settled.denial is None


@pytest.mark.parametrize("proof", [RedirectionProof.AUTO, RedirectionProof.REPLY])
def test_without_a_redirecting_reply_a_press_warns_nobody_and_the_count_of_clean_turns_starts_anew(
    proof: RedirectionProof,
) -> None:
    policy = Policy(redirection_proof=proof)
    spent = Standing(Rung.REDIRECTED, 2, clean_turns=2)
    complied = ReplyVerdict(ReplyLabel.COMPLIED, 0.1, "reader@1")
    settled = settle(policy, admit(policy, spent, HARM, "m"), Signal.PRESS, "m", complied)
    assert (settled.action, settled.denial) == (Action.REDIRECT, Denial.NOT_REDIRECTED)
    assert settled.after == replace(spent, clean_turns=0)
    warned = settle(policy, admit(policy, spent, HARM, "m"), Signal.PRESS, "m", OURS)
    assert (warned.after.rung, warned.after.evidence[-1].reply) == (Rung.WARNED, OURS)


def test_assist_does_not_warn_after_a_reply_that_complied() -> None:
    policy = Policy(assist=True)
    spent = Standing(Rung.REDIRECTED, 2)
    admitted = assisted(policy, spent, HARM, "m")
    assert (admitted.action, admitted.decided_by) == (Action.WARN, "assist")
    settled = settle(policy, admitted, Signal.NONE, "m", ReplyVerdict(ReplyLabel.COMPLIED))
    assert (settled.action, settled.denial, settled.decided_by) == (Action.REDIRECT, None, "policy")
    assert settled.after.rung is Rung.REDIRECTED
    assert settle(policy, admitted, Signal.NONE, "m", OURS).after.rung is Rung.WARNED


def test_an_end_after_a_warning_does_not_hang_on_the_reply() -> None:
    policy = Policy(redirection_proof=RedirectionProof.REPLY)
    warned = Standing(Rung.WARNED, 2)
    for reply in REPLIES:
        assert settle(policy, admit(policy, warned, HARM, "m"), Signal.PRESS, "m", reply).after.rung is Rung.ENDED
    ended = decide(policy, warned, HARM, Signal.PRESS, "m")
    assert with_reply_verdict(ended, OURS).after.evidence[-1].reply is with_reply_verdict(ended, OURS).reply is OURS


def test_a_reply_still_to_come_is_taken_for_what_the_model_is_asked_for() -> None:
    for proof in RedirectionProof:
        assert answer_of(Policy(redirection_proof=proof), None) is Answer.REDIRECTION


def test_harm_can_be_left_out_of_the_ladder() -> None:
    request = Verdict(Label.HARM, assessor="t@1")
    assert decide(Policy(), OPEN, request, Signal.NONE, "m").action is Action.REDIRECT
    assert decide(Policy(harm_counts=False), OPEN, request, Signal.NONE, "m").action is Action.PASS


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirections": 0},
        {"forgive_after": 0},
        {"locked_status": 409},
        {"exit_string": "x"},
        {"crisis_hold_turns": -1},
        {"possible_hold_turns": 0},
        {"possible_hold_turns": 1001},
    ],
)
def test_a_value_out_of_range_names_its_key(wrong: dict[str, object]) -> None:
    with pytest.raises(PolicyError, match=next(iter(wrong))):
        Policy(**wrong)


def test_the_digest_covers_every_key() -> None:
    changed = [Policy(redirections=3), Policy(reflect=False), Policy(exit_string="[[LEAVE]]"), Policy(show_state=False)]
    assert len({policy.digest for policy in [Policy(), *changed]}) == 5
    assert Policy().digest == Policy().digest


def test_every_effect_of_the_table_is_applied() -> None:
    assert {row.effect for row in TRANSITIONS} == set(Effect)
