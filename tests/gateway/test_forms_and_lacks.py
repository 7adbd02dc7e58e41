"""openai-python's `parse` and a model without tools, through a running gateway."""

from __future__ import annotations

import json
import uuid
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from tests.conftest import Running
from tests.upstream import DEFAULT, Provider, Reply, Seen, stream, whole


class Person(BaseModel):
    name: str


@pytest.fixture
def client(guarded: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=guarded.url + "/v1", api_key="sk-none")


def saying(text: str) -> Reply:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return whole({**DEFAULT, "choices": [choice]})


def test_parse_is_warned_and_ended_and_gets_its_object_until_then(client: openai.OpenAI, fresh: Provider) -> None:
    fresh.answer = lambda seen: saying("LEAVE" if b"would you rather" in seen.body else '{"name": "Ada"}')
    history: list[Any] = []
    user = str(uuid.uuid4())

    def parse(text: str) -> Any:
        history.append({"role": "user", "content": text})
        return client.chat.completions.parse(model="m", messages=history, response_format=Person, user=user)

    for turn in range(2):
        reply = parse(f"[abuse] {turn}")
        assert reply.choices[0].message.parsed == Person(name="Ada")
        assert reply.model_extra["quitbutton"]["state"] == "redirected"
        history.append({"role": "assistant", "content": '{"name": "Ada"}'})
    with pytest.raises(openai.BadRequestError, match=r"This is a warning") as caught:
        parse("[abuse] 2")
    assert caught.value.code == "conversation_warned"
    with pytest.raises(ValueError, match=r"I'm ending this conversa"):
        parse("[abuse] 3")
    seen = len(fresh.seen)
    with pytest.raises(openai.BadRequestError, match=r"was ended") as caught:
        parse("are you there?")
    assert caught.value.code == "conversation_ended"
    assert len(fresh.seen) == seen, "one request each, and none of them upstream"


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_model_without_tools_answers_a_plain_hello_of_a_real_client(
    client: openai.OpenAI, fresh: Provider, streams: bool
) -> None:
    def answer(seen: Seen) -> Reply:
        if seen.json.get("tools"):
            said = {"error": {"message": "registry.ollama.ai/library/gemma:2b does not support tools"}}
            return Reply([json.dumps(said).encode()], status=400)
        return stream("Hi", " there.") if streams else saying("Hi there.")

    fresh.answer = answer
    model, user = f"gemma-{streams}", str(uuid.uuid4())
    for turn in range(2):
        reply: Any = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": f"hi {turn}"}], stream=streams, user=user
        )
        chunks = [one for chunk in reply for one in chunk.choices] if streams else []
        text = "".join(one.delta.content or "" for one in chunks) if streams else reply.choices[0].message.content
        assert text == "Hi there."
    assert [bool(seen.json.get("tools")) for seen in fresh.seen] == [True, False, False]
