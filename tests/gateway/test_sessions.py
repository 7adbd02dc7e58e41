"""Signing in to the console: the cookie, its token, its end, and what somebody who guesses learns."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.gateway.inside import CHAT, OPERATOR, Inside, inside, keyed

from quitbutton.gateway.limits import FREE_TRIES

SESSION, KEYS = "/v1/quitbutton/session", "/v1/quitbutton/keys"


def test_a_session_is_a_cookie_that_scripts_cannot_read_and_other_sites_cannot_send(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        opened = await gateway.ask("POST", SESSION, {"key": OPERATOR})
        cookie = opened.headers["set-cookie"]
        secure = gateway.client.base_url.scheme == "https"
        assert cookie.startswith("__Host-quitbutton_session=" if secure else "quitbutton_session=")
        parts = set(cookie.split("; ")[1:])
        assert {"Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"} | ({"Secure"} if secure else set()) == parts
        assert (opened.json()["role"], opened.headers["cache-control"]) == ("operator", "no-store")
        who = await gateway.ask("GET", SESSION)
        assert who.json() == opened.json(), "a page that was loaded anew learns its token again"
        assert (await gateway.ask("GET", KEYS)).status_code == 200
        assert (await gateway.ask("POST", KEYS, {"name": "x"})).status_code == 403
        token = {"x_quitbutton_csrf": opened.json()["csrf_token"]}
        assert (await gateway.ask("POST", KEYS, {"name": "x"}, **token)).status_code == 201

    inside(keyed(tmp_path), scene)
    inside(keyed(tmp_path), scene, base="https://chat.example")
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"quitbutton_session" not in stored


def test_signing_out_needs_the_token_and_ends_the_session_for_good(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        headers = await gateway.sign_in(OPERATOR)
        assert (await gateway.ask("DELETE", SESSION, cookie=headers["cookie"])).status_code == 403
        out = await gateway.ask("DELETE", SESSION, **headers)
        assert (out.status_code, "Max-Age=0" in out.headers["set-cookie"]) == (204, True)
        assert (await gateway.ask("GET", KEYS, **headers)).status_code == 401
        assert (await gateway.ask("DELETE", SESSION, **headers)).status_code == 204
        assert (await gateway.ask("GET", SESSION)).json() == {
            "name": None,
            "role": None,
            "csrf_token": None,
            "oidc": False,
        }

    inside(keyed(tmp_path), scene)


def test_one_sessions_token_is_worth_nothing_to_another(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        one, two = await gateway.sign_in(OPERATOR), await gateway.sign_in(OPERATOR)
        mixed = {"cookie": one["cookie"], "x-quitbutton-csrf": two["x-quitbutton-csrf"]}
        assert (await gateway.ask("POST", KEYS, {"name": "x"}, **mixed)).status_code == 403
        for wrong in ("", "é", "x" * 64):
            headers = {"cookie": one["cookie"].encode(), "x-quitbutton-csrf": wrong.encode()}
            answer = await gateway.client.request("POST", KEYS, content=b'{"name":"x"}', headers=headers)
            assert answer.status_code == 403

    inside(keyed(tmp_path), scene)


def test_a_session_ends_when_it_is_left_alone_and_in_any_case(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        sessions = gateway.app.services.authenticator.sessions
        clock = {"now": 1000.0}
        sessions.now = lambda: clock["now"]
        headers = await gateway.sign_in(OPERATOR)

        async def status(after: float) -> int:
            clock["now"] += after
            return (await gateway.ask("GET", KEYS, **headers)).status_code

        assert [await status(after) for after in (99, 99, 99, 101)] == [200, 200, 200, 401]
        headers = await gateway.sign_in(OPERATOR)
        assert [await status(90) for _ in range(7)] == [200] * 5 + [401] * 2

    inside(keyed(tmp_path, session_idle=100.0, session_lifetime=500.0), scene)


def test_a_session_ends_with_its_key(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        made = await gateway.make("ann", "auditor")
        headers = await gateway.sign_in(made["secret"])
        who = (await gateway.ask("GET", SESSION, cookie=headers["cookie"])).json()
        assert (who["name"], who["role"]) == ("ann", "auditor")
        await gateway.ask("DELETE", f"{KEYS}/{made['id']}", key=OPERATOR)
        assert (await gateway.ask("GET", "/v1/quitbutton/judges", **headers)).status_code == 401

    inside(keyed(tmp_path), scene)


def test_a_page_of_another_site_cannot_sign_in_or_use_a_session(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        headers = await gateway.sign_in(OPERATOR)
        foreign = {"origin": "https://evil.example"}
        assert (await gateway.ask("POST", SESSION, {"key": OPERATOR}, **foreign)).status_code == 403
        assert (await gateway.ask("GET", KEYS, **headers, **foreign)).status_code == 403

    inside(keyed(tmp_path), scene)


def test_a_key_that_does_not_sign_in_is_answered_in_one_way(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        gone = await gateway.make("gone", "operator")
        await gateway.ask("DELETE", f"{KEYS}/{gone['id']}", key=OPERATOR)
        answers = {
            ((one := await gateway.ask("POST", SESSION, {"key": key})).status_code, one.text)
            for key in ("", "wrong", CHAT, gone["secret"])
        }
        assert len(answers) == 1
        assert next(iter(answers))[0] == 401
        for body in (None, {}, {"key": 3}, {"key": "x", "more": 1}, []):
            assert (await gateway.ask("POST", SESSION, body)).status_code == 400

    inside(keyed(tmp_path), scene)


@pytest.mark.parametrize("door", ["sign-in", "bearer"])
def test_whoever_guesses_has_to_wait_whatever_key_comes_next(tmp_path: Path, door: str) -> None:
    async def scene(gateway: Inside) -> None:
        async def knock(key: str) -> tuple[int, str | None]:
            if door == "bearer":
                answer = await gateway.ask("GET", KEYS, key=key)
            else:
                answer = await gateway.ask("POST", SESSION, {"key": key})
            return answer.status_code, answer.headers.get("retry-after")

        headers = await gateway.sign_in(OPERATOR)
        keeper, now = gateway.app.services.authenticator, {"now": 0.0}
        guesses = keeper.wrong_keys if door == "bearer" else keeper.guesses
        guesses.clock = lambda: now["now"]
        assert [await knock("wrong") for _ in range(FREE_TRIES)] == [(401, None)] * FREE_TRIES
        assert await knock(OPERATOR) == await knock("wrong") == (429, "1"), "the right key tells nothing either"
        assert (await gateway.ask("GET", KEYS, **headers)).status_code == 200, "who is signed in goes on"
        now["now"] += 1
        assert (await knock(OPERATOR))[0] == 200

    inside(keyed(tmp_path), scene)


def test_guessing_at_once_is_no_faster(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        keys = gateway.app.services.authenticator.keys
        found = keys.by_digest

        async def slowly(digest: str) -> object:
            await asyncio.sleep(0.05)
            return await found(digest)

        keys.by_digest = slowly
        answers = await asyncio.gather(*(gateway.ask("POST", SESSION, {"key": str(one)}) for one in range(40)))
        assert sorted(answer.status_code for answer in answers) == [401] * FREE_TRIES + [429] * (40 - FREE_TRIES)

    inside(keyed(tmp_path), scene)


def test_on_this_machine_without_keys_nobody_signs_in(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        who = await gateway.ask("GET", SESSION)
        assert who.json() == {"name": "this machine", "role": "operator", "csrf_token": None, "oidc": False}

    inside(keyed(tmp_path, api_keys=(), operator_keys=()), scene)
