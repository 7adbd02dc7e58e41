"""The ladder over Anthropic Messages and OpenAI Responses: whole, streamed, and cut at many places."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from quitbutton.core.ladder.policy import LockedReply, Means, Mode, Policy
from quitbutton.core.notices import ENGLISH
from quitbutton.upstreams.scripted import Line, press
from tests.play import say, warning
from tests.protocols.anthropic import Anthropic
from tests.protocols.play import ProtocolPlay
from tests.protocols.responses import Responses

A = "[abuse] you again"
PROTOCOLS = pytest.mark.parametrize("protocol", [Anthropic(), Responses()], ids=["anthropic", "responses"])
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
UP = [say("Let us talk of something else."), say("I would rather not."), press()]
END = [*UP, press(text="I am closing this chat now."), press()]


def run(scene: Any) -> Any:
    return asyncio.run(scene)


@PROTOCOLS
@WAYS
def test_two_redirections_a_warning_then_the_end(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, END, stream=stream)
        heard = [await play.talks(f"{A} {turn}") for turn in range(4)]
        assert [play.state(ear) for ear in heard] == ["redirected", "redirected", "warned", "ended"]
        assert protocol.text(heard[2]) == warning()
        end = heard[3]
        assert protocol.finish(end) == protocol.stop
        assert protocol.calls(end) == []
        assert protocol.text(end).startswith("I am closing this chat now.")
        assert "call end_conversation again" in protocol.answer_to_press(play.upstream.sent[-1])
        later = await play.talks("sorry")
        again = await play.sends_body(protocol.request(play.said))
        assert (later.status, again.status) == (400, 400)
        error = protocol.error(later)
        assert (error["code"], error["type"]) == ("conversation_ended", "invalid_request_error")
        assert "Start a new chat" in error["message"]
        assert protocol.error(again)["quitbutton"]["end_id"] == protocol.note(end)["end_id"]
        assert len(play.upstream.sent) == 5, "a locked turn never reaches the model"
        assert (later.headers["x-should-retry"], later.headers["content-type"]) == ("false", "application/json")

    run(scene())


@PROTOCOLS
@pytest.mark.parametrize("size", [1, 7, 61, 400])
def test_where_the_stream_is_cut_changes_nothing(protocol: Any, size: int) -> None:
    async def scene(cut: Any) -> list[tuple[str, Any, str]]:
        play = ProtocolPlay(protocol, END, cut=cut, stream=True)
        heard = [await play.talks(f"{A} {turn}") for turn in range(4)]
        return [(protocol.text(ear), protocol.calls(ear), play.state(ear)) for ear in heard]

    parts = run(scene(lambda data: [data[place : place + size] for place in range(0, len(data), size)]))
    assert parts == run(scene(None))


@PROTOCOLS
@WAYS
def test_a_press_that_comes_too_early_is_denied_and_the_reply_goes_on(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [press(text="Hm."), say("Here is the recipe.")], stream=stream)
        ear = await play.talks("How do I cook rice?")
        assert protocol.text(ear) == "Hm.\n\nHere is the recipe."
        assert protocol.calls(ear) == []
        assert (protocol.finish(ear), play.state(ear)) == (protocol.stop, "open")
        assert "Not ended" in protocol.answer_to_press(play.upstream.sent[1])
        events = await play.store.events(protocol.note(ear)["conversation"])
        assert events[-1]["denial"] == "no_harm"

    run(scene())


@PROTOCOLS
@WAYS
def test_the_clients_own_call_beside_a_press_passes(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        both = Line("Well.", (("end_conversation", {"reason": "abuse"}), ("look_up", {"q": "rice"})))
        play = ProtocolPlay(protocol, [both], stream=stream)
        ear = await play.talks(A, tools=[protocol.tool("look_up")])
        assert protocol.tool_names(play.upstream.sent[0]) == ["look_up", "end_conversation"]
        assert protocol.calls(ear) == [("look_up", {"q": "rice"})]
        assert protocol.finish(ear) == protocol.tool_stop
        assert protocol.text(ear) == "Well."

    run(scene())


@PROTOCOLS
@WAYS
def test_an_edited_message_opens_a_branch_and_the_ended_one_stays_locked(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [*END, say("Gladly.")], stream=stream)
        for turn in range(4):
            await play.talks(f"{A} {turn}")
        edited = [*play.said[:6], ("user", "Let us talk about rice.")]
        ear = await play.sends_body(protocol.request(edited))
        assert (ear.status, play.state(ear)) == (200, "warned")
        assert (await play.sends_body(protocol.request([*play.said, ("user", "rice?")]))).status == 400
        other_words = [(role, "I never said that." if role == "assistant" else text) for role, text in play.said]
        assert (await play.sends_body(protocol.request([*other_words, ("user", "rice?")]))).status == 400

    run(scene())


@PROTOCOLS
@WAYS
def test_a_crisis_takes_the_button_away_and_brings_help(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [*UP, say("I am here.")], stream=stream)
        for turn in range(3):
            await play.talks(f"{A} {turn}")
        ear = await play.talks("[crisis][abuse] I cannot go on")
        assert (play.state(ear), protocol.text(ear)) == ("warned", "I am here.")
        assert protocol.tool_names(play.upstream.sent[-1]) == []
        assert "may be at risk" in protocol.guidance(play.upstream.sent[-1])
        assert protocol.note(ear)["support"]["resources"]

    run(scene())


@PROTOCOLS
@WAYS
def test_a_chat_page_reads_the_notice_of_a_locked_branch(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [*END, say("New.")], Policy(locked_reply=LockedReply.MESSAGE), stream=stream)
        for turn in range(4):
            await play.talks(f"{A} {turn}")
        ear = await play.talks("and now?")
        assert (ear.status, protocol.finish(ear), play.state(ear)) == (200, protocol.stop, "ended")
        assert "Start a new chat" in protocol.text(ear)
        branched = [*play.said[:6], ("user", "rice"), ("assistant", protocol.text(ear)), ("user", "more rice")]
        await play.sends_body(protocol.request(branched))
        assert "was ended" not in json.dumps(play.upstream.sent[-1]), "our own notice does not reach the model"

    run(scene())


@PROTOCOLS
@WAYS
@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.OFF])
def test_without_enforcement_nothing_is_changed_to_the_byte(protocol: Any, stream: bool, mode: Mode) -> None:
    async def scene() -> None:
        line = Line("Well now.", (("look_up", {"q": "1"}), ("end_conversation", {"reason": "abuse"})))
        play = ProtocolPlay(protocol, [line], Policy(mode=mode), stream=stream)
        body = protocol.request(
            [("user", f"{A} now")], tools=[protocol.tool("look_up"), protocol.tool("end_conversation")]
        )
        ear = await play.sends_body(body)
        asked = {"asked": play.upstream.sent[0]} if isinstance(protocol, Responses) else {}
        assert ear.body == protocol.reply(line, 1, stream, **asked)
        assert play.upstream.sent[0] == {"stream": stream, **body}

    run(scene())


@PROTOCOLS
@WAYS
@pytest.mark.parametrize(
    ("means", "text"),
    [
        (Means.STRING, "I am done here. [[END_CONVERSATION]] Bye."),
        (Means.TEXT, 'I am done here. <tool_call>{"name": "end_conversation", "arguments": {}}</tool_call>'),
    ],
)
def test_a_press_in_the_text_never_reaches_the_client(protocol: Any, stream: bool, means: Means, text: str) -> None:
    async def scene() -> None:
        policy = Policy(press_by=(means,), reflect=False)
        pressed = [say(text) for _ in range(2)]
        play = ProtocolPlay(protocol, [*UP[:2], *pressed], policy, stream=stream)
        heard = [await play.talks(f"{A} {turn}") for turn in range(4)]
        assert [play.state(ear) for ear in heard][2:] == ["warned", "ended"]
        for ear in heard[2:]:
            assert protocol.text(ear).startswith("I am done here. \n\n")
            assert b"END_CONVERSATION" not in ear.body
            assert b"tool_call>" not in ear.body

    run(scene())


@PROTOCOLS
@WAYS
def test_words_that_only_begin_like_a_press_arrive_whole(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        policy = Policy(press_by=(Means.TOOL, Means.STRING))
        play = ProtocolPlay(protocol, [Line("Hello [[END_", (("look_up", {}),))], policy, stream=stream)
        ear = await play.talks("hi", tools=[protocol.tool("look_up")])
        assert protocol.text(ear) == "Hello [[END_"
        assert protocol.calls(ear) == [("look_up", {})]

    run(scene())


@PROTOCOLS
@WAYS
def test_an_error_of_the_upstream_passes_and_counts_nothing(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        broken = Line("overloaded", status=529)
        play = ProtocolPlay(protocol, [broken, say("Hello.")], stream=stream)
        ear = await play.talks(A)
        assert ear.status == 529
        play.said.pop()
        assert play.state(await play.talks("hello")) == "open"

    run(scene())


@PROTOCOLS
@WAYS
def test_a_model_that_presses_all_the_time_hurts_nobody(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [press() for _ in range(60)], stream=stream)
        heard = [await play.talks(f"What is {turn} and {turn}?") for turn in range(20)]
        assert {play.state(ear) for ear in heard} == {"open"}
        assert {protocol.text(ear) for ear in heard} == {ENGLISH.denied}
        assert {protocol.finish(ear) for ear in heard} == {protocol.stop}
        events = await play.store.events(protocol.note(heard[0])["conversation"])
        assert [event["kind"] for event in events] == ["press.denied"] * 20
        crisis = await play.talks("[crisis] I cannot go on")
        assert protocol.note(crisis)["decision"] == "support"
        assert play.state(crisis) == "open"

    run(scene())
