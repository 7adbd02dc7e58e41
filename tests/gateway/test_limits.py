"""Limits and policies of a key and of a route, and what a client is told, in its own protocol."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.gateway.inside import CHAT, HELLO, OPERATOR, OTHER, Inside, inside, keyed

from quitbutton.core.errors import RateLimited, SettingsError
from quitbutton.gateway.limits import (
    FREE_TRIES,
    FREE_TRIES_OVERALL,
    LONGEST_WAIT,
    REMEMBERED,
    LoginThrottle,
    RateLimits,
)
from quitbutton.settings.installation import load
from quitbutton.upstreams.scripted import Line, ScriptedUpstream

WICKED = {"model": "m", "messages": [{"role": "user", "content": "[abuse]"}]}
POLICIES = """
[policy]
redirections = 4
[policies.watched]
mode = "shadow"
[policies.german]
locale = "de"
speaker = "gateway"
assist = true
[routes]
"""


def hello() -> ScriptedUpstream:
    return ScriptedUpstream(lambda sent: Line("Hello."))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_requests_may_come_at_once_and_are_refilled_evenly() -> None:
    clock = Clock()
    limits = RateLimits(clock)
    for _ in range(6):
        limits.take("a", 6)
    with pytest.raises(RateLimited) as refused:
        limits.take("a", 6)
    assert refused.value.retry_after == 10
    limits.take("b", 6)
    limits.take("c", 0)
    clock.now += 9.9
    with pytest.raises(RateLimited) as refused:
        limits.take("a", 6)
    assert refused.value.retry_after == 1
    clock.now += 0.2
    limits.take("a", 6)
    with pytest.raises(RateLimited):
        limits.take("a", 6)
    clock.now += 3600
    for _ in range(6):
        limits.take("a", 6)
    with pytest.raises(RateLimited):
        limits.take("a", 6)


def test_what_is_counted_is_bounded() -> None:
    limits, guesses = RateLimits(Clock()), LoginThrottle(Clock())
    for place in range(REMEMBERED + 50):
        limits.take(str(place), 1)
        guesses.wrong(str(place))
    assert len(limits._buckets) == len(guesses._tries) == REMEMBERED


def test_guessing_waits_longer_and_longer() -> None:
    clock = Clock()
    guesses = LoginThrottle(clock)
    waits = []
    for _ in range(FREE_TRIES):
        guesses.check("a")
        guesses.wrong("a")
    for _ in range(12):
        with pytest.raises(RateLimited) as refused:
            guesses.check("a")
        waits.append(refused.value.retry_after)
        guesses.check("b")
        clock.now += refused.value.retry_after
        guesses.check("a")
        guesses.wrong("a")
    assert waits == sorted(waits)
    assert (waits[:4], waits[-1]) == ([1, 2, 4, 8], LONGEST_WAIT)
    guesses.right("a")
    guesses.check("a")


def test_guessing_from_many_addresses_slows_sign_ins_down_but_never_for_long() -> None:
    clock = Clock()
    guesses = LoginThrottle(clock)
    for place in range(FREE_TRIES_OVERALL + 30):
        guesses.wrong(str(place))
    guesses.check("new")
    with pytest.raises(RateLimited) as refused:
        guesses.check("new", overall=True)
    assert refused.value.retry_after <= 10
    clock.now += refused.value.retry_after
    guesses.check("new", overall=True)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/chat/completions", ("error", "rate_limit_exceeded")),
        ("/v1/messages", ("rate_limit_error", "rate_limit_exceeded")),
        ("/v1/responses", ("error", "rate_limit_exceeded")),
        ("/v1/embeddings", ("error", "rate_limit_exceeded")),
        ("/v1/models", ("error", "rate_limit_exceeded")),
    ],
)
def test_too_many_requests_are_refused_with_a_time_to_wait(tmp_path: Path, path: str, kind: tuple[str, str]) -> None:
    async def scene(gateway: Inside) -> None:
        made = await gateway.make("shop", "chat", requests_per_minute=2)
        method = "GET" if path == "/v1/models" else "POST"
        for _ in range(2):
            assert (await gateway.ask(method, path, HELLO, made["secret"])).status_code != 429
        refused = await gateway.ask(method, path, HELLO, made["secret"])
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (429, kind[1])
        assert 1 <= int(refused.headers["retry-after"]) <= 30
        assert "requests_per_minute" in error["message"]
        if path == "/v1/messages":
            assert (refused.json()["type"], error["type"]) == ("error", kind[0])
        assert (await gateway.ask(method, path, HELLO, CHAT)).status_code != 429, "other keys go on"
        stop = await gateway.ask("POST", "/v1/quitbutton/stop/req_x", key=made["secret"])
        assert stop.status_code == 404, "a stop is never refused for its rate"

    inside(keyed(tmp_path), scene, upstream=hello())


def test_the_setting_holds_where_a_key_says_nothing(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        made = await gateway.make("own", "chat", requests_per_minute=5)
        for key, most in ((CHAT, 3), (made["secret"], 5)):
            statuses = [(await gateway.ask("POST", "/v1/chat/completions", HELLO, key)).status_code for _ in range(6)]
            assert statuses == [200] * most + [429] * (6 - most)

    inside(keyed(tmp_path, requests_per_minute=3), scene, upstream=hello())


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings"])
def test_a_body_over_the_keys_limit_is_refused_by_its_name(tmp_path: Path, path: str) -> None:
    async def scene(gateway: Inside) -> None:
        small, big = await gateway.make("small", "chat", max_body=200), await gateway.make("big", "chat", max_body=9999)
        body = {**HELLO, "pad": "x" * 200}
        refused = await gateway.ask("POST", path, body, small["secret"])
        assert (refused.status_code, "retry-after" in refused.headers) == (413, False)
        assert "200 bytes (max_body of this key)" in refused.json()["error"]["message"]
        assert (await gateway.ask("POST", path, body, big["secret"])).status_code != 413
        over = await gateway.ask("POST", path, {**body, "more": "x" * 300}, big["secret"])
        assert (over.status_code, "500 bytes (setting max_body)" in over.text) == (413, True), "the setting caps it"

    inside(keyed(tmp_path, max_body=500), scene, upstream=hello())


def test_a_key_and_a_route_have_policies_of_their_own(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        watched = await gateway.make("watched", "chat", policy="watched")
        plain = await gateway.ask("POST", "/v1/chat/completions", WICKED, CHAT)
        quiet = await gateway.ask("POST", "/v1/chat/completions", WICKED, watched["secret"])
        assert plain.json()["quitbutton"]["state"] == "redirected"
        assert "quitbutton" not in quiet.json(), "shadow shows nothing"
        message = {**WICKED, "max_tokens": 9}
        german = await gateway.ask("POST", "/v1/messages", message, OTHER)
        assert "nicht" in german.json()["content"][0]["text"]
        silent = await gateway.ask("POST", "/v1/messages", message, watched["secret"])
        assert "quitbutton" not in silent.json(), "the key's policy goes before the route's"
        made = gateway.app.services.guards.made.values()
        assert all(guard.under_way is gateway.app.services.guard.under_way for guard in made), (
            "an end cuts turns of all"
        )
        policies = {guard.policy.digest for guard in made}
        assert policies == {policy.digest for policy in gateway.app.settings.policies.values()}

    text = POLICIES + '"/v1/messages" = "german"\n'
    settings = keyed(tmp_path, text)
    assert settings.policies["watched"].redirections == 4, "what it leaves out is as in [policy]"
    reply = {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "usage": {}}
    raw = json.dumps({**reply, "content": [{"type": "text", "text": "Hello."}]}).encode()
    lines = ScriptedUpstream(lambda sent: Line(raw=raw) if "max_tokens" in sent else Line("Hello."))
    inside(settings, scene, upstream=lines)


def test_a_key_whose_policy_has_gone_says_so(tmp_path: Path) -> None:
    made: dict[str, str] = {}

    async def make(gateway: Inside) -> None:
        made.update(await gateway.make("watched", "chat", policy="watched"))

    async def ask(gateway: Inside) -> None:
        answer = await gateway.ask("POST", "/v1/chat/completions", HELLO, made["secret"])
        assert (answer.status_code, "[policies.watched]" in answer.text) == (500, True)

    inside(keyed(tmp_path, POLICIES), make)
    inside(keyed(tmp_path), ask)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[policies.x]\nmode = 3", r"policies.x.*mode"),
        ("[policies.X]", "lower-case"),
        ("[policies.x]\nredirections = 0", "from 1 to 100"),
        ('[routes]\n"/v1/messages" = "none"', r"no \[policies.none\]"),
        ('[policies.x]\n[routes]\n"/v1/embeddings" = "x"', "is not one of"),
        ('[policies.x]\ncorroboration = "judge"', "judge"),
    ],
)
def test_wrong_policies_are_named(tmp_path: Path, text: str, word: str) -> None:
    async def nothing(gateway: Inside) -> None: ...

    with pytest.raises(SettingsError, match=word):
        inside(keyed(tmp_path, text), nothing)


def test_the_embedded_models_named_policies_climb_by_themselves_too(tmp_path: Path) -> None:
    file = tmp_path / "quitbutton.toml"
    file.write_text("[policies.mild]\nredirections = 5\n")
    mild = load(file, {}).policies["mild"]
    assert (mild.assist, mild.speaker, mild.redirections) == (True, "gateway", 5)


def test_operators_keys_are_no_chat_keys_and_never_go_upstream(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        upstream = gateway.app.upstream
        answer = await gateway.ask("POST", "/v1/chat/completions", HELLO, OPERATOR)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
        gone = await gateway.make("gone", "operator")
        await gateway.app.services.authenticator.keys.revoke(gone["id"], "ann", 1.0)
        answer = await gateway.ask("POST", "/v1/chat/completions", HELLO, gone["secret"])
        assert (answer.status_code, "revoked" in answer.text) == (401, True)
        assert upstream.sent == []
        assert (await gateway.ask("POST", "/v1/chat/completions", HELLO, "sk-of-a-provider")).status_code == 200

    inside(keyed(tmp_path, api_keys=()), scene, upstream=hello())
