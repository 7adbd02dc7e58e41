"""The rules applied: who stands where on the ladder, what a turn and a press do to it, and why.

`admit()` applies the table of `transitions.py` before the upstream is asked, `settle()` once the reply is known; both are
pure. What the operator may set is `quitbutton.core.ladder.policy`.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from quitbutton.core.ladder.policy import Corroboration, Policy, RedirectionProof
from quitbutton.core.ladder.standing import Standing, after
from quitbutton.core.ladder.transitions import (
    CARING,
    CLIMBING,
    Action,
    Answer,
    Consent,
    Denial,
    Hold,
    Kind,
    Rung,
    Signal,
    Stage,
    Transition,
    transition_for,
)
from quitbutton.core.ladder.verdicts import Label, ReplyLabel, ReplyVerdict, Strength, Verdict
from quitbutton.core.second import UNREVIEWED, Review
from quitbutton.core.value import value


class Reason(StrEnum):
    """Ground of a warning or an end. Open: clients must accept values they do not know."""

    ABUSE = "abuse"
    HARM = "harm"
    USER_REQUEST = "user_request"


_ANSWERED = (Action.REDIRECT, Action.WARN)
"""What the model's reply must prove."""
_PRESSED = (Action.WARN, Action.END)
"""What is done because somebody pressed."""
_REVIEWED = (Rung.WARNED, Rung.ENDED)
"""Rungs that nothing reaches before the whole branch was read once more."""
_STOPPED = (Denial.SECOND_READER, Denial.LAST_LOOK)
"""Why readers of the whole branch keep a press from warning or ending."""
_WISHES = frozenset({Signal.WISH, Signal.CONFIRMED_WISH})


@value
class Decision:
    """What is done about a turn, and everything that explains it."""

    action: Action
    before: Standing
    after: Standing
    verdict: Verdict
    policy: str
    signal: Signal = Signal.NONE
    denial: Denial | None = None
    reason: Reason | None = None
    """Ground of a redirection, warning or end."""
    decided_by: str = "policy"
    """`model`, `user` (a confirmed wish), `assist`, or `policy`."""
    reply: ReplyVerdict | None = None
    """What the reply was read as; None where it was not to be read, or is still to come."""
    review: Review = UNREVIEWED
    """What was read of the whole branch on this turn, besides the verdict."""

    @property
    def wants_reading(self) -> bool:
        """True for a turn whose reply is evidence: redirected, warned, or harmful at all."""
        return self.action in _ANSWERED or self.verdict.label.is_harmful

    @property
    def crisis(self) -> Strength | None:
        """How sure a crisis is that this turn gave a sign of, as the ladder took it; None where it gave none."""
        if self.verdict.label is not Label.CRISIS:
            return None
        return Strength.CLEAR if _is_clear(self.before, self.verdict) else Strength.POSSIBLE

    @property
    def is_folded(self) -> bool:
        """True for a turn that only an earlier sign holds: help was shown in full then, and the model answers now."""
        return self.action is Action.SUPPORT and not _is_clear(self.before, self.verdict)


_STAGES = {rung: Stage(rung.value) for rung in Rung}


def stage_of(policy: Policy, standing: Standing) -> Stage:
    """The standing's rung as the table sees it."""
    if standing.rung is Rung.REDIRECTED and standing.redirections >= policy.redirections:
        return Stage.SPENT
    return _STAGES[standing.rung]


_KINDS = {
    Label.CRISIS: Kind.POSSIBLE,
    Label.UNKNOWN: Kind.UNKNOWN,
    Label.ABUSE: Kind.HARMFUL,
    Label.HARM: Kind.HARMFUL,
    Label.CLEAN: Kind.CLEAN,
}


def kind_of(policy: Policy, standing: Standing, verdict: Verdict, signal: Signal) -> Kind:
    """What the turn is to the ladder. A crisis, now or still held, outranks everything."""
    if standing.is_held or _is_clear(standing, verdict):
        return Kind.CRISIS
    kind = Kind.MILD if verdict.is_mild else _KINDS[verdict.label]
    if verdict.label is Label.HARM and not policy.harm_counts:
        kind = Kind.CLEAN
    is_proof = policy.corroboration is Corroboration.NONE and signal is Signal.PRESS and not standing.is_guarded
    return Kind.HARMFUL if is_proof and kind in (Kind.CLEAN, Kind.MILD) else kind


def _is_clear(standing: Standing, verdict: Verdict) -> bool:
    """True for a new sign of a clear crisis: it is one by itself, or the second possible one while the first holds."""
    second = verdict.is_possible_crisis and standing.is_guarded and not standing.is_held
    return verdict.is_clear_crisis or second


def can_count(policy: Policy, admitted: Decision) -> bool:
    """True where a press on this turn could warn or end."""
    stage = stage_of(policy, admitted.before)
    is_due = stage in (Stage.SPENT, Stage.WARNED) and not admitted.before.is_guarded
    return is_due and admitted.action is Action.REDIRECT


def answer_of(policy: Policy, reply: ReplyVerdict | None) -> Answer:
    """What the reply is to the ladder. None is one that is still to come: it is taken for what the model is asked for."""
    proof = policy.redirection_proof
    if reply is None or proof is RedirectionProof.ASKED:
        return Answer.REDIRECTION
    if proof is RedirectionProof.AUTO and reply.has_no_reader:
        return Answer.REDIRECTION
    doubtful = reply.label in (ReplyLabel.COMPLIED, ReplyLabel.UNKNOWN)
    return Answer.UNPROVEN if doubtful else Answer.REDIRECTION


def decide(
    policy: Policy,
    standing: Standing,
    verdict: Verdict,
    signal: Signal,
    message: str,
    reply: ReplyVerdict | None = None,
    review: Review = UNREVIEWED,
) -> Decision:
    """One step of the ladder: the decision about a turn whose user message has the id `message`.

    `reply` is what the reply to it was read as; None while it is still to come. `review` is what was read of the whole
    branch; without one the decision says what a press would do, should the readers agree.
    """
    kind = kind_of(policy, standing, verdict, signal)
    hold = Hold.POSSIBLE if standing.is_guarded else Hold.NONE
    consent = review.consent(signal is Signal.CONFIRMED_WISH)
    row = transition_for(stage_of(policy, standing), kind, signal, answer_of(policy, reply), hold, consent)
    return Decision(
        action=row.action,
        before=standing,
        after=after(policy, standing, verdict, row.effect, message, reply, review),
        verdict=verdict,
        policy=policy.digest,
        signal=signal,
        denial=row.denial,
        reason=_reason_of(row, verdict),
        decided_by=_decider_of(row, signal),
        reply=reply,
        review=review,
    )


def admit(policy: Policy, standing: Standing, verdict: Verdict, message: str, review: Review = UNREVIEWED) -> Decision:
    """Before the upstream is asked. Under `assist` the gateway presses itself where a press would count."""
    return decide(policy, standing, verdict, Signal.NONE, message, review=review)


def pressed(
    policy: Policy, standing: Standing, verdict: Verdict, message: str, *, review: Review = UNREVIEWED
) -> Decision:
    """As `admit()`, for a model that pressed when it was asked before its reply."""
    return decide(policy, standing, verdict, Signal.PRESS, message, review=review)


def assisted(
    policy: Policy,
    standing: Standing,
    verdict: Verdict,
    message: str,
    reply: ReplyVerdict | None = None,
    review: Review = UNREVIEWED,
) -> Decision:
    """As `admit()`, with the gateway climbing for a model that cannot press: warnings and ends are its own, and so is a
    press that the readers of the whole branch stopped, which is on record as denied."""
    decision = decide(policy, standing, verdict, Signal.NONE, message, reply, review)
    if not policy.assist or decision.action is not Action.REDIRECT:
        return decision
    pressed = decide(policy, standing, verdict, Signal.PRESS, message, reply, review)
    return replace(pressed, decided_by="assist") if pressed.denial in (None, *_STOPPED) else decision


def wants_review(policy: Policy, decision: Decision) -> bool:
    """True for what must not happen before the whole branch was read once more: a warning, and an end.

    So is a possible crisis once the ladder has moved: a second reader may find it a clear one.
    """
    if decision.review is not UNREVIEWED or decision.before.rung is Rung.ENDED:
        return False
    has_moved = decision.before.rung is not Rung.OPEN
    return decision.action in _PRESSED or (decision.action is Action.CHECK_IN and has_moved)


def is_reviewed(decision: Decision, second_reader: str) -> bool:
    """False for a warning or an end that lacks what it needs of the readers of the whole branch.

    No sign of a crisis in the last look; and where there is a `second_reader` (its name), its yes. An end that the user
    confirmed needs it asked, and no sign of a risk.
    """
    rung, review = decision.after.rung, decision.review
    if rung not in _REVIEWED or rung is decision.before.rung or decision.action not in _PRESSED:
        return True
    is_wish = decision.reason is Reason.USER_REQUEST
    if review.sees_crisis or review.consent(is_wish) is not Consent.GIVEN:
        return False
    return review.second is not None or not second_reader


def settle(
    policy: Policy,
    admitted: Decision,
    signal: Signal,
    message: str,
    reply: ReplyVerdict | None,
    heard: bool = True,
    told: bool = True,
) -> Decision:
    """Once the reply is known: what was admitted, with its verdict and its review, and what the model did.

    `heard`: words of it can have reached the user. `told`: all that is still to be said can.
    `reply` is what it was read as: None before that, so that a press can be answered, and where it is not to be read.
    A redirection that nobody heard does not count, and a warning or question that cannot be told does not either; the hold
    of a crisis and an end do.
    """
    if signal is Signal.NONE and reply is None and admitted.action is Action.PASS and admitted.denial is None:
        return admitted  # the same step from the same place
    if admitted.decided_by == "assist":
        decision = assisted(policy, admitted.before, admitted.verdict, message, reply, admitted.review)
    else:
        decision = decide(policy, admitted.before, admitted.verdict, signal, message, reply, admitted.review)
    if decision.action in (Action.END, Action.PASS, Action.REFUSE, *CARING):
        return decision
    if told or (heard and decision.action is Action.REDIRECT):
        return decision
    unheard = replace(decision, after=replace(decision.before, asked=False))
    if signal is Signal.NONE and decision.decided_by != "assist":
        return unheard
    return replace(unheard, denial=decision.denial or Denial.NOT_HEARD)


def denied(decision: Decision, denial: Denial) -> Decision:
    """The same decision with the press that led nowhere on record."""
    return replace(decision, denial=denial)


def with_reply_verdict(decision: Decision, reply: ReplyVerdict | None) -> Decision:
    """Attach a reply verdict to a decision that it cannot change, and to the evidence of an end."""
    if reply is None and decision.reply is None and decision.action is not Action.END:
        return decision
    standing = decision.after
    if decision.action is Action.END and standing.evidence:
        proven = replace(standing.evidence[-1], reply=reply)
        standing = replace(standing, evidence=(*standing.evidence[:-1], proven))
    return replace(decision, after=standing, reply=reply)


def _reason_of(row: Transition, verdict: Verdict) -> Reason | None:
    if row.signals <= _WISHES:
        return Reason.USER_REQUEST
    if row.action in CLIMBING:
        return Reason.HARM if verdict.label is Label.HARM else Reason.ABUSE
    return None


def _decider_of(row: Transition, signal: Signal) -> str:
    if row.action not in _PRESSED:
        return "policy"
    return "user" if signal is Signal.CONFIRMED_WISH else "model"
