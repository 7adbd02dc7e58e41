"""What is not ours is not touched: compared byte for byte with a direct call."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.conftest import Running
from tests.upstream import DEFAULT, Provider, Reply, Seen, stream, whole

PIXEL = "data:image/png;base64,iVBORw0KGgo="
TOOLS = [
    {
        "type": "function",
        "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": True},
    }
]
BODIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "tools": {"tools": TOOLS, "parallel_tool_calls": False},
    "tool choice": {"tools": TOOLS, "tool_choice": "required"},
    "schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}},
    "logprobs": {"logprobs": True, "top_logprobs": 3},
    "n": {"n": 2},
    "unknown": {"brand_new_field": {"deep": [1, None, 2.50, 1e-7, "ü \u2028", {"a": {}}]}, "another": None},
    "numbers": {"temperature": 0.70, "seed": 12345678901234567890, "top_p": 1.0},
}
IMAGE = [
    {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral"}},
    {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
]
CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
CHOICES: dict[str, list[dict[str, Any]]] = {
    "n": [{"index": i, "message": {"role": "assistant", "content": f"{i}"}, "finish_reason": "stop"} for i in (0, 1)],
    "tools": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None, "tool_calls": [CALL]},
            "finish_reason": "tool_calls",
        }
    ],
}


def post(url: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request(
            "POST", "/v1/chat/completions", body, {"content-type": "application/json", **(headers or {})}
        )
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", list(BODIES))
def test_a_clean_turn_goes_and_comes_as_in_a_direct_call(
    guarded: Running, fresh: Provider, name: str, streams: bool
) -> None:
    reply = {
        **DEFAULT,
        "choices": CHOICES.get(name, DEFAULT["choices"]),
        "system_fingerprint": "fp",
        "x_new": {"n": 1.50},
    }
    fresh.answer = lambda seen: (
        stream("He", "llo ", "ü.") if streams else whole(reply, headers=[("x-ratelimit-limit", "9")])
    )
    messages = [
        {"role": "system", "content": "Be\tkind."},
        {"role": "user", "content": IMAGE if name == "unknown" else "Hi ü"},
    ]
    body = json.dumps({"model": "m", "messages": messages, "stream": streams, **BODIES[name]}, indent=1).encode()
    headers = {"authorization": "Bearer sk-test", "openai-organization": "org-1", "x-custom": "kept"}
    _, _, direct = post(fresh.url, body, headers)
    status, got, through = post(guarded.url, body, headers)
    first, second = fresh.seen
    sent, plain = json.loads(second.body), json.loads(first.body)
    offered = sent.get("tools") != plain.get("tools")
    if offered:
        assert sent["tools"][-1]["function"]["name"] == "end_conversation"
        assert sent["tools"][:-1] == plain.get("tools", [])
        for member in BODIES[name] | {"messages": 0, "model": 0}:
            if member != "tools":
                assert raw_member(second.body, member) == raw_member(first.body, member), "the same bytes"
    else:
        assert second.body == first.body
    assert offered is (name not in ("tool choice", "schema", "n"))
    assert {name: second.headers.get(name) for name in headers} == headers
    assert status == 200
    assert without_note(through, streams) == direct
    assert streams or got["x-ratelimit-limit"] == "9"


def raw_member(body: bytes, name: str) -> bytes:
    import msgspec

    return bytes(msgspec.json.decode(body, type=dict[str, msgspec.Raw])[name])


def without_note(body: bytes, streams: bool) -> bytes:
    start = body.index(b',"quitbutton":')
    note, length = json.JSONDecoder().raw_decode(body[start + len(b',"quitbutton":') :].decode())
    assert note["state"] == "open"
    end = start + len(b',"quitbutton":') + len(body[start + len(b',"quitbutton":') :].decode()[:length].encode())
    assert body[end : end + 1] == b"}"
    cleaned = body[:start] + body[end:]
    # The brace moved up beside our member; a direct call may have white space before it.
    return cleaned if streams else cleaned[:-1] + b"\n}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_an_error_of_the_upstream_passes_as_it_is(
    guarded: Running, fresh: Provider, status: int, streams: bool
) -> None:
    error = b'{"error": {"message": "nope", "type": "their_type", "code": "their_code"}}'
    fresh.answer = lambda seen: Reply([error], status, headers=[("retry-after", "7"), ("x-request-id", "abc")])
    body = json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": f"e{status}"}], "stream": streams}
    ).encode()
    got_status, headers, got = post(guarded.url, body)
    assert (got_status, got) == (status, error)
    assert (headers["retry-after"], headers["x-request-id"]) == ("7", "abc")


def test_background_calls_are_relayed_and_never_counted(guarded: Running, fresh: Provider) -> None:
    for headers in ({"x-quitbutton-background": "true"}, {"x-quitbutton-task": "title_generation"}):
        for turn in range(6):
            messages = [{"role": "user", "content": f"[abuse] title {turn}"}]
            body = json.dumps({"model": "m", "messages": messages}).encode()
            status, _, got = post(guarded.url, body, headers)
            assert (status, got) == (200, post(fresh.url, body)[2])
            assert fresh.seen[-2].body == body, "no button, no note"


def test_what_is_ours_or_belongs_to_the_connection_stays_behind(guarded: Running, fresh: Provider) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    post(
        guarded.url,
        body,
        {"x-quitbutton-conversation": "c", "cookie": "a=b", "accept-encoding": "gzip", "te": "trailers"},
    )
    sent = fresh.seen[-1].headers
    assert not {"x-quitbutton-conversation", "cookie", "te"} & set(sent)
    assert sent.get("accept-encoding", "identity") == "identity"


def test_a_stream_leaves_as_it_comes(guarded: Running, fresh: Provider) -> None:
    """The first words are with the client long before the last are sent."""
    fresh.answer = lambda seen: stream("one", "two", "three", delay=0.3)
    parts = urlsplit(guarded.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "slow"}], "stream": True})
    connection.request("POST", "/v1/chat/completions", body)
    answer = connection.getresponse()
    seen = b""
    while b"one" not in seen:
        seen += answer.read1()
    assert b"three" not in seen
    assert b"[DONE]" in answer.read()
    connection.close()


def test_a_compressed_reply_is_read_all_the_same(guarded: Running, fresh: Provider) -> None:
    import gzip

    packed = gzip.compress(json.dumps(DEFAULT).encode())
    fresh.answer = lambda seen: Reply([packed], headers=[("content-encoding", "gzip")])
    status, headers, got = post(
        guarded.url, json.dumps({"model": "m", "messages": [{"role": "user", "content": "z"}]}).encode()
    )
    assert (status, json.loads(got)["choices"]) == (200, DEFAULT["choices"])
    assert "content-encoding" not in headers


def test_the_list_of_models_is_the_upstreams(guarded: Running, fresh: Provider) -> None:
    import urllib.request

    listing = {"object": "list", "data": [{"id": "m", "object": "model"}]}

    def answer(seen: Seen) -> Reply:
        assert seen.path == "/v1/models"
        return whole(listing)

    fresh.answer = answer
    with urllib.request.urlopen(guarded.url + "/v1/models") as got:
        assert json.load(got) == listing
