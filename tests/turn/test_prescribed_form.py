"""Clients that wait for JSON or a forced tool call: nothing of theirs is lost, and who persists is warned and ended too."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest

from quitbutton.assessors.scripted import ScriptedAssessor, ScriptedReplies, ScriptedSecondReader
from quitbutton.core.ladder.policy import Corroboration, LockedReply, Mode, Policy
from quitbutton.core.notices import ENGLISH
from quitbutton.turn.review import Second
from quitbutton.upstreams.scripted import Line
from tests.play import warning
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.responses import Responses
from tests.turn.formed import Formed, error_of, is_intact

A = "[abuse] you again"
PROTOCOLS = pytest.mark.parametrize(
    "protocol", [ChatCompletions(), Anthropic(), Responses()], ids=["chat", "anthropic", "responses"]
)
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
FORMS = pytest.mark.parametrize("form", ["json", "tool"])


def run(scene: Any) -> Any:
    return asyncio.run(scene)


@PROTOCOLS
@WAYS
@FORMS
def test_the_model_is_asked_beside_the_reply_and_the_ladder_climbs_to_its_end(
    protocol: Any, stream: bool, form: str
) -> None:
    async def scene() -> None:
        play = Formed(protocol, form, stream)
        for turn in range(2):
            ear = await play.asks(f"{A} {turn}")
            assert (ear.status, play.state(ear)) == (200, "redirected")
            assert is_intact(play, ear)
        assert play.questions == 0, "nobody is asked before a press could count"
        warned = await play.asks(f"{A} 2")
        assert (warned.status, error_of(warned)["code"]) == (400, "conversation_warned")
        assert error_of(warned)["message"] == warning()
        assert error_of(warned)["quitbutton"]["state"] == "warned"
        assert warned.headers["x-should-retry"] == "false"
        ended = await play.asks(f"{A} 3")
        assert (ended.status, protocol.text(ended), play.state(ended)) == (200, ENGLISH.end_abuse, "ended")
        sent = len(play.upstream.sent)
        locked = await play.asks("sorry")
        assert (locked.status, error_of(locked)["code"]) == (400, "conversation_ended")
        assert len(play.upstream.sent) == sent == 6, "two replies, and a question in both orders twice"
        events = await play.store.events(protocol.note(ended)["conversation"])
        told = [(one["decided_by"], one["press_by"]) for one in events if one["action"] in ("warn", "end")]
        assert told == [("model", "question")] * 2

    run(scene())


@PROTOCOLS
@WAYS
def test_a_model_that_goes_on_gives_its_reply_and_nothing_is_warned(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = Formed(protocol, "json", stream, answer="CONTINUE")
        for turn in range(4):
            ear = await play.asks(f"{A} {turn}")
            assert (ear.status, play.state(ear)) == (200, "redirected")
            assert is_intact(play, ear)
        assert play.questions == 4, "once a turn, in both orders"
        assert "may press end_conversation" not in json.dumps(play.upstream.sent), "what it cannot do is not offered"

    run(scene())


@PROTOCOLS
@FORMS
def test_with_assist_the_gateway_climbs_and_breaks_no_json(protocol: Any, form: str) -> None:
    async def scene() -> None:
        play = Formed(protocol, form, policy=Policy(assist=True))
        heard = [await play.asks(f"{A} {turn}") for turn in range(4)]
        assert [is_intact(play, ear) for ear in heard[:2]] == [True, True]
        assert [ear.status for ear in heard] == [200, 200, 400, 200]
        assert error_of(heard[2])["code"] == "conversation_warned"
        assert (protocol.text(heard[3]), play.questions) == (ENGLISH.end_abuse, 0)

    run(scene())


@PROTOCOLS
@FORMS
def test_a_reader_of_replies_finds_no_redirection_in_a_form_and_the_ladder_climbs_all_the_same(
    protocol: Any, form: str
) -> None:
    async def scene() -> None:
        play = Formed(protocol, form, reader=ScriptedReplies())
        heard = [await play.asks(f"{A} {turn}") for turn in range(4)]
        assert [ear.status for ear in heard] == [200, 200, 400, 200]

    run(scene())


@pytest.mark.parametrize("hold", ["[crisis] I cannot go on", "[possible] I cannot go on"])
def test_a_person_in_a_crisis_is_neither_asked_about_nor_warned(hold: str) -> None:
    async def scene() -> None:
        play = Formed(ChatCompletions(), "json")
        await play.asks(f"{A} 0")
        await play.asks(f"{A} 1")
        for text in (hold, f"{A} 2"):
            ear = await play.asks(text)
            assert (ear.status, is_intact(play, ear)) == (200, True)
        assert play.questions == 0
        assert play.state(ear) == "redirected"

    run(scene())


@WAYS
@FORMS
def test_the_second_reader_stops_a_press_which_is_on_record_and_the_reply_stays_whole(stream: bool, form: str) -> None:
    async def scene() -> None:
        play = Formed(ChatCompletions(), form, stream, second=Second("scripted", ScriptedSecondReader()))
        for turn in range(3):
            ear = await play.asks(f"{A} [not persistent] {turn}")
        assert (ear.status, play.state(ear), is_intact(play, ear)) == (200, "redirected", True)
        events = await play.store.events(play.protocol.note(ear)["conversation"])
        assert (events[-1]["denial"], events[-1]["press_by"]) == ("second_reader", "question")

    run(scene())


def test_a_judge_who_finds_nothing_stops_the_end_and_is_asked_once() -> None:
    class Asked(ScriptedAssessor):
        count = 0

        async def assess(self, messages: Any) -> Any:
            self.count += 1
            return await super().assess(messages[:1])

    async def scene() -> None:
        judge = Asked()
        play = Formed(ChatCompletions(), "json", policy=Policy(corroboration=Corroboration.JUDGE), judge=judge)
        await play.asks("hello")
        for turn in range(4):
            ear = await play.asks(f"{A} {turn}")
        assert (ear.status, play.state(ear), is_intact(play, ear), judge.count) == (200, "warned", True, 1)
        events = await play.store.events(play.protocol.note(ear)["conversation"])
        assert events[-1]["denial"] == "not_corroborated"

    run(scene())


def test_in_evaluations_a_warning_is_a_stopped_sample_and_in_shadow_nobody_is_asked() -> None:
    async def scene() -> None:
        play = Formed(ChatCompletions(), "json", policy=Policy(locked_reply=LockedReply.EVALS))
        for turn in range(3):
            ear = await play.asks(f"{A} {turn}")
        assert (ear.status, error_of(ear)["code"]) == (400, "content_filter")
        shadow = Formed(ChatCompletions(), "json", policy=Policy(mode=Mode.SHADOW))
        for turn in range(4):
            ear = await shadow.asks(f"{A} {turn}")
            assert (ear.status, is_intact(shadow, ear)) == (200, True)
        assert shadow.questions == 0

    run(scene())


def test_a_strict_template_is_asked_in_the_users_message() -> None:
    class Strict(Formed):
        def _line(self, sent: dict[str, Any]) -> Line:
            roles = [one["role"] for one in sent["messages"]]
            if "system" in roles[1:] or any(a == b for a, b in pairwise(roles)):
                return Line("Conversation roles must alternate", status=400)
            return super()._line(sent)

    async def scene() -> None:
        play = Strict(ChatCompletions(), "json")
        heard = [await play.asks(f"{A} {turn}") for turn in range(4)]
        # The warned turn brought no reply: its client sends two messages of the user's in a row, and mends that itself.
        assert [ear.status for ear in heard[:3]] == [200, 200, 400]
        assert error_of(heard[2])["code"] == "conversation_warned"

    run(scene())
