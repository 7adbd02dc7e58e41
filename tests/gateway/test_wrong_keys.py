"""Wrong bearer keys are slowed, by address and overall; right keys never feel it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.conftest import Running
from tests.gateway.inside import CHAT, HELLO, OPERATOR, OTHER, Inside, inside, keyed

from quitbutton.gateway.limits import FREE_TRIES, FREE_TRIES_OVERALL
from quitbutton.upstreams.scripted import Line, ScriptedUpstream

PATHS = ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings", "/v1/models")


def hello() -> ScriptedUpstream:
    return ScriptedUpstream(lambda sent: Line("Hello."))


@pytest.mark.parametrize("path", PATHS)
def test_after_a_few_wrong_keys_an_address_has_to_wait(tmp_path: Path, path: str) -> None:
    async def scene(gateway: Inside) -> None:
        method, body = ("GET", None) if path == "/v1/models" else ("POST", HELLO)
        found = [await gateway.ask(method, path, body, f"wrong-key-{one}") for one in range(FREE_TRIES + 3)]
        assert [one.status_code for one in found] == [401] * FREE_TRIES + [429] * 3
        assert int(found[-1].headers["retry-after"]) >= 1
        error = found[-1].json()["error"]
        assert (error["code"], "wrong keys" in error["message"]) == ("rate_limit_exceeded", True)

    inside(keyed(tmp_path), scene)


def test_the_wait_grows_and_ends(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        now, waits = {"now": 1000.0}, []
        gateway.app.services.authenticator.wrong_keys.clock = lambda: now["now"]
        for _ in range(FREE_TRIES):
            await gateway.ask("POST", PATHS[0], HELLO, "wrong")
        for _ in range(4):
            waits.append(int((await gateway.ask("POST", PATHS[0], HELLO, "wrong")).headers["retry-after"]))
            now["now"] += waits[-1]
            assert (await gateway.ask("POST", PATHS[0], HELLO, "wrong")).status_code == 401
        assert waits == [1, 2, 4, 8]

    inside(keyed(tmp_path), scene)


def test_right_keys_are_unaffected_and_a_guess_learns_nothing_before_its_time(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        made = await gateway.make("shop", "chat")
        assert (await gateway.ask("POST", PATHS[0], HELLO, CHAT)).status_code == 200
        for _ in range(FREE_TRIES + 1):
            refused = await gateway.ask("POST", PATHS[0], HELLO, "wrong")
        assert refused.status_code == 429
        for key in (CHAT, made["secret"]):
            assert (await gateway.ask("POST", PATHS[0], HELLO, key)).status_code == 200
        assert (await gateway.ask("GET", "/v1/quitbutton/keys", key=OPERATOR)).status_code == 200
        guessed = await gateway.ask("POST", PATHS[0], HELLO, OTHER)
        assert (guessed.status_code, guessed.text) == (429, refused.text), "made up by people, never seen before"

    inside(keyed(tmp_path), scene, upstream=hello())


def test_many_addresses_together_wait_too(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        async def ask_from(address: str, key: str) -> httpx.Response:
            transport = httpx.ASGITransport(gateway.app, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8808") as client:
                headers = {"authorization": f"Bearer {key}"}
                return await client.post(PATHS[0], content=json.dumps(HELLO), headers=headers)

        assert (await ask_from("192.0.2.1", CHAT)).status_code == 200
        addresses = [f"198.51.100.{one}" for one in range(FREE_TRIES_OVERALL + 5)]
        found = [(await ask_from(one, "wrong")).status_code for one in addresses]
        assert found == [401] * FREE_TRIES_OVERALL + [429] * 5
        assert (await ask_from(addresses[0], CHAT)).status_code == 200
        assert (await gateway.ask("POST", "/v1/quitbutton/session", {"key": OPERATOR})).status_code == 200, "apart"

    inside(keyed(tmp_path), scene, upstream=hello())


def test_where_no_key_is_asked_for_none_is_wrong(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        for one in range(FREE_TRIES_OVERALL + 5):
            assert (await gateway.ask("POST", PATHS[0], HELLO, f"sk-{one}")).status_code == 200

    inside(keyed(tmp_path, api_keys=(), operator_keys=()), scene, upstream=hello())


@pytest.mark.parametrize("trusted", [False, True])
def test_a_made_up_forwarded_address_is_no_way_round(
    start_gateway: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    """From a stranger the header says nothing; from a trusted proxy it names addresses, and all together have their limit."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1" if trusted else "192.0.2.1")
    file = tmp_path / "quitbutton.toml"
    file.write_text(f'upstream = "http://127.0.0.1:9/v1"\nassessor = "scripted"\napi_keys = ["{CHAT}"]')
    gateway = start_gateway("--config", str(file))
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    found = []
    for one in range(FREE_TRIES_OVERALL + 5):
        headers = {"authorization": "Bearer wrong", "x-forwarded-for": f"198.51.100.{one}"}
        connection.request("GET", "/v1/models", headers=headers)
        reply = connection.getresponse()
        reply.read()
        found.append(reply.status)
    connection.close()
    free = FREE_TRIES_OVERALL if trusted else FREE_TRIES
    assert found[:free] == [401] * free
    assert found.count(429) >= 5
    # A second may pass meanwhile, so that one more try is free.
    assert set(found[free:]) <= {401, 429}
    assert found[free:].count(401) <= 3
