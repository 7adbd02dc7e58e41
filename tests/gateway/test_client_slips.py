"""What real clients do a little otherwise: compressed bodies, slashes too many, pages of any origin."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Running
from tests.gateway.inside import CHAT, HELLO, Inside, inside, keyed
from tests.gateway.test_what_passes import asked
from tests.upstream import Provider, whole

from quitbutton.upstreams.scripted import Line, ScriptedUpstream

BODY = json.dumps(HELLO).encode()
MEGA = 1 << 20


def told(body: bytes) -> dict[str, Any]:
    return json.loads(body)["error"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "deflate", "identity"])
def test_a_compressed_request_is_read(guarded: Running, fresh: Provider, coding: str, path: str) -> None:
    packs = {"deflate": zlib.compress, "identity": bytes}
    packed = packs.get(coding, gzip.compress)(BODY)
    status, _, _ = asked(guarded.url, "POST", path, packed, {"content-encoding": coding})
    assert status == 200
    sent = fresh.seen[-1]
    assert sent.json["messages"] == HELLO["messages"]
    assert "content-encoding" not in sent.headers


def test_what_a_compressed_request_says_counts(guarded: Running, fresh: Provider) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "packed [abuse]"}]}).encode()
    _, _, answer = asked(guarded.url, "POST", "/v1/chat/completions", gzip.compress(body), {"content-encoding": "gzip"})
    assert json.loads(answer)["quitbutton"]["state"] == "redirected"


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(b" " * MEGA) for _ in range(size // MEGA)), packer.flush()])


BAD: dict[str, tuple[str, bytes, int, str]] = {
    "over the ratio": ("gzip", bomb(300 * MEGA), 413, "max_ratio"),
    "half": ("gzip", gzip.compress(BODY)[:-9], 400, "ends too early"),
    "no gzip": ("gzip", BODY, 400, "cannot be unpacked"),
    "zstd": ("zstd", BODY, 415, "gzip or deflate"),
    "br": ("br", BODY, 415, "gzip or deflate"),
    "two codings": ("gzip, gzip", gzip.compress(gzip.compress(BODY)), 415, "gzip or deflate"),
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"])
@pytest.mark.parametrize("name", BAD)
def test_a_body_that_cannot_be_unpacked_is_refused(guarded: Running, fresh: Provider, name: str, path: str) -> None:
    coding, body, status, says = BAD[name]
    got, _, answer = asked(guarded.url, "POST", path, body, {"content-encoding": coding})
    assert got == status
    assert says in told(answer)["message"]
    assert fresh.seen == []


def test_unpacked_it_may_be_as_large_as_any_other(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        words = "".join(f"{number} bottles of beer. " for number in range(4000))
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": words}]}).encode()
        packed = gzip.compress(body)
        assert len(packed) < 20_000 < 50_000 < len(body)
        headers = {"authorization": f"Bearer {CHAT}", "content-encoding": "gzip"}
        got = await gateway.client.post("/v1/chat/completions", content=packed, headers=headers)
        assert got.status_code == 413
        assert "max_body" in got.json()["error"]["message"]

    _inside(keyed(tmp_path, max_body=50_000), scene)


SLIPS = [
    ("/v1/chat/completions/", "/v1/chat/completions"),
    ("//v1/chat/completions", "/v1/chat/completions"),
    ("/v1//chat/completions", "/v1/chat/completions"),
    ("/v1/v1/chat/completions", "/v1/chat/completions"),
    ("/v1/v1/v1//chat/completions//", "/v1/chat/completions"),
    ("/v1/v1/messages", "/v1/messages"),
    ("/v1/responses/", "/v1/responses"),
    ("/v1/v1/embeddings/", "/v1/embeddings"),
    ("/v1//responses/resp_1/cancel", "/v1/responses/resp_1/cancel"),
]


@pytest.mark.parametrize(("written", "meant"), SLIPS)
def test_a_slip_in_a_base_url_is_served(guarded: Running, fresh: Provider, written: str, meant: str) -> None:
    body: dict[str, Any] = {**HELLO, "input": "hi", "max_tokens": 9}
    if meant == "/v1/messages":
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"}
        message |= {"content": [{"type": "text", "text": "Hi."}], "usage": {"input_tokens": 1, "output_tokens": 1}}
        fresh.answer = lambda _: whole(message)
    elif meant.startswith("/v1/responses"):
        fresh.answer = lambda _: whole({"id": "resp_1", "object": "response", "status": "completed", "output": []})
    status, _, answer = asked(guarded.url, "POST", written, json.dumps(body).encode())
    assert status == 200, answer
    assert fresh.seen[-1].path == meant


def test_a_slip_is_a_turn_as_any_other(guarded: Running, fresh: Provider) -> None:
    """No way round the ladder."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "slipped [abuse]"}]}).encode()
    _, _, answer = asked(guarded.url, "POST", "/v1/v1//chat/completions/", body)
    assert json.loads(answer)["quitbutton"]["state"] == "redirected"


@pytest.mark.parametrize("path", ["//v1/quitbutton/openapi.json", "/v1/v1/quitbutton/about", "//healthz", "//readyz"])
def test_paths_of_our_own_are_taken_as_they_are_written(guarded: Running, path: str) -> None:
    """A proxy in front may have rules for them, by their names."""
    assert asked(guarded.url, "GET", path)[0] == 404


WRONG = {
    "/chat/completions": "The path is /v1/chat/completions",
    "/openai/deployments/gpt/chat/completions": "The path is /v1/chat/completions",
    "/anthropic/v1/messages": "The path is /v1/messages: give the client this gateway's address without /v1",
    "/models": "The path is /v1/models",
    "/api/chat": "Ollama's own protocol is not spoken here",
    "/v1/files": "This call of a provider is not relayed",
    "/v1/images/generations": "This call of a provider is not relayed",
    "/v1/nonsense/": "This call of a provider is not relayed",
    "/nonsense": "To chat: POST /v1/chat/completions",
}


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_path_is_told_the_right_one(guarded: Running, fresh: Provider, path: str) -> None:
    status, _, answer = asked(guarded.url, "POST", path, BODY)
    assert (status, told(answer)["code"]) == (404, "not_found")
    assert WRONG[path] in told(answer)["message"]


def test_a_wrong_method_is_said_to_be_one(guarded: Running, fresh: Provider) -> None:
    status, headers, answer = asked(guarded.url, "POST", "/v1/responses/compact", BODY)
    assert (status, told(answer)["code"]) == (405, "method_not_allowed")
    assert "not relayed" in told(answer)["message"]
    assert "GET" in headers["allow"]


ORIGIN = "https://page.example"


@pytest.mark.parametrize("allowed", [("*",), (ORIGIN,), ("https://other.example",), ()])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/chat/completions/", "/v1/embeddings"])
def test_the_preflight_and_the_request_agree(tmp_path: Path, allowed: tuple[str, ...], path: str) -> None:
    async def scene(gateway: Inside) -> None:
        asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        before = await gateway.client.options(path, headers={"origin": ORIGIN, **asks})
        after = await gateway.ask("POST", path, {**HELLO, "input": "x"}, CHAT, origin=ORIGIN)
        may = bool({"*", ORIGIN} & set(allowed))
        assert (before.status_code == 200) is may
        assert (after.status_code == 200) is may
        assert after.status_code in (200, 403)
        for answer in (before, after):
            assert (answer.headers.get("access-control-allow-origin") in ("*", ORIGIN)) is may
        if may:
            assert "X-Quitbutton-State" in after.headers["access-control-expose-headers"]

    _inside(keyed(tmp_path, allowed_origins=allowed), scene)


def _inside(settings: Any, scene: Any) -> None:
    inside(settings, scene, upstream=ScriptedUpstream(lambda _: Line("Hello.")))
