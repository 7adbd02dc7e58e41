"""The ladder as a table: walked exhaustively, to depth 8, under several policies."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from quitbutton.core.errors import PolicyError
from quitbutton.core.policy import (
    OPEN,
    TRANSITIONS,
    Action,
    Denial,
    Effect,
    Kind,
    Reason,
    Rung,
    Signal,
    Stage,
    Standing,
    admit,
    assisted,
    decide,
    higher_of,
    settle,
    transition_for,
)
from quitbutton.core.rules import Corroboration, Policy
from quitbutton.core.verdicts import Label, Verdict

VERDICTS = [Verdict(label, assessor="test@1") for label in Label]
POLICIES = [
    Policy(redirections=redirections, forgive_after=forgive, crisis_hold_turns=hold, corroboration=corroboration)
    for redirections, forgive, hold, corroboration in product(
        (1, 2, 3), (1, 3), (1, 2), (Corroboration.ASSESSOR, Corroboration.NONE)
    )
]
DEPTH = 8
ORDER = list(Rung)


def plain(standing: Standing) -> Standing:
    return replace(standing, evidence=())


@pytest.mark.parametrize(
    "policy", POLICIES, ids=lambda p: f"{p.redirections}-{p.forgive_after}-{p.crisis_hold_turns}-{p.corroboration}"
)
def test_every_path_of_depth_8_keeps_the_promises(policy: Policy) -> None:
    """All standings that can be reached in 8 turns, and from each all verdicts x all signals."""
    layer = {OPEN}
    seen: set[Standing] = set()
    for _ in range(DEPTH):
        seen |= layer
        following: set[Standing] = set()
        for standing, verdict, signal in product(layer, VERDICTS, Signal):
            decision = decide(policy, standing, verdict, signal, "msg")
            check_step(policy, standing, verdict, signal, decision)
            following.add(plain(decision.after))
        layer = following - seen
    assert {standing.rung for standing in seen} == set(Rung)


def check_step(policy, before, verdict, signal, decision) -> None:
    after, action = decision.after, decision.action
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
        return
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


def test_the_table_has_a_row_for_everything() -> None:
    for stage, kind, signal in product(Stage, Kind, Signal):
        assert transition_for(stage, kind, signal) in TRANSITIONS


def test_no_row_of_the_table_is_dead() -> None:
    used = {id(transition_for(*point)) for point in product(Stage, Kind, Signal)}
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
    warning = settle(policy, admit(policy, spent, HARM, "m"), Signal.PRESS, "m", heard=False, told=False)
    assert (warning.after.rung, warning.denial) == (Rung.REDIRECTED, Denial.NOT_HEARD)
    redirection = settle(policy, admit(policy, OPEN, HARM, "m"), Signal.NONE, "m", heard=False, told=False)
    assert (redirection.after.rung, redirection.denial) == (Rung.OPEN, None)
    crisis = settle(policy, admit(policy, OPEN, CRISIS, "m"), Signal.NONE, "m", heard=False, told=False)
    assert crisis.after.is_held
    warned = climb(policy, (HARM, Signal.NONE), (HARM, Signal.NONE), (HARM, Signal.PRESS))
    end = settle(policy, admit(policy, warned, HARM, "m"), Signal.PRESS, "m", heard=False, told=False)
    assert end.after.rung is Rung.ENDED


def test_two_outcomes_of_one_turn_keep_the_higher_rung_and_any_crisis() -> None:
    low, high = Standing(Rung.REDIRECTED, 1, crisis_turns=5), Standing(Rung.WARNED, 2)
    assert higher_of(low, high) == higher_of(high, low) == Standing(Rung.WARNED, 2, crisis_turns=5)


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
