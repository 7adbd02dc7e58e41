"""Bad input and a bad upstream: a clear error in OpenAI's shape, and nothing counted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest
from tests.conftest import Running, free_port
from tests.gateway.test_passthrough import post
from tests.upstream import Provider, Reply, press, stream, whole

USER = {"role": "user", "content": "hi"}
BAD: dict[str, tuple[bytes, int, str]] = {
    "empty": (b"", 400, "JSON"),
    "not JSON": (b"{", 400, "JSON"),
    "an array": (b"[]", 400, "object"),
    "invalid UTF-8": (b'{"model": "m", "messages": [{"role": "user", "content": "\xff\xfe"}]}', 400, ""),
    "no messages": (b'{"model": "m"}', 400, "messages"),
    "messages of a wrong type": (b'{"model": "m", "messages": "hi"}', 400, "messages"),
    "no message": (b'{"model": "m", "messages": []}', 400, "messages"),
    "a message of a wrong type": (b'{"model": "m", "messages": [3]}', 400, "messages[0]"),
    "a role of a wrong type": (b'{"model": "m", "messages": [{"role": 3}]}', 400, "messages[0]"),
    "content of a wrong type": (b'{"model": "m", "messages": [{"role": "user", "content": 3}]}', 400, "messages[0]"),
    "no model": (json.dumps({"messages": [USER]}).encode(), 400, "model"),
    "a model of a wrong type": (json.dumps({"model": 3, "messages": [USER]}).encode(), 400, "model"),
    "stream of a wrong type": (json.dumps({"model": "m", "messages": [USER], "stream": "yes"}).encode(), 400, "stream"),
    "deep nesting": (b'{"model": "m", "messages": [' + b"[" * 50_000 + b"]" * 50_000 + b"]}", 400, ""),
    "deep nesting elsewhere": (
        b'{"model": "m", "messages": [], "x": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
        400,
        "deep",
    ),
    "too large": (b'{"model": "m", "messages": "' + b"x" * (33 << 20), 413, "max_body"),
}


def rows(gateway: Running) -> list[tuple[int, ...]]:
    with sqlite3.connect(gateway.data / "quitbutton.sqlite3") as db:
        return [
            db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
            for table in ("turns", "events", "ends", "conversations")
        ]


@pytest.mark.parametrize("name", list(BAD))
def test_a_request_that_cannot_be_read(guarded: Running, fresh: Provider, name: str) -> None:
    body, status, word = BAD[name]
    before = rows(guarded)
    got_status, headers, got = post(guarded.url, body)
    error = json.loads(got)["error"]
    assert got_status == status, error
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert word in error["message"]
    assert headers["content-type"] == "application/json"
    assert fresh.seen == []
    assert rows(guarded) == before


def test_ten_megabytes_of_talk_pass(guarded: Running, fresh: Provider) -> None:
    messages = [{"role": "user", "content": "x" * 1_000_000}, {"role": "assistant", "content": "ok"}] * 10 + [USER]
    status, _, _ = post(guarded.url, json.dumps({"model": "m", "messages": messages}).encode())
    assert status == 200
    assert len(fresh.seen[0].body) > 10_000_000


BROKEN: dict[str, tuple[Callable[[], Reply], bool, str]] = {
    "half a whole reply": (lambda: Reply([b'{"choices": [{"index": 0, "mess'], breaks=True), False, "broke off"),
    "half a stream": (
        lambda: Reply(stream("Hel", "lo").parts[:2], content_type="text/event-stream", breaks=True),
        True,
        "broke off",
    ),
    "a stream without its end": (
        lambda: Reply(stream("Hel").parts[:2], content_type="text/event-stream"),
        True,
        "broke off",
    ),
    "an error in the stream": (
        lambda: Reply(
            [*stream("a").parts[:2], b'data: {"error": {"message": "overloaded"}}\n\n'],
            content_type="text/event-stream",
        ),
        True,
        "overloaded",
    ),
    "no JSON": (lambda: Reply([b"<html>"]), False, "not a chat completion"),
    "another shape": (lambda: whole({"hello": 1}), False, "not a chat completion"),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_an_upstream_that_breaks_off(guarded: Running, fresh: Provider, name: str) -> None:
    make, streams, word = BROKEN[name]
    fresh.answer = lambda seen: make()
    before = rows(guarded)
    body = json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": f"[abuse] {name}"}], "stream": streams}
    ).encode()
    status, _, got = post(guarded.url, body)
    if streams:
        assert status == 200
        frames = [line for line in got.split(b"\n\n") if line]
        error = json.loads(frames[-1].removeprefix(b"data: "))["error"]
        assert b"[DONE]" not in got
    else:
        error = json.loads(got)["error"]
        assert status == 502
    assert word in error["message"]
    assert rows(guarded) == before


def test_an_upstream_that_is_not_there(start_gateway: Callable[..., Running]) -> None:
    gateway = start_gateway("--upstream", f"http://127.0.0.1:{free_port()}", "--assessor", "scripted")
    before = rows(gateway)
    status, _, got = post(gateway.url, json.dumps({"model": "m", "messages": [USER]}).encode())
    error = json.loads(got)["error"]
    assert (status, error["code"]) == (502, "upstream_failed")
    assert "--upstream" in error["message"]
    assert rows(gateway) == before


def test_an_upstream_that_hangs(
    start_gateway: Callable[..., Running], fresh: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    config = tmp_path / "hasty.toml"
    config.write_text("read_timeout = 0.4\n")
    gateway = start_gateway("--upstream", fresh.url, "--assessor", "scripted", "--config", str(config))
    fresh.answer = lambda seen: Reply([], hang=True)
    status, _, got = post(gateway.url, json.dumps({"model": "m", "messages": [USER]}).encode())
    assert (status, json.loads(got)["error"]["code"]) == (504, "upstream_timeout")


def test_a_second_call_that_answers_otherwise_leaves_the_first_words(guarded: Running, fresh: Provider) -> None:
    answers = iter([press(True), whole()])
    fresh.answer = lambda seen: next(answers)
    body = json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": "odd upstream"}], "stream": True}
    ).encode()
    status, _, got = post(guarded.url, body)
    assert status == 200
    assert b"What can I do for you?" in got
    assert got.rstrip().endswith(b"[DONE]")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("GET", "/v1/chat/completions"), ("DELETE", "/v1/models")]
)
def test_unknown_ways(guarded: Running, method: str, path: str) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", guarded.port)
    connection.request(method, path)
    answer = connection.getresponse()
    assert answer.status in (404, 405)
    assert "message" in json.loads(answer.read())["error"]
    connection.close()


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"host": "evil.example"}])
def test_a_page_of_another_site_cannot_use_the_gateway(
    guarded: Running, fresh: Provider, headers: dict[str, str]
) -> None:
    status, _, got = post(guarded.url, json.dumps({"model": "m", "messages": [USER]}).encode(), headers)
    assert (status, json.loads(got)["error"]["code"]) == (403, "forbidden")
    assert fresh.seen == []
