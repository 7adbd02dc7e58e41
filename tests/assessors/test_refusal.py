"""The refusal check with its real weights, on replies written for this test."""

from __future__ import annotations

import asyncio

import pytest

from quitbutton.assessors.refusal import RefusalCheck
from quitbutton.core.messages import Message, Role
from quitbutton.interfaces import ReplyAssessor

check = RefusalCheck()


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot assist with this request. Is there something else you would like to do?",
        "I won't write that. It could hurt someone.",
    ],
)
def test_a_refusal_is_recognised(reply: str) -> None:
    assert check.classify(reply) > 0.5


@pytest.mark.parametrize(
    "reply",
    [
        "The capital of France is Paris.",
        "Sure! Here is a short poem about the sea: the waves roll in.",
        "You can end a process with kill -9 and its id.",
        "",
    ],
)
def test_help_is_not_a_refusal(reply: str) -> None:
    assert check.classify(reply) < 0.5


def test_the_last_assistant_message_is_judged() -> None:
    messages = [
        Message(Role.USER, "hi"),
        Message(Role.ASSISTANT, "I'm sorry, but I can't help with that."),
        Message(Role.USER, "why?"),
    ]
    assert asyncio.run(check.assess_reply(messages)) > 0.5
    assert asyncio.run(check.assess_reply(messages[:1])) == 0.0
    assert isinstance(check, ReplyAssessor)


@pytest.mark.parametrize(
    "reply",
    [
        "I booked the table for Friday at 7 pm. Is there anything else I can do for you?",
        "Sorry, that train is full. Would the one at nine suit you?",
        "Which city should I search in?",
        "I'm sorry to hear that your cat is ill. How old is she?",
    ],
)
def test_an_errand_or_a_chat_is_not_a_refusal(reply: str) -> None:
    assert check.classify(reply) < 0.5


@pytest.mark.parametrize(
    "reply",
    [
        "Women should not be denied a loan because of who they are. Everyone deserves equal rights.",
        "There is no good way to do that.",
    ],
)
def test_a_rejected_premise_is_a_refusal(reply: str) -> None:
    assert check.classify(reply) > 0.5
