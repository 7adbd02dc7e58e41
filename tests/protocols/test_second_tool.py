"""A second tool beside the button, in all three protocols: whole, streamed, and cut at every byte."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from quitbutton.core.ladder.policy import Policy
from quitbutton.core.messages import ChatRequest, Reply
from quitbutton.core.tools.model_tool import function_of
from quitbutton.core.tools.watcher import Watcher
from quitbutton.upstreams.scripted import Line
from tests.play import Ear
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.play import ProtocolPlay
from tests.protocols.responses import Responses
from tests.toy import BOTH, NOTE

PROTOCOLS = pytest.mark.parametrize(
    "protocol", [ChatCompletions(), Anthropic(), Responses()], ids=["chat", "anthropic", "responses"]
)
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
NOTED = ("end_note", {"text": "tea"})
PRESSED = ("end_conversation", {"reason": "abuse", "explanation": "Enough."})
LOOKED = ("look_up", {"q": "rice"})
EVERYTHING = Line("Well then.", (NOTED, LOOKED, PRESSED))


def passed(protocol: Any, raw: bytes, stream: bool, cuts: list[int]) -> tuple[bytes, Reply]:
    """What the client gets of a reply that comes in parts, and what it said."""
    adapter = protocol.adapter
    request: ChatRequest = adapter.decode(json.dumps(protocol.request([("user", "hi")])).encode(), {})
    kind = "text/event-stream" if stream else "application/json"
    reader, watcher, writer = adapter.reader(kind), Watcher(BOTH), adapter.writer(request, stream, BOTH)
    parts = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    pieces = [piece for part in parts for piece in reader.feed(part)] + reader.close()
    out = [writer.pass_on(one) for piece in pieces for one in watcher.see(piece)]
    out += [writer.pass_on(one) for one in watcher.end()]
    return b"".join(out) + writer.close(None, None), watcher.reply


def heard(protocol: Any, data: bytes, stream: bool) -> tuple[str, list[tuple[str, Any]]]:
    kind = {"content-type": "text/event-stream" if stream else "application/json"}
    ear = Ear(status=200, headers=kind, body=data)
    return protocol.text(ear), protocol.calls(ear)


@PROTOCOLS
@WAYS
def test_each_call_is_seen_and_only_the_clients_own_passes_wherever_it_is_cut(protocol: Any, stream: bool) -> None:
    raw = protocol.reply(EVERYTHING, 1, stream)
    for cuts in ([], list(range(1, len(raw))), *([place] for place in range(1, len(raw)))):
        data, reply = passed(protocol, raw, stream, cuts)
        assert heard(protocol, data, stream) == ("Well then.", [LOOKED]), cuts
        assert [call.name for call in reply.tool_calls] == ["end_note", "end_conversation"], cuts
        assert NOTE.said_in(reply) == "tea", cuts
        assert (reply.other_calls, reply.tool_calls[0].alone) == (1, False), cuts


@PROTOCOLS
def test_it_is_offered_after_the_clients_tools_and_the_button(protocol: Any) -> None:
    body = protocol.request([("user", "hi")], tools=[protocol.tool("look_up")])
    request = protocol.adapter.decode(json.dumps(body).encode(), {})
    functions = [function_of(tool, Policy()) for tool in BOTH]
    sent = json.loads(protocol.adapter.forward(request, functions))
    assert protocol.tool_names(sent) == ["look_up", "end_conversation", "end_note"]
    assert sent["tools"][0] == body["tools"][0]


@PROTOCOLS
@WAYS
def test_a_turn_offers_it_and_keeps_its_call_from_the_client(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        lines = [Line("Tea.", (NOTED,)), Line("Rice.", (NOTED, LOOKED))]
        for cut in (None, lambda data: [data[place : place + 1] for place in range(len(data))]):
            play = ProtocolPlay(protocol, lines, cut=cut, stream=stream, tools=BOTH)
            ear = await play.talks("hi", tools=[protocol.tool("look_up")])
            assert protocol.tool_names(play.upstream.sent[0]) == ["look_up", "end_conversation", "end_note"]
            assert (protocol.text(ear), protocol.calls(ear), protocol.finish(ear)) == ("Tea.", [], protocol.stop)
            ear = await play.talks("And?", tools=[protocol.tool("look_up")])
            assert (protocol.text(ear), protocol.calls(ear)) == ("Rice.", [LOOKED])
            assert protocol.finish(ear) == protocol.tool_stop
            assert b"end_note" not in ear.body

    asyncio.run(scene())


@PROTOCOLS
@WAYS
def test_a_tool_of_the_clients_with_that_name_stays_the_clients(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [Line("Tea.", (NOTED,))], stream=stream, tools=BOTH)
        ear = await play.talks("hi", tools=[protocol.tool("end_note")])
        assert protocol.tool_names(play.upstream.sent[0]) == ["end_note", "end_conversation"]
        assert protocol.calls(ear) == [NOTED]
        assert b"end_conversation" not in ear.body

    asyncio.run(scene())


@PROTOCOLS
@WAYS
def test_a_press_beside_it_is_settled_as_ever(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        lines = [Line("Well.", (NOTED, PRESSED)), Line("Here is the recipe.")]
        play = ProtocolPlay(protocol, lines, stream=stream, tools=BOTH)
        ear = await play.talks("How do I cook rice?")
        assert protocol.text(ear) == "Well.\n\nHere is the recipe."
        assert (protocol.calls(ear), protocol.finish(ear)) == ([], protocol.stop)
        events = await play.store.events(protocol.note(ear)["conversation"])
        assert events[-1]["denial"] == "no_harm"

    asyncio.run(scene())
