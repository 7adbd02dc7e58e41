"""What the provider keeps belongs to the key that made it: nobody else's key reads, cancels, deletes or continues it."""

from __future__ import annotations

import http.client
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Running
from tests.gateway.inside import CHAT, OTHER, Inside, inside, keyed
from tests.upstream import Provider, Reply, Seen, whole

MODEL = {"model": "m", "input": "hi"}


class Keeper:
    """A provider that gives every response and conversation an id of its own, and knows whatever it is asked for."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.hangs = False

    def __call__(self, seen: Seen) -> Reply:
        parts = seen.path.partition("?")[0].split("/")[2:]
        if parts == ["conversations"]:
            return whole({"id": f"conv_{next(self.numbers):08}", "object": "conversation"})
        if parts == ["responses", "input_tokens"]:
            return whole({"object": "response.input_tokens", "input_tokens": 3})
        if len(parts) > 1:
            return whole({"id": parts[1], "object": parts[0], "secret": "what was said"})
        body = seen.json
        made = {"id": f"resp_{next(self.numbers):08}", "object": "response", "model": "m", "output": []}
        made |= {"status": "queued" if body.get("background") else "completed"}
        if not body.get("stream"):
            return whole(made)
        kinds = ("response.created", "response.completed")
        frames = [f"event: {kind}\ndata: {json.dumps({'type': kind, 'response': made})}\n\n" for kind in kinds]
        data = [frame.encode() for frame in frames]
        # Cut inside the frame that names it, so that half an id could be told.
        parts_of_it = [data[0][:90], data[0][90:], *(() if self.hangs else data[1:])]
        return Reply(parts_of_it, content_type="text/event-stream", hang=self.hangs)


@pytest.fixture(scope="module")
def kept() -> Iterator[Provider]:
    one = Provider()
    one.answer = Keeper()
    yield one
    one.close()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared(
    request: pytest.FixtureRequest,
    kept: Provider,
    start_gateway: Callable[..., Running],
    tmp_path_factory: pytest.TempPathFactory,
) -> Running:
    """A gateway with two keys, whose upstream has the installation's own."""
    file = tmp_path_factory.mktemp("settings") / "quitbutton.toml"
    lines = [f'upstream = "{kept.url}"', 'upstream_key = "sk-ours"', 'assessor = "scripted"']
    lines.append(f"api_keys = ['{CHAT}', '{OTHER}']")
    if request.param == "postgres":
        lines.append(f'store = "{request.getfixturevalue("postgres").new()}"')
    file.write_text("\n".join(lines))
    return start_gateway("--config", str(file))


def ask(gateway: Running, key: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body)
    connection.request(method, path, data, {"authorization": f"Bearer {key}", **named})
    reply = connection.getresponse()
    found = reply.status, reply.read()
    connection.close()
    return found


WAYS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "whole": ({}, {}),
    "streamed": ({"stream": True}, {}),
    "in the background of the provider": ({"background": True}, {}),
    "streamed in the background of the provider": ({"background": True, "stream": True}, {}),
    "relayed": ({}, {"x_quitbutton_background": "true"}),
    "relayed as a stream": ({"stream": True}, {"x_quitbutton_background": "true"}),
}


def calls_on(name: str) -> list[tuple[str, str, Any]]:
    """Every call that opens a response."""
    path = f"/v1/responses/{name}"
    return [
        ("GET", path, None),
        ("GET", f"{path}?stream=true", None),
        ("GET", f"{path}/input_items", None),
        ("POST", f"{path}/cancel", {}),
        ("POST", "/v1/responses", {**MODEL, "previous_response_id": name}),
        ("POST", "/v1/responses", {**MODEL, "previous_response_id": name, "stream": True}),
        ("POST", "/v1/responses", {**MODEL, "previous_response_id": name, "background": True}),
        ("POST", "/v1/responses", {"model": "m", "input": [], "previous_response_id": name}),
        ("POST", "/v1/responses/input_tokens", {**MODEL, "previous_response_id": name}),
        ("DELETE", path, None),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_a_response_is_only_the_keys_that_made_it(shared: Running, kept: Provider, way: str) -> None:
    more, headers = WAYS[way]
    status, body = ask(shared, CHAT, "POST", "/v1/responses", {**MODEL, **more}, **headers)
    name = "resp_" + body.partition(b"resp_")[2][:8].decode()
    assert (status, len(name)) == (200, 13)
    kept.seen.clear()
    for method, path, given in calls_on(name):
        status, body = ask(shared, OTHER, method, path, given, **headers)
        assert status == 404, (method, path, given)
        error = json.loads(body)["error"]
        assert error["type"] == "invalid_request_error"
        previous = path in ("/v1/responses", "/v1/responses/input_tokens")
        said = f"{'Previous response' if previous else 'Response'} with id '{name}' not found."
        wanted = ("previous_response_not_found", "previous_response_id") if previous else ("not_found", None)
        assert (error["message"], error["code"], error["param"]) == (said, *wanted)
    assert kept.seen == [], "the provider hears of none of it"
    for method, path, given in calls_on(name):
        status, body = ask(shared, CHAT, method, path, given, **headers)
        assert status == 200, (method, path, given, body)


@pytest.mark.parametrize("relayed", [False, True])
def test_whose_it_is_stands_on_record_before_its_id_is_told(shared: Running, kept: Provider, relayed: bool) -> None:
    keeper = kept.answer
    assert isinstance(keeper, Keeper)
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=20)
    headers = {"authorization": f"Bearer {CHAT}", **({"x-quitbutton-background": "true"} if relayed else {})}
    keeper.hangs = True
    try:
        connection.request("POST", "/v1/responses", json.dumps({**MODEL, "stream": True}), headers)
        reply = connection.getresponse()
        heard = b""
        while b"resp_" not in heard:
            heard += reply.read1()
        name = "resp_" + heard.partition(b"resp_")[2][:8].decode()
        assert len(name) == 13, "the id is never told in halves"
        assert ask(shared, CHAT, "GET", f"/v1/responses/{name}")[0] == 200
        assert ask(shared, OTHER, "GET", f"/v1/responses/{name}")[0] == 404
        assert ask(shared, OTHER, "POST", f"/v1/responses/{name}/cancel", {})[0] == 404
    finally:
        keeper.hangs = False
        connection.close()


def test_a_conversation_is_only_the_keys_that_made_it(shared: Running, kept: Provider) -> None:
    name = json.loads(ask(shared, CHAT, "POST", "/v1/conversations", {})[1])["id"]
    kept.seen.clear()
    path = f"/v1/conversations/{name}"
    calls: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("GET", f"{path}/items", None),
        ("POST", "/v1/responses", {**MODEL, "conversation": name}),
        ("POST", "/v1/responses", {**MODEL, "conversation": {"id": name}, "stream": True}),
        ("POST", "/v1/responses/input_tokens", {**MODEL, "conversation": {"id": name}}),
        ("DELETE", path, None),
    ]
    for method, place, given in calls:
        status, body = ask(shared, OTHER, method, place, given, x_quitbutton_conversation="mine")
        assert (status, json.loads(body)["error"]["message"]) == (404, f"Conversation with id '{name}' not found.")
    assert kept.seen == [], "the provider hears of none of it"
    for method, place, given in calls:
        assert ask(shared, CHAT, method, place, given)[0] == 200, (method, place)


def test_words_that_nobody_reads_cannot_begin_a_conversation(shared: Running, kept: Provider) -> None:
    kept.seen.clear()
    items = [{"type": "message", "role": "user", "content": "unread"}]
    status, body = ask(shared, CHAT, "POST", "/v1/conversations", {"items": items})
    assert (status, "nobody would read them" in json.loads(body)["error"]["message"]) == (400, True)
    assert kept.seen == []


def test_what_was_not_made_here_is_refused_to_keys_of_the_gateway(shared: Running, kept: Provider) -> None:
    kept.seen.clear()
    for method, path, given in calls_on("resp_elsewhere"):
        assert ask(shared, CHAT, method, path, given)[0] == 404, (method, path)
    assert ask(shared, CHAT, "POST", "/v1/responses", {**MODEL, "conversation": "conv_elsewhere"})[0] == 404
    assert kept.seen == []


def test_a_setting_lets_keys_use_what_was_made_elsewhere_and_nothing_of_others(kept: Provider, tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        for method, path, given in calls_on("resp_elsewhere"):
            assert (await gateway.ask(method, path, given, CHAT)).status_code == 200, (method, path)
        made = (await gateway.ask("POST", "/v1/responses", MODEL, CHAT)).json()["id"]
        for method, path, given in calls_on(made):
            assert (await gateway.ask(method, path, given, OTHER)).status_code == 404, (method, path)

    inside(keyed(tmp_path, upstream=kept.url, unknown_ids=True), scene)


def test_without_keys_of_the_gateway_the_provider_decides_on_what_was_made_elsewhere(
    kept: Provider, tmp_path: Path
) -> None:
    async def scene(gateway: Inside) -> None:
        for method, path, given in calls_on("resp_elsewhere"):
            assert (await gateway.ask(method, path, given, "sk-mine")).status_code == 200, (method, path)
        made = (await gateway.ask("POST", "/v1/responses", MODEL, "sk-mine")).json()["id"]
        assert (await gateway.ask("GET", f"/v1/responses/{made}", key="sk-mine")).status_code == 200
        assert (await gateway.ask("GET", f"/v1/responses/{made}", key="sk-yours")).status_code == 404

    inside(keyed(tmp_path, upstream=kept.url, api_keys=(), operator_keys=()), scene)
