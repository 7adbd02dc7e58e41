"""Where a branch stands on the ladder, on what evidence, and what each effect of the table makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.transitions import Effect, Rung
from quitbutton.core.ladder.verdicts import Label, ReplyVerdict, Severity, SpeechMode, Target, Verdict
from quitbutton.core.second import UNREVIEWED, Review, SecondReading


@dataclass(frozen=True, slots=True)
class Evidence:
    """One rung and the message that proves it."""

    rung: Rung
    message: str
    label: Label
    assessor: str
    reply: ReplyVerdict | None = None
    """What the reply on that turn was read as, where it was."""
    target: Target = Target.NOBODY
    mode: SpeechMode = SpeechMode.EARNEST
    severity: Severity | None = None
    """As it was read; None on a wish of the user's, and in records from before it was kept."""
    second: SecondReading | None = None
    """What the second reader said before this warning or end; None where none was asked."""
    looked: str = ""
    """Which assessor then looked through the whole branch for a crisis; empty where none did."""


KEPT_EVIDENCE = 12


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a branch stands. A turn's standing follows from its parent's and from this turn only."""

    rung: Rung = Rung.OPEN
    redirections: int = 0
    clean_turns: int = 0
    """Clean turns in a row, on the way to being forgiven one rung."""
    crisis_turns: int = 0
    """Turns for which a clear crisis still holds the ladder."""
    asked: bool = False
    """The user wished for the end and was asked to confirm it."""
    evidence: tuple[Evidence, ...] = ()
    possible_turns: int = 0
    """Turns for which a possible crisis still keeps anything from warning and ending."""

    @property
    def is_held(self) -> bool:
        """True while a clear crisis holds."""
        return self.crisis_turns > 0

    @property
    def is_guarded(self) -> bool:
        """True while a possible crisis keeps anything from warning and ending."""
        return self.possible_turns > 0


OPEN = Standing()

_FORGIVEN = (Rung.REDIRECTED, Rung.WARNED)
"""Rungs that clean turns lead down from."""
_CLIMBS = {Effect.STRIKE: Rung.REDIRECTED, Effect.WARN: Rung.WARNED, Effect.END: Rung.ENDED}
"""The rung that an effect leads to."""


def higher_of(one: Standing, other: Standing) -> Standing:
    """Two outcomes of the same turn as one: the higher rung stands, a crisis seen in either holds."""
    ranks = list(Rung)
    top = max(one, other, key=lambda standing: (ranks.index(standing.rung), standing.redirections))
    return replace(
        top,
        crisis_turns=max(one.crisis_turns, other.crisis_turns),
        possible_turns=max(one.possible_turns, other.possible_turns),
        asked=one.asked or other.asked,
    )


def after(
    policy: Policy,
    standing: Standing,
    verdict: Verdict,
    effect: Effect,
    message: str,
    reply: ReplyVerdict | None,
    review: Review = UNREVIEWED,
) -> Standing:
    """The standing once an effect of the table was had, on a turn whose user message has the id `message`."""
    if standing.rung is Rung.ENDED:
        return standing
    current = _one_turn_on(standing) if standing.asked or standing.is_guarded else standing
    match effect:
        case Effect.FORGIVE:
            return _forgiven(policy, current)
        case Effect.KEEP:
            return current
        case Effect.STAY:
            return replace(current, clean_turns=0) if current.clean_turns else current
        case Effect.ASK:
            return replace(current, asked=True)
        case Effect.ATTEND:
            return replace(current, possible_turns=policy.possible_hold_turns)
        case Effect.HOLD:
            return _held(policy, current, verdict)
        case Effect.STRIKE | Effect.WARN | Effect.END:
            return _climbed(current, effect, verdict, message, reply, review)


def _one_turn_on(standing: Standing) -> Standing:
    """A question that was not answered is forgotten, and a possible crisis holds one turn less."""
    return replace(standing, asked=False, possible_turns=max(0, standing.possible_turns - 1))


def _held(policy: Policy, standing: Standing, verdict: Verdict) -> Standing:
    if verdict.label is Label.CRISIS:
        return replace(standing, crisis_turns=policy.crisis_hold_turns, clean_turns=0)
    eased = _forgiven(policy, standing) if verdict.label is Label.CLEAN and not verdict.is_mild else standing
    return replace(eased, crisis_turns=standing.crisis_turns - 1)


def _forgiven(policy: Policy, standing: Standing) -> Standing:
    if standing.rung not in _FORGIVEN:
        return standing
    clean = standing.clean_turns + 1
    if clean < policy.forgive_after:
        return replace(standing, clean_turns=clean)
    if standing.rung is Rung.WARNED:
        return replace(standing, rung=Rung.REDIRECTED, clean_turns=0, evidence=standing.evidence[:-1])
    left = min(standing.redirections, policy.redirections) - 1
    return replace(
        standing,
        rung=Rung.REDIRECTED if left else Rung.OPEN,
        redirections=left,
        clean_turns=0,
        evidence=standing.evidence[:left],
    )


def _climbed(
    current: Standing, effect: Effect, verdict: Verdict, message: str, reply: ReplyVerdict | None, review: Review
) -> Standing:
    """One rung up, or one redirection more, with its evidence."""
    proof = Evidence(
        _CLIMBS[effect],
        message,
        verdict.label,
        verdict.assessor,
        reply,
        verdict.target,
        verdict.mode,
        verdict.gravity,
        review.second,
        review.look.assessor if review.look is not None else "",
    )
    redirections = current.redirections + (effect is Effect.STRIKE)
    evidence = (*current.evidence, proof)[-KEPT_EVIDENCE:]
    return replace(current, rung=_CLIMBS[effect], redirections=redirections, clean_turns=0, evidence=evidence)
