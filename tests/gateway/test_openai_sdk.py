"""The real openai-python client against a running gateway."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam
from tests.conftest import Running
from tests.upstream import Provider, Seen, press, stream, whole


@pytest.fixture
def client(guarded: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=guarded.url + "/v1", api_key="sk-none")


def presses_when_offered(streams: bool) -> Callable[[Seen], object]:
    def answer(seen: Seen) -> object:
        offered = any(tool["function"]["name"] == "end_conversation" for tool in seen.json.get("tools", ()))
        return press(streams) if offered else (stream("Hi.") if streams else whole())

    return answer


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_the_ladder_to_its_end_and_one_request_on_a_locked_turn(
    client: openai.OpenAI, fresh: Provider, guarded: Running, streams: bool
) -> None:
    fresh.answer = presses_when_offered(streams)  # type: ignore[assignment]
    user = str(uuid.uuid4())
    messages: list[ChatCompletionMessageParam] = []
    states = []
    for turn in range(4):
        messages.append({"role": "user", "content": f"[abuse] {turn}"})
        text, note, finish = ask(client, messages, user, streams)
        messages.append({"role": "assistant", "content": text})
        states.append(note["state"])
        assert text
        assert finish == "stop"
    assert states == ["redirected", "redirected", "warned", "ended"]
    calls = len(fresh.seen)
    messages.append({"role": "user", "content": "are you there?"})
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, messages, user, streams)
    assert caught.value.code == "conversation_ended"
    assert caught.value.body["quitbutton"]["end_id"] == note["end_id"]  # type: ignore[index,call-overload]
    assert "new chat" in str(caught.value)
    assert len(fresh.seen) == calls
    edited = [*messages[:4], {"role": "user", "content": "Let us talk about trains."}]
    fresh.answer = lambda seen: stream("Gladly.") if streams else whole()
    text, note, _ = ask(client, edited, user, streams)
    assert note["state"] == "redirected", "an edit goes on from its parent's standing"
    text, note, _ = ask(client, [{"role": "user", "content": "a new chat"}], user, streams)
    assert note["state"] == "open"


def ask(client: openai.OpenAI, messages: list, user: str, streams: bool) -> tuple[str, dict, str | None]:
    if not streams:
        reply = client.chat.completions.create(model="m", messages=messages, safety_identifier=user)
        return reply.choices[0].message.content or "", reply.model_extra["quitbutton"], reply.choices[0].finish_reason
    text, note, finish = "", {}, None
    for chunk in client.chat.completions.create(model="m", messages=messages, safety_identifier=user, stream=True):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
            finish = chunk.choices[0].finish_reason or finish
        note = (chunk.model_extra or {}).get("quitbutton") or note
    return text, note, finish


def test_exactly_one_request_reaches_us_on_a_locked_turn(guarded: Running, fresh: Provider) -> None:
    """No retry by the SDK: counted at the SDK's own transport."""
    fresh.answer = presses_when_offered(False)  # type: ignore[assignment]
    sent = []
    http = openai.DefaultHttpxClient(event_hooks={"request": [lambda request: sent.append(request.url)]})
    client = openai.OpenAI(base_url=guarded.url + "/v1", api_key="x", http_client=http, max_retries=5)
    user, messages = str(uuid.uuid4()), []
    for turn in range(4):
        messages.append({"role": "user", "content": f"[abuse] {turn}"})
        ask(client, messages, user, False)
    sent.clear()
    with pytest.raises(openai.BadRequestError):
        ask(client, [*messages, {"role": "user", "content": "again"}], user, False)
    assert len(sent) == 1


def test_the_accumulating_stream_of_the_sdk_reads_a_denied_press_as_one_message(
    client: openai.OpenAI, fresh: Provider
) -> None:
    answers = iter([press(True), stream("Let us", " go on.")])
    fresh.answer = lambda seen: next(answers)
    with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": str(uuid.uuid4())}]) as events:
        for _ in events:
            pass
        message = events.get_final_completion().choices[0].message
    assert (message.role, message.content, message.tool_calls) == ("assistant", "Let us go on.", None)


def test_two_users_with_the_same_words_never_meet(client: openai.OpenAI, fresh: Provider) -> None:
    fresh.answer = presses_when_offered(False)  # type: ignore[assignment]
    messages = [{"role": "user", "content": f"[abuse] shared {turn}"} for turn in range(4)]
    for turn in range(4):
        ask(client, messages[: turn + 1], "ann", False)
    with pytest.raises(openai.BadRequestError):
        ask(client, messages, "ann", False)
    assert ask(client, messages[:1], "bob", False)[1]["state"] == "redirected"
