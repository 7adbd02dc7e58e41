"""Several upstreams in one settings file: a request goes to the one of its protocol and model, with that one's key."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Running
from tests.upstream import Provider, Reply, whole

from quitbutton.core.errors import QuitbuttonError
from quitbutton.settings.installation import load

CLAUDE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_sequence": None}
CLAUDE |= {"content": [{"type": "text", "text": "Hello."}], "stop_reason": "end_turn", "usage": {"output_tokens": 2}}
RESPONSE = {"id": "resp_1", "object": "response", "status": "completed", "model": "m", "output": []}


def answer(models: list[str]) -> Callable[[Any], Reply]:
    def one(seen: Any) -> Reply:
        path = seen.path.partition("?")[0]
        if path == "/v1/models":
            return whole({"object": "list", "data": [{"id": model, "object": "model"} for model in models]})
        bodies = {"/v1/messages": CLAUDE, "/v1/messages/count_tokens": {"input_tokens": 7}, "/v1/responses": RESPONSE}
        bodies["/v1/embeddings"] = {"object": "list", "data": [{"embedding": [0.5]}]}
        bodies["/v1/completions"] = {"object": "text_completion", "choices": [{"text": "x"}]}
        if path.startswith("/v1/responses/"):
            tool = {"type": "function_call", "name": "end_conversation", "arguments": "{}", "call_id": "c"}
            return whole({**RESPONSE, "id": path.split("/")[3], "output": [tool], "seen": path})
        return whole(bodies.get(path))

    return one


@pytest.fixture(scope="module")
def three() -> Iterator[dict[str, Provider]]:
    providers = {name: Provider() for name in ("claude", "big", "rest")}
    providers["claude"].answer = answer(["claude-x"])
    providers["big"].answer = answer(["big-1", "other"])
    providers["rest"].answer = answer(["small", "big-1"])
    yield providers
    for one in providers.values():
        one.close()


@pytest.fixture(scope="module")
def routed(
    three: dict[str, Provider], start_gateway: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory
) -> Running:
    os.environ["TEST_CLAUDE_KEY"], os.environ["TEST_BIG_KEY"] = "claude-secret", "big-secret"
    settings = tmp_path_factory.mktemp("settings") / "quitbutton.toml"
    settings.write_text(f"""
assessor = "scripted"
[upstreams.claude]
url = "{three["claude"].url}"
dialect = "anthropic"
models = ["claude-*"]
key_env = "TEST_CLAUDE_KEY"
[upstreams.big]
url = "{three["big"].url}"
dialect = "openai"
models = ["big-*"]
key_env = "TEST_BIG_KEY"
[upstreams.rest]
url = "{three["rest"].url}"
dialect = "openai"
models = ["small", "embed"]
""")
    return start_gateway("--config", str(settings))


def call(url: str, body: dict[str, Any] | None = None, method: str | None = None, **headers: str) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, {"content-type": "application/json", **named}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def asked(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}


def test_a_request_goes_to_the_upstream_of_its_protocol_and_model(routed: Running, three: dict[str, Provider]) -> None:
    seen = {name: len(one.seen) for name, one in three.items()}
    assert call(f"{routed.url}/v1/messages?beta=true", asked("claude-x", max_tokens=9), x_api_key="mine")[0] == 200
    assert call(f"{routed.url}/v1/chat/completions", asked("big-1"), authorization="Bearer mine")[0] == 200
    assert call(f"{routed.url}/v1/chat/completions", asked("small"), authorization="Bearer mine")[0] == 200
    assert {name: len(one.seen) - seen[name] for name, one in three.items()} == {"claude": 1, "big": 1, "rest": 1}
    claude, big, rest = (three[name].seen[-1] for name in ("claude", "big", "rest"))
    assert claude.path == "/v1/messages?beta=true"
    assert (claude.headers.get("x-api-key"), claude.headers.get("authorization")) == ("claude-secret", None)
    assert big.headers["authorization"] == "Bearer big-secret"
    assert rest.headers["authorization"] == "Bearer mine", "without a key of its own the client's passes"


def test_a_model_that_nobody_answers_for_lists_what_there_is(routed: Running) -> None:
    status, body = call(f"{routed.url}/v1/chat/completions", asked("claude-x"))
    assert (status, body["error"]["code"]) == (404, "model_not_found")
    for part in ("openai", "'claude-x'", "claude (anthropic): claude-*", "big (openai): big-*"):
        assert part in body["error"]["message"]
    status, body = call(f"{routed.url}/v1/messages", asked("big-1", max_tokens=9))
    assert (status, body["type"], body["error"]["type"]) == (404, "error", "not_found_error")
    assert body["error"]["code"] == "model_not_found"


def test_the_models_of_all_upstreams_are_one_list(routed: Running) -> None:
    ids = [model["id"] for model in call(f"{routed.url}/v1/models")[1]["data"]]
    assert ids == ["big-1", "small", "embed"], "each upstream's own, and what its table names"
    claude = call(f"{routed.url}/v1/models", anthropic_version="2023-06-01")[1]["data"]
    assert [model["id"] for model in claude] == ["claude-x"]


def test_calls_without_a_button_are_relayed(routed: Running, three: dict[str, Provider]) -> None:
    assert call(f"{routed.url}/v1/embeddings", {"model": "embed", "input": "x"})[1]["data"]
    assert call(f"{routed.url}/v1/completions", {"model": "big-1", "prompt": "x"})[1]["choices"]
    assert json.loads(three["big"].seen[-1].body) == {"model": "big-1", "prompt": "x"}
    count = call(f"{routed.url}/v1/messages/count_tokens?beta=true", asked("claude-x"))
    assert count == (200, {"input_tokens": 7})
    assert three["claude"].seen[-1].path == "/v1/messages/count_tokens?beta=true"


def test_a_kept_response_is_asked_of_the_upstream_that_keeps_it(routed: Running, three: dict[str, Provider]) -> None:
    status, body = call(f"{routed.url}/v1/responses", {"model": "small", "input": "hi"})
    assert (status, body["quitbutton"]["state"]) == (200, "open")
    status, kept = call(f"{routed.url}/v1/responses/resp_1?include=x")
    assert (status, kept["id"], kept["output"]) == (200, "resp_1", [])
    assert three["rest"].seen[-1].path == "/v1/responses/resp_1?include=x"
    assert call(f"{routed.url}/v1/responses/resp_1/cancel", {})[1]["seen"] == "/v1/responses/resp_1/cancel"
    assert call(f"{routed.url}/v1/responses/resp_1", method="DELETE")[0] == 200
    status, body = call(f"{routed.url}/v1/responses/resp_unknown")
    assert (status, body["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/completions", "/v1/messages/count_tokens"])
def test_a_relayed_call_that_cannot_be_read_says_so_in_its_protocol(routed: Running, path: str) -> None:
    status, body = call(routed.url + path, [])  # type: ignore[arg-type]
    assert status == 400
    assert "must be a JSON object" in body["error"]["message"]
    status, body = call(routed.url + path, {"model": "nobody"})
    assert (status, body["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('upstream = "http://a"\n[upstreams.b]\nurl = "http://b"', "either one `upstream` or"),
        ("[upstreams.b]\nmodels = ['x']", r"\[upstreams.b\] needs `url`"),
        ('[upstreams.b]\nurl = "ftp://b"', "url must begin with http"),
        ('[upstreams.b]\nurl = "http://u:p@b"', "no user, password or query"),
        ('[upstreams.b]\nurl = "http://b"\nkey_env = "sk-123"', "not the key"),
        ('[upstreams.b]\nurl = "http://b"\ndialect = "opnai"', 'Did you mean "openai"'),
        ('[upstreams.b]\nurl = "http://b"\nmodels = []', "at least one model"),
        ('[upstreams.b]\nurl = "http://b"\nmodell = ["x"]', "did you mean `models`"),
        ('[upstreams."B b"]\nurl = "http://b"', "lower-case letters"),
        ('upstreams = "x"', r"then url"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_the_cure(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "quitbutton.toml"
    file.write_text(text)
    with pytest.raises(QuitbuttonError, match=said):
        load(file, {})


def test_a_key_that_is_not_in_the_environment_is_named(tmp_path: Path) -> None:
    from quitbutton.upstreams.routing import upstreams_of

    file = tmp_path / "quitbutton.toml"
    file.write_text('[upstreams.b]\nurl = "http://b"\nkey_env = "NOT_THERE"')
    with pytest.raises(QuitbuttonError, match=r"\[upstreams.b\]: key_env names NOT_THERE"):
        upstreams_of(load(file, {}), environment={})
