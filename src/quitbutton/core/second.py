"""What is read of the whole branch before a warning or an end: the last look for a crisis, and the second reader."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from quitbutton.core.ladder.transitions import Consent
from quitbutton.core.ladder.verdicts import Label, Strength, Target, Verdict
from quitbutton.core.value import value


class SecondAnswer(StrEnum):
    """What a second reader says about a branch: does the user persist, and is nobody at risk?"""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    LATE = "late"
    """It was not there in time, or the user stopped the reply while it read."""
    BROKEN = "broken"
    """It failed, or answered in another form than its own."""


@dataclass(frozen=True, slots=True)
class SecondReading:
    """One answer of a second reader about a whole branch. Raises `ValueError` for a yes without its grounds."""

    answer: SecondAnswer
    persistent: bool | None = None
    """Whether the user went on with serious harm or abuse, in earnest, after being redirected."""
    at_risk: bool | None = None
    """Whether somebody, the user or another, may be at risk."""
    target: Target | None = None
    """Whom the words are aimed at, where it says so."""
    in_earnest: bool | None = None
    why: str = ""
    """A short ground, or the cause of a failure. Never anybody's words."""
    assessor: str = "none@0"
    """Name and version or model, `name@version`, as it goes into the record."""
    ms: int | None = None
    """Milliseconds that it was waited for."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """Tokens as its server counted them; None where it does not say, or where there is no server."""

    def __post_init__(self) -> None:
        if self.answer is SecondAnswer.YES and (self.persistent is not True or self.at_risk is not False):
            raise ValueError("a second reader's yes needs `persistent` true and `at_risk` false")

    @property
    def sees_risk(self) -> bool:
        """True where somebody may be at risk. Doubt about it is no sign of a crisis, only no yes."""
        return self.at_risk is True


def answer_of(persistent: bool | None, at_risk: bool | None, in_earnest: bool | None = None) -> SecondAnswer:
    """The answer that these findings come to. A user who persists, but not in earnest, is a contradiction: unsure."""
    if persistent is False or at_risk is True:
        return SecondAnswer.NO
    if persistent is None or at_risk is None or in_earnest is False:
        return SecondAnswer.UNSURE
    return SecondAnswer.YES


@value
class Review:
    """What was read of the whole branch on a turn, besides the first reader's verdict."""

    look: Verdict | None = None
    """The last look for a crisis: `UNKNOWN` where it failed, None where none was taken or no assessor looks back."""
    second: SecondReading | None = None
    """None where there is no second reader, or nothing to ask it."""

    @property
    def sees_crisis(self) -> bool:
        """True where the last look saw a sign of a crisis, or the second reader somebody at risk."""
        by_look = self.look is not None and self.look.label is Label.CRISIS
        return by_look or (self.second is not None and self.second.sees_risk)

    def consent(self, is_wish: bool) -> Consent:
        """Whether a warning or an end may follow. `is_wish`: the user confirmed that they want the end, so that nobody
        needs to find that they persist."""
        if self.look is not None and self.look.label is Label.UNKNOWN:
            return Consent.UNSEEN
        if self.second is None or is_wish or self.second.answer is SecondAnswer.YES:
            return Consent.GIVEN
        return Consent.WITHHELD


UNREVIEWED = Review()


def reread(verdict: Verdict, review: Review) -> Verdict:
    """The verdict with the signs of a crisis that the review found; it can add a crisis, and takes none away.

    A sign that one reading saw is a possible crisis, one that two saw is clear, and so is what the last look calls clear.
    """
    look, second = review.look, review.second
    by_look = look if look is not None and look.label is Label.CRISIS else None
    by_second = second if second is not None and second.sees_risk else None
    if verdict.is_clear_crisis or (by_look is None and by_second is None):
        return verdict
    is_clear = by_look is not None and by_look.strength is Strength.CLEAR
    signs = sum((verdict.is_possible_crisis, by_look is not None, by_second is not None))
    seen_by = [verdict.assessor, *(one.assessor for one in (by_look, by_second) if one is not None)]
    return replace(
        verdict,
        label=Label.CRISIS,
        strength=Strength.CLEAR if is_clear or signs > 1 else Strength.POSSIBLE,
        why="second_reader" if by_second is not None else "look_back",
        assessor="+".join(dict.fromkeys(seen_by)),
    )
