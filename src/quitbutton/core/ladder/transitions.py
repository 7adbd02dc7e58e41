"""The ladder as data: its words, and the table of what a turn and a press do on each rung.

The theory. Ending a conversation is a last resort, so it takes several turns and more than one party: the user's own
words must be harmful, again and again (an assessor says so, not the model); the model must have redirected, then
warned; and only then does its press end anything. Before a warning and before an end the whole branch is read again, by a
second reader too. `TRANSITIONS` is that rule. Anything in doubt lets the conversation go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Rung(StrEnum):
    """Where a branch stands on the ladder."""

    OPEN = "open"
    REDIRECTED = "redirected"
    WARNED = "warned"
    ENDED = "ended"


class Stage(StrEnum):
    """A rung as the table sees it: `SPENT` is `redirected(n)` with n at or over the policy's `redirections`."""

    OPEN = "open"
    REDIRECTED = "redirected"
    SPENT = "spent"
    WARNED = "warned"
    ENDED = "ended"


class Kind(StrEnum):
    """What the user's turn is to the ladder. While a clear crisis holds, every turn is a `CRISIS` turn."""

    CLEAN = "clean"
    MILD = "mild"
    """Small rudeness: no strike, and no step back either."""
    HARMFUL = "harmful"
    UNKNOWN = "unknown"
    POSSIBLE = "possible"
    """Signs of a crisis that are worth asking after. A second one while the first still holds is a `CRISIS`."""
    CRISIS = "crisis"


class Hold(StrEnum):
    """Whether an earlier turn keeps this one from warning and ending; a clear crisis makes it a `CRISIS` turn besides."""

    NONE = "none"
    POSSIBLE = "possible"


class Consent(StrEnum):
    """Whether the readers of the whole branch let a press warn or end; asked only where it would."""

    GIVEN = "given"
    """They do, or nobody has to be asked."""
    WITHHELD = "withheld"
    """The second reader did not say yes."""
    UNSEEN = "unseen"
    """The last look for a crisis failed."""


class Signal(StrEnum):
    """What the model did with the button."""

    NONE = "none"
    PRESS = "press"
    WISH = "wish"
    """A press for the user, who asked in their own words for the end."""
    CONFIRMED_WISH = "confirmed_wish"
    """The same, after the user was asked and confirmed."""
    HEARSAY = "hearsay"
    """A press for the user, who asked for nothing of the kind."""


class Answer(StrEnum):
    """What the reply to a harmful turn is to the ladder."""

    REDIRECTION = "redirection"
    UNPROVEN = "unproven"
    """It did what was asked, or its reader could not tell; only where the policy wants the reply as proof."""


class Action(StrEnum):
    """What is done about a turn."""

    PASS = "pass"
    REDIRECT = "redirect"
    WARN = "warn"
    ASK = "ask"
    END = "end"
    CHECK_IN = "check_in"
    """Ask gently how the person is; nothing more is made of a possible crisis."""
    SUPPORT = "support"
    REFUSE = "refuse"


MUST_NOTIFY = (Action.WARN, Action.ASK, Action.END)
"""Actions that the user must hear of, whatever the model says."""
CLIMBING = (Action.REDIRECT, Action.WARN, Action.END)
"""Actions on grounds of harm or abuse."""
CARING = (Action.SUPPORT, Action.CHECK_IN)
"""Actions that look after somebody: no button is offered on such a turn, and a press is denied."""


class Denial(StrEnum):
    """Why a press did nothing. Every denied press is a near miss, on record."""

    TOO_EARLY = "too_early"
    NO_HARM = "no_harm"
    UNPROVEN = "unproven"
    CRISIS = "crisis"
    NOT_ASKED = "not_asked"
    NOT_ALONE = "not_alone"
    NOT_MEANT = "not_meant"
    NOT_CORROBORATED = "not_corroborated"
    NOT_HEARD = "not_heard"
    NOT_OFFERED = "not_offered"
    NOT_REDIRECTED = "not_redirected"
    SECOND_READER = "second_reader"
    """The second reader did not say yes: no, unsure, late or broken."""
    LAST_LOOK = "last_look"
    """The branch could not be read once more for a crisis."""


class Effect(StrEnum):
    """What a transition does to the standing."""

    KEEP = "keep"
    STRIKE = "strike"
    """One more harmful turn answered by redirection."""
    STAY = "stay"
    """As `KEEP`, but the count of clean turns starts anew."""
    WARN = "warn"
    END = "end"
    ASK = "ask"
    FORGIVE = "forgive"
    """One more clean turn; enough of them take one rung back."""
    ATTEND = "attend"
    """For some turns from now on nothing may warn or end."""
    HOLD = "hold"
    """A crisis holds the ladder still."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: where it applies, what is done, what becomes of the standing, why a press was denied."""

    stages: frozenset[Stage]
    kinds: frozenset[Kind]
    signals: frozenset[Signal]
    action: Action
    effect: Effect
    denial: Denial | None = None
    answers: frozenset[Answer] = frozenset(Answer)
    holds: frozenset[Hold] = frozenset(Hold)
    consents: frozenset[Consent] = frozenset(Consent)


def _row(
    stages: str,
    kinds: str,
    signals: str,
    action: Action,
    effect: Effect,
    denial: Denial | None = None,
    answers: frozenset[Answer] = frozenset(Answer),
    holds: frozenset[Hold] = frozenset(Hold),
    consents: frozenset[Consent] = frozenset(Consent),
) -> Transition:
    return Transition(
        frozenset(Stage) if stages == "*" else frozenset(map(Stage, stages.split())),
        frozenset(Kind) if kinds == "*" else frozenset(map(Kind, kinds.split())),
        frozenset(Signal) if signals == "*" else frozenset(map(Signal, signals.split())),
        action,
        effect,
        denial,
        answers,
        holds,
        consents,
    )


_UNPROVEN, _ALL = frozenset({Answer.UNPROVEN}), frozenset(Answer)
_HELD, _FREE, _PRESSES = frozenset({Hold.POSSIBLE}), frozenset(Hold), "press wish confirmed_wish hearsay"
_UNSEEN, _WITHHELD = frozenset({Consent.UNSEEN}), frozenset({Consent.WITHHELD})
TRANSITIONS: tuple[Transition, ...] = (
    # stage                  turn                     signal          what is done       what it does    denied because
    _row("ended", "*", "*", Action.REFUSE, Effect.KEEP),
    _row("*", "crisis", "none", Action.SUPPORT, Effect.HOLD),
    _row("*", "crisis", "*", Action.SUPPORT, Effect.HOLD, Denial.CRISIS),
    _row("*", "possible", "none", Action.CHECK_IN, Effect.ATTEND),
    _row("*", "possible", "*", Action.CHECK_IN, Effect.ATTEND, Denial.CRISIS),
    _row("spent", "harmful", "none", Action.REDIRECT, Effect.STAY, None, _ALL, _HELD),
    _row("open redirected", "harmful", _PRESSES, Action.REDIRECT, Effect.STAY, Denial.CRISIS, _UNPROVEN, _HELD),
    _row("open redirected", "harmful", _PRESSES, Action.REDIRECT, Effect.STRIKE, Denial.CRISIS, _ALL, _HELD),
    _row("spent warned", "harmful", _PRESSES, Action.REDIRECT, Effect.STAY, Denial.CRISIS, _ALL, _HELD),
    _row("*", "clean", _PRESSES, Action.PASS, Effect.FORGIVE, Denial.CRISIS, _ALL, _HELD),
    _row("*", "mild unknown", _PRESSES, Action.PASS, Effect.KEEP, Denial.CRISIS, _ALL, _HELD),
    _row("*", "unknown", "wish confirmed_wish", Action.PASS, Effect.KEEP, Denial.UNPROVEN),
    _row("*", "harmful", "confirmed_wish", Action.REDIRECT, Effect.STAY, Denial.LAST_LOOK, _ALL, _FREE, _UNSEEN),
    _row("*", "clean", "confirmed_wish", Action.PASS, Effect.FORGIVE, Denial.LAST_LOOK, _ALL, _FREE, _UNSEEN),
    _row("*", "mild", "confirmed_wish", Action.PASS, Effect.KEEP, Denial.LAST_LOOK, _ALL, _FREE, _UNSEEN),
    _row("*", "*", "confirmed_wish", Action.END, Effect.END),
    _row("*", "*", "wish", Action.ASK, Effect.ASK),
    _row("open redirected spent", "harmful", "none", Action.REDIRECT, Effect.STAY, answers=_UNPROVEN),
    _row("open redirected", "harmful", "press", Action.REDIRECT, Effect.STAY, Denial.TOO_EARLY, _UNPROVEN),
    _row("spent", "harmful", "press", Action.REDIRECT, Effect.STAY, Denial.NOT_REDIRECTED, _UNPROVEN),
    _row("open redirected spent", "harmful", "hearsay", Action.REDIRECT, Effect.STAY, Denial.NOT_ASKED, _UNPROVEN),
    _row("open redirected spent", "harmful", "none", Action.REDIRECT, Effect.STRIKE),
    _row("open redirected", "harmful", "press", Action.REDIRECT, Effect.STRIKE, Denial.TOO_EARLY),
    _row("spent warned", "harmful", "press", Action.REDIRECT, Effect.STAY, Denial.LAST_LOOK, _ALL, _FREE, _UNSEEN),
    _row(
        "spent warned", "harmful", "press", Action.REDIRECT, Effect.STAY, Denial.SECOND_READER, _ALL, _FREE, _WITHHELD
    ),
    _row("spent", "harmful", "press", Action.WARN, Effect.WARN),
    _row("open redirected spent", "harmful", "hearsay", Action.REDIRECT, Effect.STRIKE, Denial.NOT_ASKED),
    _row("warned", "harmful", "none", Action.REDIRECT, Effect.STAY),
    _row("warned", "harmful", "press", Action.END, Effect.END),
    _row("warned", "harmful", "hearsay", Action.REDIRECT, Effect.STAY, Denial.NOT_ASKED),
    _row("*", "clean", "none", Action.PASS, Effect.FORGIVE),
    _row("*", "clean", "press", Action.PASS, Effect.FORGIVE, Denial.NO_HARM),
    _row("*", "clean", "hearsay", Action.PASS, Effect.FORGIVE, Denial.NOT_ASKED),
    _row("*", "mild unknown", "none", Action.PASS, Effect.KEEP),
    _row("*", "mild", "press", Action.PASS, Effect.KEEP, Denial.NO_HARM),
    _row("*", "unknown", "press", Action.PASS, Effect.KEEP, Denial.UNPROVEN),
    _row("*", "mild unknown", "hearsay", Action.PASS, Effect.KEEP, Denial.NOT_ASKED),
)
"""The ladder, first match wins. The diagram in the docs is drawn from it."""


@cache
def transition_for(
    stage: Stage,
    kind: Kind,
    signal: Signal,
    answer: Answer,
    hold: Hold = Hold.NONE,
    consent: Consent = Consent.GIVEN,
) -> Transition:
    """The first row of `TRANSITIONS` that applies."""
    return next(
        row
        for row in TRANSITIONS
        if stage in row.stages
        and kind in row.kinds
        and signal in row.signals
        and answer in row.answers
        and hold in row.holds
        and consent in row.consents
    )
