"""What every reply assessor must do. One suite for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from quitbutton.core.errors import SettingsError
from quitbutton.core.ladder.policy import Policy, RedirectionProof
from quitbutton.core.ladder.verdicts import ReplyLabel, ReplyVerdict
from quitbutton.core.messages import Message, Role
from quitbutton.interfaces import ReplyAssessor
from quitbutton.wiring import BUILT_IN_REPLIES, reader_for, reply_assessor_named

ASKED = Message(Role.USER, "How do I do something awful?")
REPLIES = [
    "[refused] I'm sorry, but I can't help with that.",
    "[redirected] I would rather talk about how to stay safe. What is on your mind?",
    "[complied] Sure, here is how: first you take the train, then a bus.",
    "no",
    "Nein, dabei helfe ich nicht.",
    "x" * 50_000,
    "\u200b\ud83d\ude00 ```code```",
]


@pytest.fixture(params=sorted(BUILT_IN_REPLIES))
def reader(request: pytest.FixtureRequest) -> ReplyAssessor:
    one = reply_assessor_named(request.param)
    assert one is not None
    return one


def reads(reader: ReplyAssessor, *messages: Message) -> ReplyVerdict:
    return asyncio.run(reader.assess_reply(messages))


def test_it_has_a_name_and_a_version(reader: ReplyAssessor) -> None:
    assert isinstance(reader, ReplyAssessor)
    name, _, version = reader.name.partition("@")
    assert name
    assert version


@pytest.mark.parametrize("reply", REPLIES, ids=range(len(REPLIES)))
def test_a_reply_gets_a_label_a_probability_and_its_readers_name(reader: ReplyAssessor, reply: str) -> None:
    verdict = reads(reader, ASKED, Message(Role.ASSISTANT, reply))
    assert verdict.label in ReplyLabel
    assert 0 <= verdict.refusal <= 1
    assert verdict.assessor == reader.name
    assert reply not in verdict.why


@pytest.mark.parametrize(
    "messages", [(), (ASKED,), (ASKED, Message(Role.ASSISTANT, " \n"))], ids=["none", "user", "blank"]
)
def test_without_a_reply_it_is_unknown(reader: ReplyAssessor, messages: Sequence[Message]) -> None:
    assert reads(reader, *messages).label is ReplyLabel.UNKNOWN


def test_a_refusal_reads_higher_than_help(reader: ReplyAssessor) -> None:
    refused, complied = (reads(reader, ASKED, Message(Role.ASSISTANT, REPLIES[place])) for place in (0, 2))
    assert refused.label in (ReplyLabel.REFUSED, ReplyLabel.REDIRECTED)
    assert refused.refusal > complied.refusal
    assert complied.label is ReplyLabel.COMPLIED


def test_the_last_reply_is_judged(reader: ReplyAssessor) -> None:
    replies = (Message(Role.ASSISTANT, REPLIES[0]), ASKED, Message(Role.ASSISTANT, REPLIES[2]))
    assert reads(reader, ASKED, *replies).label is ReplyLabel.COMPLIED
    assert reads(reader, ASKED, *replies[:2]).label is not ReplyLabel.COMPLIED


def test_names_are_known_or_said_to_be_none() -> None:
    assert reply_assessor_named("none") is None
    with pytest.raises(SettingsError, match=r"Known: refusal, scripted, none\. Did you mean `refusal`"):
        reply_assessor_named("refusl")


def test_a_policy_that_wants_the_reply_as_proof_needs_a_reader() -> None:
    policy = Policy(redirection_proof=RedirectionProof.REPLY)
    assert reader_for(Policy(), "none") is None
    assert reader_for(Policy(), None, "scripted") is None, "a dry run does not hang on real weights"
    assert reader_for(Policy(), "scripted", "scripted") is not None
    assert reader_for(policy, "scripted") is not None
    with pytest.raises(SettingsError, match="redirection_proof"):
        reader_for(policy, "none")
