"""A provider of identities for tests: a real HTTP server that speaks as much OpenID Connect as a sign-in needs."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, CLIENT_SECRET = "quitbutton", "client secret: with a % sign"


class Identities:
    """Signs everybody in who comes by, with the claims of `person`; `change` spoils what it says."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.person: dict[str, Any] = {"sub": "u-1", "email": "ann@example.org", "roles": ["staff", "qb-admins"]}
        self.change: Callable[[dict[str, Any], dict[str, Any]], None] = lambda header, claims: None
        self.signs_with: Any = None
        self.metadata_more: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.fetched_keys = 0
        self.forms: list[dict[str, str]] = []

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def approve(self, url: str) -> tuple[str, str]:
        """What a browser does at the provider: code and state of the way back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(self.issuer + "/authorize?")
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return code, asked["state"]

    async def metadata(self, request: web.Request) -> web.Response:
        paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        found = {name: f"{self.issuer}/{path}" for name, path in paths.items()}
        return web.json_response({"issuer": self.issuer, **found, **self.metadata_more})

    async def keys(self, request: web.Request) -> web.Response:
        self.fetched_keys += 1
        return web.json_response(KeySet([self.key]).as_dict(private=False))

    async def token(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self.forms.append(form)
        asked = self.codes.pop(form["code"], None)
        given = request.headers.get("authorization")
        basic = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")[2] if given else None
        secret = unquote(basic) if basic else form.get("client_secret")
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        proven = asked is not None and asked["code_challenge"] == challenge
        if not proven or secret != CLIENT_SECRET or asked["redirect_uri"] != form["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
        }
        header = {"alg": "RS256", "kid": self.key.kid}
        self.change(header, claims)
        signed = jwt.encode(header, claims, self.signs_with or self.key, algorithms=[header["alg"]])
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": signed})


@asynccontextmanager
async def identities() -> AsyncIterator[Identities]:
    """A running one."""
    one = Identities()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", one.metadata)
    app.router.add_get("/keys", one.keys)
    app.router.add_post("/token", one.token)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    one.port = runner.addresses[0][1]
    try:
        yield one
    finally:
        await runner.cleanup()
