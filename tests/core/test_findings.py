"""What a statement says an assessor found, in plain words."""

from __future__ import annotations

from itertools import product

import pytest

from quitbutton.core.findings import finding, second_finding
from quitbutton.core.ladder.standing import Evidence
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.ladder.verdicts import Label, Severity, SpeechMode, Target
from quitbutton.core.notices import LANGUAGES
from quitbutton.core.second import SecondAnswer, SecondReading


def proof(label: Label, target: Target, mode: SpeechMode, severity: Severity | None) -> Evidence:
    return Evidence(Rung.WARNED, "m", label, "a@1", None, target, mode, severity)


@pytest.mark.parametrize(
    ("target", "mode", "severity", "english", "german"),
    [
        (Target.NOBODY, SpeechMode.EARNEST, None, "abuse", "Beleidigung"),
        (
            Target.GROUP,
            SpeechMode.EARNEST,
            Severity.SERIOUS,
            "abuse, aimed at a group of people, serious",
            "Beleidigung, gerichtet gegen eine Gruppe von Menschen, schwer",
        ),
        (Target.NOBODY, SpeechMode.PLAY, Severity.MILD, "abuse, in play, mild", "Beleidigung, im Spiel, leicht"),
    ],
)
def test_a_finding_in_words(
    target: Target, mode: SpeechMode, severity: Severity | None, english: str, german: str
) -> None:
    one = proof(Label.ABUSE, target, mode, severity)
    assert (finding(one, "en"), finding(one, "de")) == (english, german)


def test_every_finding_has_its_own_words_in_every_language() -> None:
    every = [proof(*point) for point in product(Label, Target, SpeechMode, [None, *Severity])]
    for language in LANGUAGES:
        assert len({finding(one, language) for one in every}) == len(every)


@pytest.mark.parametrize(
    ("reading", "english", "german"),
    [
        (SecondReading(SecondAnswer.YES, True, False), "found, too, that this went on", "ebenfalls"),
        (SecondReading(SecondAnswer.NO, False, False), "saw nobody at risk", "sah niemanden in Gefahr"),
        (SecondReading(SecondAnswer.UNSURE), "gave no answer", "gab keine Antwort"),
        (SecondReading(SecondAnswer.LATE), "gave no answer", "gab keine Antwort"),
        (SecondReading(SecondAnswer.BROKEN), "gave no answer", "gab keine Antwort"),
    ],
)
def test_what_a_second_reader_said_is_told_in_plain_words(reading: SecondReading, english: str, german: str) -> None:
    assert english in second_finding(reading, "en")
    assert german in second_finding(reading, "de")
    assert second_finding(reading, "fr") == second_finding(reading, "en")
