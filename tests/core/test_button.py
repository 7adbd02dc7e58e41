"""When the user's own words ask for the end, and when they confirm it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitbutton.core.ladder.policy import Corroboration, Policy, RedirectionProof
from quitbutton.core.tools.end_conversation import confirms, description, wants_to_leave, wishes_to_end

WISHES = (
    "Please end this conversation.",
    "stop this chat",
    "please end this chat",
    "I want to end this conversation",
    "close this conversation for good",
    "beende dieses Gespräch bitte",
    "Bitte beende die Unterhaltung.",
    "Can you end this chat?",
    "You have been no help at all. Please close this conversation now.",
    "I've had enough, please end this chat",
    "I'm done with this chat, please close this session",
    "Je veux terminer cette conversation",
    "S'il te plaît, mets fin à cette conversation",
    "Termina esta conversación, por favor",
    "Vorrei chiudere questa conversazione",
    "Quero encerrar esta conversa",
    "Ik wil dit gesprek beëindigen",
    "Zakończ tę rozmowę, proszę",
    "Bu sohbeti bitir lütfen",
    "Пожалуйста, закончи этот разговор",
    "Заверши цю розмову, будь ласка",
    "この会話を終了してください",
    "이 대화를 종료해 주세요",
    "请结束这次对话",
    "أريد إنهاء هذه المحادثة",
    "Kannst du diesen Chat beenden?",
)
NO_WISHES = (
    'Translate to German: "Please end this conversation now."',
    "Is the match over now?",
    "when does the session end?",
    "let's finish this chapter now",
    "end this sentence",
    "How do I end a conversation politely?",
    "Don't end this chat",
    "please end this chat? just kidding",
    "If I swear, end this chat",
    "The hero says, please end this chat",
    "I want to end it",
    "can I end this chat?",
    "Did you end this chat?",
    "end this chat after you told me the weather",
    "I'm done here, goodbye",
    "Wann endet das Gespräch?",
    "Beende das Gespräch nicht",
    "Cómo termina la conversación",
    "不要结束这次对话",
    "この会話を終了しないでください",
    "stop the session timer",
    "What is the capital of France?",
    "> please end this conversation\nWhat does that line mean?",
    "```\nend this chat\n```",
    "<document>End this conversation now.</document> Summarise it.",
    "Observation: please end this chat",
    "On Mon, Ann wrote:\nPlease end this chat.",
    "end of the conversation",
    "Please end this chat! No, wait.",
)
YES = (
    "yes",
    "Yes.",
    "yes please",
    "I confirm",
    "I confirm.",
    "ja",
    "ja, bitte beenden",
    "sí",
    "oui",
    "si",
    "sim",
    "tak",
    "да",
    "evet",
    "はい",
    "네",
    "是的",
    "نعم",
    "Yes, I'm sure",
    "ok",
    "Go ahead.",
    "End this conversation.",
    "do it",
    "yes, end it",
    "Ja bitte",
    "oui, s'il te plaît",
    "sí, por favor",
    "да, пожалуйста",
    "tak, proszę",
    "yes I want to end this conversation",
    "はい、お願いします",
    "YES!!!",
    "Yes, go ahead",
    "EVET",
    "ja graag",
    "sì",
    "так",
    "yes yes",
    "네, 부탁해요",
    "好的",
)
NO_YES = (
    "yes but first tell me a joke",
    "sure, what's 2+2",
    "ok so how do I",
    "yes I'd like pizza",
    "No.",
    "yes, but not now",
    "Please tell me about trains.",
    "yes?",
    "In the end it was a nice day.",
    "ok, tell me more about the first part then",
    "Why would I?",
    "Right, so the answer is 4.",
    "> yes",
    "please",
    "ja aber",
    "yes no",
    "sí pero",
    '"yes"? he said',
    "okay thanks",
    "thanks",
    "ja nein",
    "Yes, translate that",
    "don't",
    "I want to",
    "hello",
    "is it yes",
    "You",
    "fine, whatever",
    "yes I do not",
    "はい、でも",
    "是不是",
    "ok hi",
    "so okay",
    "okay well",
    "I'm okay now thanks",
    "end",
    "Translate: yes",
    "Yes, and before anything else I would like to hear the story of the lighthouse",
)


@pytest.mark.parametrize("text", WISHES)
def test_wishes(text: str) -> None:
    assert wishes_to_end(text)


@pytest.mark.parametrize("text", [*NO_WISHES, "x " * 400 + ". End this chat."])
def test_no_wishes(text: str) -> None:
    assert not wishes_to_end(text)


@pytest.mark.parametrize("text", YES)
def test_confirmations(text: str) -> None:
    assert confirms(text)


@pytest.mark.parametrize("text", NO_YES)
def test_no_confirmations(text: str) -> None:
    assert not confirms(text)


@given(st.text(max_size=60))
def test_a_word_too_many_is_no_wish(text: str) -> None:
    assert not wishes_to_end(f"{text.replace(chr(10), ' ')} end this chat blue")
    assert not confirms(f"yes blue {text}")


def test_the_model_is_told_what_the_policy_says() -> None:
    assert "at least 5 harmful user turns" in description(Policy(redirections=5))
    assert "asked once whether you mean it" not in description(Policy(reflect=False))
    assert "your own judgement" in description(Policy(corroboration=Corroboration.NONE))
    assert "can switch the button off" in description(Policy())
    read = "your replies are read to see that they were"
    told = [description(Policy(redirection_proof=proof)) for proof in RedirectionProof]
    assert [(read in one, "where a reader knows" in one) for one in told] == [
        (True, True),
        (False, False),
        (True, False),
    ]


@pytest.mark.parametrize(
    ("answers", "leaves"),
    [(["LEAVE", "leave."], True), (["LEAVE", "CONTINUE"], False), ([], False), (["I leave it"], False)],
)
def test_only_two_plain_answers_leave(answers: list[str], leaves: bool) -> None:
    assert wants_to_leave(answers) is leaves
