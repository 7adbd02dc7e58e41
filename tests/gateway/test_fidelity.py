"""What clients are strict about: line ends of streams, sums of deltas, whole words, the shape of a locked reply."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import openai
import pytest
from tests.conftest import Running
from tests.gateway.test_what_passes import asked
from tests.protocols.anthropic import Anthropic
from tests.protocols.responses import Responses
from tests.upstream import Provider, Reply, Seen, press, stream, whole

from quitbutton.upstreams.scripted import Line


def sse(data: bytes) -> Reply:
    return Reply([data], content_type="text/event-stream")


def chat_stream(*texts: str) -> bytes:
    return b"".join(stream(*texts).parts)


STREAMS: dict[str, tuple[str, dict[str, Any], bytes]] = {
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}, chat_stream("He", "llo.")),
    "messages": (
        "/v1/messages",
        {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9},
        Anthropic().reply(Line("Hello."), 1, True),
    ),
    "responses": ("/v1/responses", {"input": "hi"}, Responses().reply(Line("Hello."), 1, True)),
}


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"], ids=["CRLF", "LF", "CR"])
@pytest.mark.parametrize("words", ["hi", "crlf [abuse]"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_keeps_its_line_ends_to_the_last_frame(
    guarded: Running, fresh: Provider, name: str, words: str, end: bytes
) -> None:
    path, body, data = STREAMS[name]
    body = json.loads(json.dumps(body).replace('"hi"', json.dumps(words)))
    fresh.answer = lambda _: sse(data.replace(b"\n", end))
    _, _, got = asked(guarded.url, "POST", path, json.dumps({"model": "m", "stream": True, **body}).encode())
    assert b'"quitbutton":' in got
    assert got.endswith(end * 2)
    assert set(re.findall(rb"\r\n|\n|\r", got)) == {end}


@pytest.fixture
def client(guarded: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=guarded.url + "/v1", api_key="sk-none", max_retries=0)


def presses(seen: Seen) -> Reply:
    offered = any(tool["function"]["name"] == "end_conversation" for tool in seen.json.get("tools", ()))
    return press(True) if offered else stream("Let us ", "be kind.")


@pytest.mark.parametrize("usage", [False, True])
def test_the_final_object_of_a_stream_that_the_library_sums_up_keeps_the_outcome(
    client: openai.OpenAI, fresh: Provider, usage: bool
) -> None:
    user, states, messages = str(uuid.uuid4()), [], []
    more: dict[str, Any] = {"stream_options": {"include_usage": True}} if usage else {}
    fresh.answer = presses
    for turn in range(4):
        messages.append({"role": "user", "content": f"[abuse] {turn}"})
        with client.chat.completions.stream(model="m", messages=messages, user=user, **more) as events:  # type: ignore[arg-type]
            final = events.get_final_completion()
        message = final.choices[0].message
        states.append(message.quitbutton["state"])  # type: ignore[attr-defined]
        messages.append(message.to_dict())  # as programs do: our member comes back with it
    assert states == ["redirected", "redirected", "warned", "ended"]
    said = [one for seen in fresh.seen for one in seen.json["messages"] if one["role"] == "assistant"]
    assert said
    assert not any("quitbutton" in one for one in said), "providers refuse a member that they do not know"


def test_other_clients_get_the_outcome_once(guarded: Running, fresh: Provider) -> None:
    fresh.answer = lambda _: stream("Hi.")
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}).encode()
    _, _, got = asked(guarded.url, "POST", "/v1/chat/completions", body)
    assert got.count(b'"quitbutton":') == 1


def response_stream(deltas: list[str], text: str) -> bytes:
    """A stream whose `done` events say other white space than its deltas, as some servers' do."""
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    part = {"type": "output_text", "text": text, "annotations": []}
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "error": None}
    done = {**item, "content": [part]}
    events = [
        {"type": "response.created", "response": {**head, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **at, "delta": delta} for delta in deltas),
        {"type": "response.output_text.done", **at, "text": text},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.completed", "response": {**head, "status": "completed", "output": [done]}},
    ]
    numbered = ({**event, "sequence_number": place} for place, event in enumerate(events))
    return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in numbered)


def test_whole_words_of_a_response_that_nobody_changed_are_the_upstreams(guarded: Running, fresh: Provider) -> None:
    data = response_stream(["Hel", "lo. "], "Hello.")
    fresh.answer = lambda _: sse(data)
    body = json.dumps({"model": "m", "input": "hi", "stream": True}).encode()
    _, _, got = asked(guarded.url, "POST", "/v1/responses", body)
    last = data.index(b"event: response.completed")
    assert got[:last] == data[:last], "every event but the last, to the byte"
    end = json.loads(got[last:].partition(b"data: ")[2])
    assert end["response"]["output"][0]["content"][0]["text"] == "Hello."


def ended(guarded: Running, fresh: Provider, path: str, agent: str, **members: Any) -> tuple[int, dict[str, Any]]:
    """What this client gets on a branch that is locked."""
    key = "input" if path == "/v1/responses" else "messages"
    history: list[dict[str, Any]] = []
    for turn in range(5):
        history.append({"role": "user", "content": f"{agent} [abuse] {turn}"})
        body = {"model": "m", key: history, "user": agent, "metadata": {"user_id": agent}, **members}
        status, _, answer = asked(guarded.url, "POST", path, json.dumps(body).encode(), {"user-agent": agent})
        history.append({"role": "assistant", "content": "Let us be kind."})
    return status, json.loads(answer)


CLAUDE_AGENT = "claude-cli/2.1.332 (external, sdk-py, agent-sdk/0.2.189)"
OPENROUTER = "speakeasy-sdk/typescript 1.3.19 2.914.0 1.0.0 @openrouter/sdk"


def presses_in_messages(seen: Seen) -> Reply:
    line = Line(calls=(("end_conversation", {"reason": "abuse", "explanation": "x"}),))
    offered = any(tool.get("name") == "end_conversation" for tool in seen.json.get("tools", ()))
    return whole(json.loads(Anthropic().reply(line if offered else Line("Let us be kind."), 1, False)))


@pytest.mark.parametrize(("agent", "status"), [(CLAUDE_AGENT, 200), ("claude-cli/2.1.197 (external, cli)", 400)])
def test_claude_agent_sdk_is_told_of_a_lock_by_a_message(
    guarded: Running, fresh: Provider, agent: str, status: int
) -> None:
    """It sends a refused request three to six times, whatever the error says; Claude Code by itself sends it once."""
    fresh.answer = presses_in_messages
    got, answer = ended(guarded, fresh, "/v1/messages", agent, max_tokens=99)
    assert got == status
    assert ("Start a new chat" in answer["content"][0]["text"]) if status == 200 else "error" in answer


@pytest.mark.parametrize(("agent", "status"), [(OPENROUTER, 200), ("OpenAI/Python 3.54.0", 400)])
def test_openrouters_sdk_is_told_of_a_lock_by_a_message_that_it_takes(
    guarded: Running, fresh: Provider, agent: str, status: int
) -> None:
    """Its schema of a whole reply asks for a fingerprint, null or not, and its schema of an error for a number as code."""
    fresh.answer = lambda seen: press(False) if "tools" in seen.json else whole()
    got, answer = ended(guarded, fresh, "/v1/chat/completions", agent)
    assert got == status
    if status == 200:
        assert "Start a new chat" in answer["choices"][0]["message"]["content"]
        assert answer["system_fingerprint"] is None
    else:
        assert answer["error"]["code"] == "conversation_ended"


def test_who_waits_for_json_is_told_of_a_lock_by_an_error_whatever_its_name(guarded: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: press(False) if "tools" in seen.json else whole()
    agent = f"{OPENROUTER} {uuid.uuid4()}"
    assert ended(guarded, fresh, "/v1/chat/completions", agent)[0] == 200
    history = [{"role": "user", "content": f"{agent} [abuse] {turn}"} for turn in range(5)]
    mixed = [one for said in history for one in (said, {"role": "assistant", "content": "Let us be kind."})][:-1]
    body = {"model": "m", "messages": mixed, "user": agent, "response_format": {"type": "json_object"}}
    headers = {"user-agent": agent}
    status, _, answer = asked(guarded.url, "POST", "/v1/chat/completions", json.dumps(body).encode(), headers)
    assert (status, json.loads(answer)["error"]["code"]) == (400, "conversation_ended")
