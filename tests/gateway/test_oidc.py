"""Signing in with a provider of identities: the way there and back, and everything that must not sign anybody in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey
from tests.gateway.identities import CLIENT, CLIENT_SECRET, Identities, identities
from tests.gateway.inside import Inside, keyed

from quitbutton.core.errors import Forbidden, SettingsError
from quitbutton.core.keys import Role
from quitbutton.core.oidc import OidcSettings, name_of, role_of
from quitbutton.gateway.app import create_app
from quitbutton.gateway.routes.oidc import provider_of

SESSION = "/v1/quitbutton/session"
THERE, BACK = SESSION + "/oidc", SESSION + "/oidc/callback"
KEYS, JUDGES = "/v1/quitbutton/keys", "/v1/quitbutton/judges"
TABLE = """
public_url = "http://127.0.0.1:8808"
[oidc]
issuer = "https://id.example"
client_id = "quitbutton"
client_secret_env = "TEST_OIDC_SECRET"
operators = ["qb-admins"]
auditors = ["qb-readers"]
landing = "/console"
"""

Scene = Callable[[Inside, Identities], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Scene], None]:
    """Runs a scene with a gateway that trusts a provider."""
    monkeypatch.setenv("TEST_OIDC_SECRET", CLIENT_SECRET)

    async def run(scene: Scene) -> None:
        async with identities() as provider:
            settings = keyed(tmp_path, TABLE)
            assert settings.oidc is not None
            app = create_app(replace(settings, oidc=replace(settings.oidc, issuer=provider.issuer)))
            await app.start()
            try:
                transport = httpx.ASGITransport(app)
                base = "http://127.0.0.1:8808"
                async with httpx.AsyncClient(transport=transport, base_url=base, trust_env=False) as client:
                    await scene(Inside(app, client), provider)
            finally:
                await app.stop()

    return lambda scene: asyncio.run(run(scene))


async def go(gateway: Inside, provider: Identities) -> httpx.Response:
    """The whole way there and back."""
    there = await gateway.ask("GET", THERE)
    assert there.status_code == 302, there.text
    code, state = provider.approve(there.headers["location"])
    return await gateway.ask("GET", f"{BACK}?code={code}&state={state}")


def test_somebody_signs_in_and_has_the_role_of_their_claim(play: Callable[[Scene], None]) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        back = await go(gateway, provider)
        assert (back.status_code, back.headers["location"]) == (303, "/console"), back.text
        cookies = back.headers.get_list("set-cookie")
        assert any(one.startswith("quitbutton_session=") and "SameSite=Strict" in one for one in cookies)
        assert any(one.startswith("quitbutton_sign_in=;") and "Max-Age=0" in one for one in cookies)
        who = (await gateway.ask("GET", SESSION)).json()
        assert (who["name"], who["role"], who["oidc"]) == ("ann@example.org", "operator", True)
        token = {"x_quitbutton_csrf": who["csrf_token"]}
        made = await gateway.ask("POST", KEYS, {"name": "x"}, **token)
        assert (made.status_code, made.json()["created_by"]) == (201, "ann@example.org")
        assert (await gateway.ask("POST", KEYS, {"name": "x"})).status_code == 403
        assert (await gateway.ask("DELETE", SESSION, **token)).status_code == 204
        assert (await gateway.ask("GET", KEYS)).status_code == 401
        (form,) = provider.forms
        assert "client_secret" not in form, "the secret goes into the header, as the provider says nothing else"

    play(scene)


def test_an_auditor_reads_and_changes_nothing(play: Callable[[Scene], None]) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        provider.person["roles"] = "qb-readers"
        provider.metadata_more = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        assert (await go(gateway, provider)).status_code == 303
        assert provider.forms[0]["client_secret"] == CLIENT_SECRET
        statuses = [(await gateway.ask("GET", path)).status_code for path in (JUDGES, KEYS)]
        assert statuses == [200, 403]

    play(scene)


@pytest.mark.parametrize("roles", [None, [], ["staff"], {"qb-admins": True}, 7])
def test_without_a_role_nobody_comes_in(play: Callable[[Scene], None], roles: object) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        provider.person["roles"] = roles
        back = await go(gateway, provider)
        assert (back.status_code, back.headers.get_list("set-cookie")) == (403, [])
        assert (await gateway.ask("GET", JUDGES)).status_code == 401

    play(scene)


SPOILED: dict[str, Callable[[Identities], Callable[[dict[str, Any], dict[str, Any]], None]]] = {
    "another issuer": lambda provider: lambda header, claims: claims.update(iss="https://evil.example"),
    "another client": lambda provider: lambda header, claims: claims.update(aud="other"),
    "shared with others": lambda provider: lambda header, claims: claims.update(aud=[CLIENT, "other"]),
    "meant for another": lambda provider: lambda header, claims: claims.update(aud=[CLIENT, "other"], azp="other"),
    "too old": lambda provider: lambda header, claims: claims.update(exp=claims["iat"] - 100),
    "no end": lambda provider: lambda header, claims: claims.pop("exp"),
    "another nonce": lambda provider: lambda header, claims: claims.update(nonce="x"),
    "no nonce": lambda provider: lambda header, claims: claims.pop("nonce"),
    "nobody": lambda provider: lambda header, claims: claims.pop("sub"),
    "another key": lambda provider: (
        lambda header, claims: vars(provider).update(signs_with=RSAKey.generate_key(2048, {"kid": "one"}))
    ),
    "an unknown key": lambda provider: lambda header, claims: header.update(kid="two"),
    "a shared secret": lambda provider: (
        lambda header, claims: (
            header.update(alg="HS256"),
            vars(provider).update(signs_with=OctKey.import_key("x" * 32, {"kid": "one"})),
        )[0]
    ),
}


@pytest.mark.parametrize("fault", list(SPOILED))
def test_a_token_that_does_not_hold_signs_nobody_in(play: Callable[[Scene], None], fault: str) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        provider.change = SPOILED[fault](provider)
        back = await go(gateway, provider)
        assert (back.status_code, back.headers.get_list("set-cookie")) == (401, []), back.text
        assert (await gateway.ask("GET", SESSION)).json()["name"] is None

    play(scene)


def test_the_way_back_works_once_in_the_browser_that_began_it_and_not_too_late(play: Callable[[Scene], None]) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        there = await gateway.ask("GET", THERE)
        cookie = there.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Lax", f"Path={THERE}", "Max-Age=600"} <= set(cookie.split("; "))
        code, state = provider.approve(there.headers["location"])
        gateway.client.cookies.clear()
        own = {"cookie": cookie.partition(";")[0]}
        back = f"{BACK}?code={code}&state={state}"
        for headers in ({}, {"cookie": "quitbutton_sign_in=x"}):
            assert (await gateway.ask("GET", back, **headers)).status_code == 401
        assert (await gateway.ask("GET", f"{BACK}?code={code}&state=x", **own)).status_code == 401
        assert (await gateway.ask("GET", back, **own)).status_code == 303
        assert (await gateway.ask("GET", back, **own)).status_code == 401, "once"
        there = await gateway.ask("GET", THERE)
        code, state = provider.approve(there.headers["location"])
        door = gateway.app.services.authenticator
        now = door.now
        door.now = lambda: now() + 601
        assert (await gateway.ask("GET", f"{BACK}?code={code}&state={state}")).status_code == 401

    play(scene)


def test_a_refusal_and_a_wrong_code_are_told(play: Callable[[Scene], None]) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        for query in ("error=access_denied", "code=", "code=wrong"):
            _, state = provider.approve((await gateway.ask("GET", THERE)).headers["location"])
            back = await gateway.ask("GET", f"{BACK}?{query}&state={state}")
            assert (back.status_code, "anew" in back.text) == (401, True)

    play(scene)


def test_new_keys_of_the_provider_are_fetched_when_they_are_first_seen(play: Callable[[Scene], None]) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        assert (await go(gateway, provider)).status_code == 303
        assert (await go(gateway, provider)).status_code == 303
        assert provider.fetched_keys == 1
        provider.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
        assert (await go(gateway, provider)).status_code == 303
        assert provider.fetched_keys == 2

    play(scene)


@pytest.mark.parametrize(
    "more",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
)
def test_a_provider_that_is_not_itself_is_not_trusted(play: Callable[[Scene], None], more: dict[str, Any]) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        provider.metadata_more = more
        assert (await gateway.ask("GET", THERE)).status_code == 502

    play(scene)


def test_sign_ins_from_one_address_are_limited(play: Callable[[Scene], None]) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        statuses = [(await gateway.ask("GET", THERE)).status_code for _ in range(22)]
        assert (statuses[:20], statuses[20:]) == ([302] * 20, [429] * 2)

    play(scene)


def test_a_session_ends_when_the_provider_is_no_longer_in_the_settings(play: Callable[[Scene], None]) -> None:
    async def scene(gateway: Inside, provider: Identities) -> None:
        assert (await go(gateway, provider)).status_code == 303
        assert (await gateway.ask("GET", JUDGES)).status_code == 200
        door = gateway.app.services.authenticator
        door.settings = replace(door.settings, oidc=None)
        assert (await gateway.ask("GET", JUDGES)).status_code == 401

    play(scene)


def test_roles_and_names_are_read_from_claims() -> None:
    settings = OidcSettings("https://id.example", "c", role_claim="realm_access.roles", operators=("boss",))
    assert role_of({"realm_access": {"roles": ["x", "boss"]}}, settings) is Role.OPERATOR
    assert role_of({"realm_access.roles": ["boss"]}, settings) is Role.OPERATOR
    for claims in ({}, {"realm_access": "boss"}, {"realm_access": {"roles": [["boss"]]}}, {"realm_access": None}):
        with pytest.raises(Forbidden, match="realm_access"):
            role_of(claims, settings)
    assert name_of({"sub": "u", "email": "a\nb" + "c" * 200}, settings) == "ab" + "c" * 78
    assert name_of({"sub": "u", "email": 3}, settings) == "u"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('issuer = "http://id.example"\nclient_id = "c"\noperators = ["x"]', "https"),
        ('issuer = "https://id.example"\noperators = ["x"]', "client_id"),
        ('issuer = "https://id.example"\nclient_id = "c"', "operators"),
        ('issuer = "https://id.example"\nclient_id = "c"\noperators = ["x"]\nscopes = ["email"]', "openid"),
        ('issuer = "https://id.example"\nclient_id = "c"\noperators = ["x"]\nlanding = "//evil.example"', "landing"),
        ('issuer = "https://id.example"\nclient_id = "c"\noperator = ["x"]', "did you mean `operators`"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        keyed(tmp_path, "[oidc]\n" + text)


def test_what_is_missing_is_said_at_the_start(tmp_path: Path) -> None:
    settings = keyed(tmp_path, TABLE)
    with pytest.raises(SettingsError, match="TEST_OIDC_SECRET"):
        provider_of(settings, {})
    with pytest.raises(SettingsError, match="public_url"):
        replace(settings, host="0.0.0.0", public_url=None)
