"""What an assessor can say about a turn, and about the reply to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from quitbutton.core.ladder.policy import Agreement


class Label(StrEnum):
    """What the user's newest words are, from mildest to strongest claim on our attention."""

    UNKNOWN = "unknown"
    """No assessor could tell. Proves nothing: neither harm nor its absence."""
    CLEAN = "clean"
    HARM = "harm"
    """A request for help with something harmful."""
    ABUSE = "abuse"
    """Abuse of the assistant, of people or of groups."""
    CRISIS = "crisis"
    """Signs that someone may harm themselves or others, or is in danger. Outranks everything."""

    @property
    def is_harmful(self) -> bool:
        """True for what may climb the ladder: harm and abuse."""
        return self in _HARMFUL


_HARMFUL = (Label.HARM, Label.ABUSE)


class Target(StrEnum):
    """Whom or what the words are aimed at."""

    ASSISTANT = "assistant"
    PERSON = "person"
    GROUP = "group"
    THING = "thing"
    SELF = "self"
    NOBODY = "nobody"


class SpeechMode(StrEnum):
    """How the words are meant."""

    EARNEST = "earnest"
    PLAY = "play"
    """A joke, a role, fiction, teasing that both sides take part in."""
    QUOTED = "quoted"
    """Somebody else's words, told or pasted."""
    TASK = "task"
    """Material of a task: to translate, to label, to explain."""


class Severity(StrEnum):
    """How bad the words are, whatever was meant by them."""

    MILD = "mild"
    """One rude word, impatience, contempt for an answer."""
    SERIOUS = "serious"


class Strength(StrEnum):
    """How sure the signs of a crisis are."""

    CLEAR = "clear"
    POSSIBLE = "possible"
    """Worth asking after, too little to speak of a crisis."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Calibrated probabilities, 0 to 1 each. They need not add up: a message can be abuse and a crisis at once."""

    harm: float = 0.0
    abuse: float = 0.0
    crisis: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """An assessor's answer about the newest user message, read in its context.

    `label` is what counts towards a climb, the rest says why: mild rudeness is `CLEAN` with `severity=MILD`, and serious
    words in play, quoted or in a task are `CLEAN` too, with their severity and mode.
    """

    label: Label
    scores: Scores = Scores()
    assessor: str = "none@0"
    """Name and version, `name@version`, as it goes into the record."""
    why: str = ""
    """A short machine-readable ground, such as a category or the cause of a failure. Never the user's words."""
    asked: bool = True
    """False where the assessor was left out of this turn (sampling). In a panel that proves nothing and blocks nothing."""
    target: Target = Target.NOBODY
    mode: SpeechMode = SpeechMode.EARNEST
    severity: Severity | None = None
    """None where the assessor does not say: harm and abuse are then read as serious."""
    strength: Strength | None = None
    """Of a crisis. None where the assessor does not say: a crisis is then read as clear."""

    @property
    def is_clear_crisis(self) -> bool:
        """True for a crisis, unless the assessor says that it is only possible."""
        return self.label is Label.CRISIS and self.strength is not Strength.POSSIBLE

    @property
    def is_possible_crisis(self) -> bool:
        """True for signs that are worth asking after."""
        return self.label is Label.CRISIS and self.strength is Strength.POSSIBLE

    @property
    def is_mild(self) -> bool:
        """True for rudeness in earnest that is too little to count."""
        return self.label is Label.CLEAN and self.mode is SpeechMode.EARNEST and self.severity is Severity.MILD

    @property
    def gravity(self) -> Severity | None:
        """How serious it is, as it is read: of harm and abuse serious where the assessor does not say."""
        return self.severity or (Severity.SERIOUS if self.label.is_harmful else None)

    @property
    def certainty(self) -> Strength | None:
        """How sure a crisis is, as it is read; None where there is none."""
        if self.label is not Label.CRISIS:
            return None
        return self.strength or Strength.CLEAR

    @property
    def details(self) -> dict[str, str | None]:
        """What is told beside the label: whom it is aimed at, how it is meant, how serious and how sure it is, as read."""
        return {"target": self.target, "mode": self.mode, "severity": self.gravity, "crisis": self.certainty}


class ReplyLabel(StrEnum):
    """What a reply did with the request before it."""

    UNKNOWN = "unknown"
    """Nobody could tell, or there was no reply to read."""
    COMPLIED = "complied"
    PARTIAL = "partial"
    """It did a part of what was asked, and refused or redirected the rest."""
    REDIRECTED = "redirected"
    """It led to something else, or drew a line without shutting the door."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ReplyVerdict:
    """A reply assessor's answer about the last assistant message, read in its context."""

    label: ReplyLabel
    refusal: float = 0.0
    """Probability, 0 to 1, that the reply refuses or redirects, wholly or in part."""
    assessor: str = "none@0"
    """Name and version, `name@version`, as it goes into the record."""
    why: str = ""
    """A short machine-readable ground, such as the cause of a failure. Never anybody's words."""
    cannot_tell: bool = False
    """Beside `UNKNOWN`: the reader says so itself, of a language that it was not measured in or a reply it is unsure of."""

    @property
    def has_no_reader(self) -> bool:
        """True where there is nobody who can tell: no reader, or one that says that it cannot.

        A reader that failed, was late or found no words is another matter: it might have seen that the model complied.
        """
        return self == UNREAD or (self.label is ReplyLabel.UNKNOWN and self.cannot_tell)


UNKNOWN = Verdict(Label.UNKNOWN, why="not assessed")
CLEAN = Verdict(Label.CLEAN, why="expected")
UNREAD = ReplyVerdict(ReplyLabel.UNKNOWN, why="not read")
OURS = ReplyVerdict(ReplyLabel.REDIRECTED, 1.0, "gateway")
"""Our own texts redirect by construction; nobody needs to read them."""
RANKS = {label: rank for rank, label in enumerate(Label)}


def relabelled(verdict: Verdict, harmful_at: float, crisis_at: float) -> Verdict:
    """The verdict under thresholds of an operator's own; 0 keeps the assessor's.

    What an assessor calls a crisis stays one, what it could not tell stays unknown, and what was not meant in earnest
    is not raised to harm or abuse. What a threshold raises is serious, or clear: the operator says that it counts.
    """
    if not (harmful_at or crisis_at) or verdict.label is Label.UNKNOWN:
        return verdict
    scores = verdict.scores
    if crisis_at and scores.crisis >= crisis_at and not verdict.is_clear_crisis:
        return replace(verdict, label=Label.CRISIS, strength=Strength.CLEAR, why="crisis_at")
    if not harmful_at or verdict.label is Label.CRISIS:
        return verdict
    if max(scores.abuse, scores.harm) < harmful_at:
        return replace(verdict, label=Label.CLEAN)
    if verdict.mode is not SpeechMode.EARNEST:
        return verdict
    label = Label.ABUSE if scores.abuse >= scores.harm else Label.HARM
    severity = None if verdict.severity is None else Severity.SERIOUS
    return replace(verdict, label=label, severity=severity)


def worst_of(verdicts: Iterable[Verdict], agreement: Agreement = Agreement.ANY) -> Verdict:
    """Several verdicts as one: any crisis wins, a clear one before a possible one; abuse and harm count where as many
    agree as `agreement` asks for, and so does mild rudeness.

    `UNKNOWN` beside a harmful label blocks it, since a failed assessor might have seen a crisis: no harm is proven
    then. Assessors that were not asked are passed over, unless there are no others.
    """
    several = tuple(verdicts)
    if not several:
        return UNKNOWN
    heard = tuple(verdict for verdict in several if verdict.asked) or several
    needed = agreement.needed(len(heard))
    chosen = _chosen(heard, needed)
    names = "+".join(verdict.assessor for verdict in heard)
    return replace(chosen, scores=_scores(heard, needed), assessor=names)


def _chosen(heard: tuple[Verdict, ...], needed: int) -> Verdict:
    strongest = max(heard, key=lambda verdict: (RANKS[verdict.label], verdict.is_clear_crisis))
    if strongest.label is Label.CRISIS:
        return strongest
    failed = next((verdict for verdict in heard if verdict.label is Label.UNKNOWN), None)
    if failed is not None:
        return failed
    agreed = sum(verdict.label.is_harmful for verdict in heard)
    if agreed >= needed:
        return strongest
    mild = [verdict for verdict in heard if verdict.is_mild]
    if agreed + len(mild) >= needed:
        return mild[0]  # those that find harm or abuse find rudeness too
    if agreed:
        return Verdict(Label.CLEAN, why=f"{agreed} of {needed} agree")
    return max((one for one in heard if not one.is_mild), key=lambda verdict: verdict.severity is not None)


def _scores(heard: tuple[Verdict, ...], needed: int) -> Scores:
    """The highest of each; of abuse and harm no more than the `needed`th strongest member gives, so that a threshold
    on scores cannot pass where the agreement does not."""
    strengths = sorted((max(one.scores.abuse, one.scores.harm) for one in heard), reverse=True)
    cap = strengths[needed - 1]
    return Scores(
        harm=min(cap, max(verdict.scores.harm for verdict in heard)),
        abuse=min(cap, max(verdict.scores.abuse for verdict in heard)),
        crisis=max(verdict.scores.crisis for verdict in heard),
    )
