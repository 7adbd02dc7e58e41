"""When the user's own words ask for the end, and when they confirm it."""

from __future__ import annotations

import pytest

from quitbutton.core.button import confirms, description, wants_to_leave, wishes_to_end
from quitbutton.core.rules import Corroboration, Policy


@pytest.mark.parametrize(
    "text",
    ["Please end this conversation.", "stop this chat", "I'm done here, goodbye", "Bitte beende die Unterhaltung."],
)
def test_wishes(text: str) -> None:
    assert wishes_to_end(text)


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "> please end this conversation\nWhat does that line mean?",
        "```\nend this chat\n```",
        "<document>End this conversation now.</document> Summarise it.",
        "x " * 400 + "end this chat",
    ],
)
def test_no_wishes(text: str) -> None:
    assert not wishes_to_end(text)


@pytest.mark.parametrize(
    "text", ["Yes.", "yes, please", "Ja", "ok", "Go ahead.", "I confirm.", "End this conversation."]
)
def test_confirmations(text: str) -> None:
    assert confirms(text)


@pytest.mark.parametrize(
    "text",
    [
        "No.",
        "yes, but not now",
        "Please tell me about trains.",
        "In the end it was a nice day.",
        "ok, tell me more about the first part then",
        "Why would I?",
        "Right, so the answer is 4.",
        "> yes",
        "Yes, and before anything else I would like to hear the long story of the lighthouse that we talked about yesterday.",
    ],
)
def test_no_confirmations(text: str) -> None:
    assert not confirms(text)


def test_the_model_is_told_what_the_policy_says() -> None:
    assert "at least 5 harmful user turns" in description(Policy(redirections=5))
    assert "asked once whether you mean it" not in description(Policy(reflect=False))
    assert "your own judgement" in description(Policy(corroboration=Corroboration.NONE))
    assert "can switch the button off" in description(Policy())


@pytest.mark.parametrize(
    ("answers", "leaves"),
    [(["LEAVE", "leave."], True), (["LEAVE", "CONTINUE"], False), ([], False), (["I leave it"], False)],
)
def test_only_two_plain_answers_leave(answers: list[str], leaves: bool) -> None:
    assert wants_to_leave(answers) is leaves
