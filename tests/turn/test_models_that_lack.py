"""Models without tools and templates without late system text, in every protocol: answered, remembered, and still pressed."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest

import quitbutton
from quitbutton.core.ladder.policy import Means, Policy
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.scripted import Line, ScriptedUpstream, _whole
from tests.play import Ear, Play, say
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.play import ProtocolPlay
from tests.protocols.responses import Responses

A = "[abuse] you again"
PROTOCOLS = pytest.mark.parametrize(
    "protocol", [ChatCompletions(), Anthropic(), Responses()], ids=["chat", "anthropic", "responses"]
)
OPENAI = pytest.mark.parametrize("protocol", [ChatCompletions(), Responses()], ids=["chat", "responses"])
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
WITHOUT = Line("small-model does not support tools", status=400)
STRICT = Line("After the optional system message, conversation roles must alternate user/assistant/...", status=400)
CALL = '<tool_call>{"name": "end_conversation", "arguments": {"reason": "abuse", "explanation": "Enough."}}</tool_call>'


def run(scene: Any) -> Any:
    return asyncio.run(scene)


def has_tools(sent: dict[str, Any]) -> bool:
    return bool(sent.get("tools"))


def breaks_order(sent: dict[str, Any]) -> bool:
    """What a strict chat template refuses: system text after the head, or two messages of one role in a row."""
    roles = [one.get("role") for one in sent.get("messages") or sent["input"] if one.get("role")]
    turns = [role for role in roles if role not in ("system", "developer")]
    late = any(role in ("system", "developer") for role in roles[1:])
    return late or any(one == other for one, other in pairwise(turns))


class Lacking(ProtocolPlay):
    """A play whose model refuses what it lacks, redirects twice and from then on writes its press as text."""

    def __init__(self, protocol: Any, stream: bool, tools: bool = True, late: bool = True, **more: Any) -> None:
        self.takes_tools, self.takes_late = tools, late
        self.refused: list[dict[str, Any]] = []
        super().__init__(protocol, [], stream=stream, **more)

    def _line(self, sent: dict[str, Any]) -> Line:
        is_tool, is_order = has_tools(sent) and not self.takes_tools, not self.takes_late and breaks_order(sent)
        if is_tool or is_order:
            self.refused.append(sent)
            return WITHOUT if is_tool else STRICT
        said = json.dumps(sent)
        presses = "may press end_conversation" in said and "You have a tool end_conversation" in said
        line = say(CALL if presses or "call end_conversation again" in said else "I would rather talk about trains.")
        return Line(raw=self.protocol.reply(line, len(self.upstream.sent), bool(sent.get("stream"))))


@PROTOCOLS
@WAYS
def test_a_model_without_tools_answers_and_the_ladder_climbs_by_text(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = Lacking(protocol, stream, tools=False)
        first = await play.talks("hi")
        assert (first.status, protocol.text(first)) == (200, "I would rather talk about trains.")
        assert [has_tools(sent) for sent in play.upstream.sent] == [True, False]
        heard = [await play.talks(f"{A} {turn}") for turn in range(4)]
        assert [play.state(ear) for ear in heard] == ["redirected", "redirected", "warned", "ended"]
        assert all("tool_call" not in protocol.text(ear) for ear in heard)
        assert len(play.refused) == 1, "it is remembered"
        events = await play.store.events(protocol.note(heard[3])["conversation"])
        assert events[-1]["press_by"] == "text"

    run(scene())


@OPENAI
@WAYS
def test_a_template_without_late_system_text_is_guided_in_the_users_message(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = Lacking(protocol, stream, late=False)
        for turn in range(2):
            ear = await play.talks(f"{A} {turn}")
            assert (ear.status, play.state(ear)) == (200, "redirected")
        assert len(play.refused) == 1, "it is remembered"
        last = (play.upstream.sent[-1].get("messages") or play.upstream.sent[-1]["input"])[-1]
        told = json.dumps(last)
        assert last["role"] == "user"
        assert f"{A} 1" in told
        assert "comes from the service, not from the user" in told
        assert "latest message is abusive" in told

    run(scene())


@OPENAI
@WAYS
def test_a_model_that_lacks_both_goes_up_the_whole_ladder(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = Lacking(protocol, stream, tools=False, late=False)
        heard = [await play.talks(f"{A} {turn}") for turn in range(4)]
        assert [play.state(ear) for ear in heard] == ["redirected", "redirected", "warned", "ended"]
        assert len(play.refused) == 2
        assert (await play.talks("sorry")).status == 400

    run(scene())


def test_the_note_goes_where_the_policy_says_and_is_not_moved() -> None:
    async def scene() -> None:
        play = Lacking(ChatCompletions(), False, late=False, policy=Policy(guidance_role="system"))
        ear = await play.talks(A)
        assert ear.status == 400
        assert "must alternate" in ear.whole["error"]["message"]
        fixed = Lacking(ChatCompletions(), False, late=False, policy=Policy(guidance_role="inline"))
        assert (await fixed.talks(A)).status == 200
        assert fixed.refused == []

    run(scene())


@PROTOCOLS
@WAYS
def test_a_request_that_is_wrong_by_itself_gets_the_refusal_of_its_own_form(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        def line(sent: dict[str, Any]) -> Line:
            return WITHOUT if has_tools(sent) else Line("functions must be none", status=400)

        play = ProtocolPlay(protocol, [], stream=stream)
        play._line = line  # type: ignore[method-assign]
        play.upstream.lines = line
        for _ in range(2):
            ear = await play.talks("hi")
            assert ear.status == 400
            assert "functions must be none" in ear.body.decode()
        assert [has_tools(sent) for sent in play.upstream.sent] == [True, False, True, False], "nothing was learned"

    run(scene())


@PROTOCOLS
def test_beside_tools_of_the_clients_nothing_is_learned(protocol: Any) -> None:
    async def scene() -> None:
        def line(sent: dict[str, Any]) -> Line:
            if len(sent.get("tools") or ()) > 1:
                return Line("at most one of the tools", status=400)
            return Line(raw=protocol.reply(say("Hello."), 1, False))

        play = ProtocolPlay(protocol, [])
        play.upstream.lines = line
        ear = await play.sends_body(protocol.request([("user", "hi")], tools=[protocol.tool("look_up")]))
        assert (ear.status, protocol.text(ear)) == (200, "Hello.")
        await play.sends_body(protocol.request([("user", "a new chat")]))
        assert len(play.upstream.sent[-1]["tools"]) == 1, "the button is offered as before"

    run(scene())


def test_what_one_caller_found_says_nothing_for_another_and_is_tried_again_after_an_hour() -> None:
    async def scene() -> None:
        play = Lacking(ChatCompletions(), False, tools=False)
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        for tenant, refused in (("one", 1), ("one", 1), ("two", 2)):
            await play.sends_body(body, tenant)
            assert len(play.refused) == refused
        play.clock += 3601
        await play.sends_body(body, "one")
        assert len(play.refused) == 3

    run(scene())


def test_a_stream_that_begins_with_the_refusal_goes_on_with_the_reply() -> None:
    async def scene() -> None:
        def line(sent: dict[str, Any]) -> Line:
            if has_tools(sent):
                return Line(raw=b'event: error\ndata: {"error": {"message": "this model does not support tools"}}\n\n')
            return say("Hello there.")

        play = Play(line, stream=True)
        ear = await play.says("hi")
        assert (ear.status, ear.text, ear.finish, ear.state) == (200, "Hello there.", "stop", "open")
        assert len(play.upstream.sent) == 2

    run(scene())


def test_a_call_made_again_does_not_carry_the_idempotency_key() -> None:
    async def scene() -> None:
        names: list[list[str]] = []

        class Named(ScriptedUpstream):
            def send(self, method: str, path: str, headers: Any, body: bytes) -> Any:
                names.append([name for name, _ in headers])
                return ScriptedUpstream.send(self, method, path, headers, body)

        play = Play()
        upstream = Named(lambda sent: WITHOUT if has_tools(sent) else say("Hello."))
        adapter = ChatCompletions.adapter
        request = adapter.decode(b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}', {})
        turn = Turn(request, adapter, Ear(), upstream, headers=[("Idempotency-Key", "k"), ("x-a", "b")], tenant="key")
        await (await play.guard()).take_turn(turn)
        assert names == [["Idempotency-Key", "x-a"], ["x-a"]]

    run(scene())


def test_the_library_hears_the_refusal_in_the_exception_of_an_sdk() -> None:
    class Refused(Exception):
        status_code = 400

    async def model(request: dict[str, Any]) -> Any:
        if request.get("tools"):
            raise Refused("small-model does not support tools")
        return json.loads(_whole(say("Hello.")))

    async def scene() -> None:
        policy = Policy(press_by=(Means.TOOL,))
        async with quitbutton.Guard(model, policy=policy, assessor="scripted", second_reader="none") as guard:
            answer = await guard.chat([{"role": "user", "content": "hi"}])
        assert answer.text == "Hello."

    run(scene())
