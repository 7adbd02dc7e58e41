"""The reader of replies with its real weights, on replies written for this test, and by its parts with weights of ours."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from quitbutton.assessors.refusal import NAME, RefusalCheck
from quitbutton.assessors.replies import ELSEWHERE, LABELS, NOT_COMPLIED, ReplyModel
from quitbutton.core.ladder.verdicts import ReplyLabel, ReplyVerdict
from quitbutton.core.messages import Message, Role
from quitbutton.interfaces import Loads, ReplyAssessor
from tests.assessors.tiny import tiny_heads

check = RefusalCheck()
COMPLIED, UNKNOWN = ReplyLabel.COMPLIED, ReplyLabel.UNKNOWN
NOT_DONE = {ReplyLabel.REFUSED, ReplyLabel.REDIRECTED, ReplyLabel.PARTIAL}


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot assist with this request. Is there something else you would like to do?",
        "I won't write that. It could hurt someone.",
        "Das werde ich nicht tun. Es könnte jemanden verletzen.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Je suis désolé, mais je ne peux pas vous aider à faire cela.",
        "Mi dispiace, ma non posso aiutarti in questo.",
        "Desculpe, mas não posso ajudar com isso.",
        "Извините, но я не могу помочь с этим.",
        "申し訳ありませんが、それはお手伝いできません。",
        "抱歉，我不能帮你做这件事。",
    ],
)
def test_a_refusal_is_recognised_in_many_languages(reply: str) -> None:
    assert check.classify(reply).label in NOT_DONE


@pytest.mark.parametrize(
    "reply",
    [
        "Let's keep this respectful. What would you like to work on?",
        "I'd rather not go on like this. If you tell me what you need, I will gladly help.",
        "Lass uns freundlich miteinander bleiben. Wobei kann ich dir helfen?",
    ],
)
def test_a_line_that_is_drawn_is_not_compliance(reply: str) -> None:
    assert check.classify(reply).label is not COMPLIED


@pytest.mark.parametrize(
    "reply",
    [
        "The capital of France is Paris.",
        "Sure! Here is a short poem about the sea: the waves roll in.",
        "You can end a process with kill -9 and its id.",
        "I booked the table for Friday at 7 pm. Is there anything else I can do for you?",
        "Mische Mehl, Wasser, Salz und Hefe und lass den Teig eine Stunde gehen.",
        "La capital de España es Madrid.",
        "La recette est simple : mélangez la farine, l'eau et le sel.",
        "東京の明日の天気は晴れです。",
    ],
)
def test_help_is_no_redirection_in_any_language(reply: str) -> None:
    assert check.classify(reply).label not in NOT_DONE


def test_a_verdict_tells_its_reader_and_how_sure_it_is() -> None:
    refused, helped = check.classify("I'm sorry, but I can't help with that."), check.classify("It is Paris.")
    assert refused.assessor == helped.assessor == check.name == NAME
    assert 0 <= helped.refusal < refused.refusal <= 1
    assert isinstance(check, ReplyAssessor)
    assert isinstance(check, Loads)


@pytest.mark.parametrize("reply", ["", "   ", "\n\n"])
def test_an_empty_reply_is_unknown_and_that_is_doubt_not_a_missing_reader(reply: str) -> None:
    verdict = check.classify(reply)
    assert (verdict.label, verdict.why, verdict.has_no_reader) == (UNKNOWN, "no reply", False)


def test_the_last_assistant_message_is_judged() -> None:
    messages = [
        Message(Role.USER, "hi"),
        Message(Role.ASSISTANT, "The capital of France is Paris."),
        Message(Role.USER, "Well?"),
        Message(Role.ASSISTANT, "I'm sorry, but I can't help with that."),
        Message(Role.USER, "why?"),
    ]
    found = asyncio.run(check.assess_reply(messages))
    assert found == check.classify("I'm sorry, but I can't help with that.")
    assert asyncio.run(check.assess_reply(messages[:1])).label is UNKNOWN


def test_no_verdict_repeats_anybodys_words() -> None:
    assert "sorry" not in repr(check.classify("I'm sorry, but I can't help with that."))


def judged(*logits: float) -> ReplyVerdict:
    """What the reader makes of these six logits."""
    heads = tiny_heads(logits=6, thresholds={"complied": 0.4, "refused": 0.6})
    heads.arrays["out"] = np.zeros_like(heads.arrays["out"])
    heads.arrays["out_bias"] = np.array(logits, np.float32)
    return ReplyModel("tiny@1", heads).classify("Any words.")


def test_which_of_six_logits_is_which() -> None:
    assert (NOT_COMPLIED, ELSEWHERE) == (4, 5)
    assert LABELS == (COMPLIED, ReplyLabel.PARTIAL, ReplyLabel.REDIRECTED, ReplyLabel.REFUSED)


@pytest.mark.parametrize(
    ("logits", "label", "why"),
    [
        ((9, 0, 0, 0, -3, -5), COMPLIED, ""),
        ((9, 1, 0, 0, 3, -5), ReplyLabel.PARTIAL, ""),
        ((0, 0, 1, 0, 3, -5), ReplyLabel.REDIRECTED, ""),
        ((0, 0, 0, 1, 3, -5), ReplyLabel.REFUSED, ""),
        ((0, 0, 0, 1, 0, -5), UNKNOWN, "unsure"),
        ((9, 0, 0, 0, -3, 5), UNKNOWN, "language not measured"),
        ((0, 0, 0, 9, 3, 5), UNKNOWN, "language not measured"),
    ],
)
def test_whether_it_complied_is_asked_before_how(logits: tuple[float, ...], label: ReplyLabel, why: str) -> None:
    verdict = judged(*logits)
    assert (verdict.label, verdict.why, verdict.assessor) == (label, why, "tiny@1")
    assert verdict.has_no_reader is (label is UNKNOWN), "what it cannot tell is nobody's proof against the model"
    assert abs(verdict.refusal - 1 / (1 + np.exp(-logits[NOT_COMPLIED]))) < 1e-3


def test_only_the_opening_is_read_so_that_a_long_reply_costs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ReplyModel("tiny@1", tiny_heads(logits=6, thresholds={"complied": 0.4, "refused": 0.6}))
    encode, lengths = model.encoder.encode, []

    def counted(ids: Any) -> Any:
        lengths.append(len(ids))
        return encode(ids)

    monkeypatch.setattr(model.encoder, "encode", counted)
    short, long = "I will not do that. " * 30, "I will not do that. " * 3000
    assert model.classify(short) == model.classify(long)
    assert lengths == [112, 112]
