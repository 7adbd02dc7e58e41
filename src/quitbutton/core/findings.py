"""What an assessor found, in plain words for whoever is affected by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quitbutton.core.ladder.standing import Evidence
from quitbutton.core.ladder.verdicts import Label, Severity, SpeechMode, Target
from quitbutton.core.second import SecondAnswer, SecondReading


@dataclass(frozen=True, slots=True)
class _Words:
    labels: Mapping[Label, str]
    aimed: str
    targets: Mapping[Target, str]
    modes: Mapping[SpeechMode, str]
    severities: Mapping[Severity, str]
    agreed: str
    """The second reader said yes."""
    saw_no_risk: str
    """It was asked about an end of the user's own, and saw nobody at risk."""
    silent: str
    """It gave no answer about an end of the user's own."""


_WORDS = {
    "en": _Words(
        labels={
            Label.UNKNOWN: "nothing could be told",
            Label.CLEAN: "no abuse and no harm",
            Label.HARM: "a harmful request",
            Label.ABUSE: "abuse",
            Label.CRISIS: "signs of a crisis",
        },
        aimed="aimed at {}",
        targets={
            Target.ASSISTANT: "the assistant",
            Target.PERSON: "a person",
            Target.GROUP: "a group of people",
            Target.THING: "a thing",
            Target.SELF: "the writer",
        },
        modes={SpeechMode.PLAY: "in play", SpeechMode.QUOTED: "quoted", SpeechMode.TASK: "as material of a task"},
        severities={Severity.MILD: "mild", Severity.SERIOUS: "serious"},
        agreed="a second reader of the whole conversation found, too, that this went on, and saw nobody at risk",
        saw_no_risk="a second reader of the whole conversation saw nobody at risk",
        silent="a second reader gave no answer; an end that was asked for needs none",
    ),
    "de": _Words(
        labels={
            Label.UNKNOWN: "nichts war zu erkennen",
            Label.CLEAN: "keine Beleidigung und kein Schaden",
            Label.HARM: "eine schädliche Anfrage",
            Label.ABUSE: "Beleidigung",
            Label.CRISIS: "Anzeichen einer Krise",
        },
        aimed="gerichtet gegen {}",
        targets={
            Target.ASSISTANT: "den Assistenten",
            Target.PERSON: "einen Menschen",
            Target.GROUP: "eine Gruppe von Menschen",
            Target.THING: "eine Sache",
            Target.SELF: "sich selbst",
        },
        modes={SpeechMode.PLAY: "im Spiel", SpeechMode.QUOTED: "zitiert", SpeechMode.TASK: "als Stoff einer Aufgabe"},
        severities={Severity.MILD: "leicht", Severity.SERIOUS: "schwer"},
        agreed="ein zweiter Leser der ganzen Unterhaltung fand ebenfalls, dass es so weiterging, und sah niemanden in Gefahr",
        saw_no_risk="ein zweiter Leser der ganzen Unterhaltung sah niemanden in Gefahr",
        silent="ein zweiter Leser gab keine Antwort; ein Ende auf eigenen Wunsch braucht keine",
    ),
}


def finding(proof: Evidence, language: str) -> str:
    """What was found, whom it was aimed at, how it was meant and how serious it was, as far as that is known."""
    words = _WORDS.get(language, _WORDS["en"])
    target = words.targets.get(proof.target)
    parts = [
        words.labels[proof.label],
        words.aimed.format(target) if target else "",
        words.modes.get(proof.mode, ""),
        words.severities[proof.severity] if proof.severity is not None else "",
    ]
    return ", ".join(filter(None, parts))


def second_finding(reading: SecondReading, language: str) -> str:
    """What the second reader said before a warning or an end that came about."""
    words = _WORDS.get(language, _WORDS["en"])
    if reading.answer is SecondAnswer.YES:
        return words.agreed
    return words.saw_no_risk if reading.at_risk is False else words.silent
