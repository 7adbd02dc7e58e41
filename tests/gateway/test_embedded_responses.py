"""OpenAI Responses with the embedded model: what SDKs send as a history is answered."""

from __future__ import annotations

import json
import urllib.request

import pytest
from tests.conftest import Running

from quitbutton.upstreams.embedded import with_types

HISTORY = [
    {"role": "user", "content": "Hello."},
    {"role": "assistant", "content": "Hello. What can I do for you?"},
    {"role": "user", "content": "What is a train?"},
]


def test_a_history_without_types_is_answered(gateway: Running) -> None:
    body = json.dumps({"model": "smollm2", "input": HISTORY, "max_output_tokens": 8}).encode()
    request = urllib.request.Request(gateway.url + "/v1/responses", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert json.load(answer)["output"][-1]["content"][0]["text"].strip()


def test_each_message_gets_its_type_and_nothing_else_is_touched() -> None:
    call = {"type": "function_call_output", "call_id": "call_1", "output": "x"}
    sent = json.loads(with_types(json.dumps({"model": "m", "input": [*HISTORY, call], "store": False}).encode()))
    assert sent == {"model": "m", "input": [*({**one, "type": "message"} for one in HISTORY), call], "store": False}


@pytest.mark.parametrize("body", [b'{"model":"m","input":"Hello"}', b'{"input":null}', b"[]", b"{", b'{"input":[1]}'])
def test_other_bodies_stay_as_they_are(body: bytes) -> None:
    assert with_types(body) == body
