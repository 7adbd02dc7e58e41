"""A provider of identities over OpenID Connect: where the browser goes, and who comes back. Needs the extra `oidc`."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from quitbutton.core.errors import NotAllowed, UpstreamFailed
from quitbutton.core.keys import LOOPBACK
from quitbutton.core.oidc import ALGORITHMS, OidcSettings, authorization_url, is_safe

KEPT_SECONDS = 3600.0
"""How long the provider's metadata and keys are kept."""
TIMEOUT = aiohttp.ClientTimeout(total=10)
LARGEST_ANSWER = 1024 * 1024
LEEWAY = 60
"""Seconds by which the provider's clock may be off."""


@dataclass(slots=True)
class Provider:
    """The provider, as its own metadata describes it."""

    settings: OidcSettings
    redirect: str
    """Where the provider sends the browser back."""
    client_secret: str | None = field(default=None, repr=False)
    now: Callable[[], float] = time.time
    _session: aiohttp.ClientSession | None = None
    _metadata: dict[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None
    _fetched_at: float = 0.0

    async def begin(self, state: str, nonce: str, verifier: str) -> str:
        """The URL at which the browser signs in. Raises `UpstreamFailed`."""
        await self._learn()
        endpoint = self._endpoint("authorization_endpoint")
        return authorization_url(endpoint, self.settings, self.redirect, state, nonce, verifier)

    async def finish(self, code: str, nonce: str, verifier: str) -> Mapping[str, object]:
        """The claims of whoever came back with this code. Raises `NotAllowed` or `UpstreamFailed`."""
        await self._learn()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect}
        form |= {"client_id": self.settings.client_id, "code_verifier": verifier}
        headers: dict[str, str] = {}
        if self.client_secret is not None:
            ways = self._metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if "client_secret_basic" in ways:
                headers["authorization"] = _basic(self.settings.client_id, self.client_secret)
            else:
                form["client_secret"] = self.client_secret
        answer = await self._ask("POST", self._endpoint("token_endpoint"), data=form, headers=headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotAllowed("The provider of identities did not vouch for this sign-in. Begin anew.")
        claims = await self._claims(token)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise NotAllowed("The provider's answer belongs to another sign-in. Begin anew.")
        return claims

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            try:
                found = jwt.decode(token, await self._key_set(), algorithms=ALGORITHMS)
            except InvalidKeyIdError:  # the provider may have new keys
                found = jwt.decode(token, await self._key_set(anew=True), algorithms=ALGORITHMS)
            essential = {"sub": {"essential": True}, "exp": {"essential": True}, "iat": {"essential": True}}
            registry = jwt.JWTClaimsRegistry(
                now=int(self.now()),
                leeway=LEEWAY,
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "value": self.settings.client_id},
                **essential,  # type: ignore[arg-type]
            )
            registry.validate(found.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise NotAllowed(f"The provider's id token does not hold: {type(error).__name__}. Begin anew.") from error
        audience, own = found.claims["aud"], self.settings.client_id
        is_shared = isinstance(audience, list) and len(audience) > 1
        if found.claims.get("azp", "" if is_shared else own) != own:
            raise NotAllowed("The provider's id token is for another client. Begin anew.")
        return found.claims

    async def _key_set(self, anew: bool = False) -> KeySet:
        if self._keys is None or anew:
            answer = await self._ask("GET", self._endpoint("jwks_uri"))
            try:
                self._keys = KeySet.import_key_set(answer)  # type: ignore[arg-type]
            except (JoseError, LookupError, TypeError, ValueError) as error:
                raise UpstreamFailed("The provider of identities has no keys that can be read.") from error
        return self._keys

    async def _learn(self) -> None:
        if self._metadata and self.now() < self._fetched_at + KEPT_SECONDS:
            return
        issuer = self.settings.issuer
        found = await self._ask("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise UpstreamFailed(f"The provider calls itself {found.get('issuer')!r}; [oidc] issuer must be the same.")
        self._metadata, self._keys, self._fetched_at = found, None, self.now()

    def _endpoint(self, name: str) -> str:
        url = self._metadata.get(name)
        if not isinstance(url, str) or not is_safe(url):
            raise UpstreamFailed(f"The provider of identities names no safe {name}.")
        return url

    async def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        self._session = self._session or aiohttp.ClientSession(
            timeout=TIMEOUT, trust_env=urlsplit(self.settings.issuer).hostname not in LOOPBACK
        )
        try:
            async with self._session.request(method, url, allow_redirects=False, **more) as answer:
                body = await answer.content.read(LARGEST_ANSWER)
                while len(body) < LARGEST_ANSWER and (chunk := await answer.content.read(LARGEST_ANSWER - len(body))):
                    body += chunk
                found = json.loads(body)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UpstreamFailed(
                f"The provider of identities did not answer: {type(error).__name__}. Try again."
            ) from error
        if answer.status in (400, 401) and method == "POST":
            raise NotAllowed("The provider of identities did not accept this sign-in. Begin anew.")
        if answer.status != 200 or not isinstance(found, dict):
            raise UpstreamFailed(f"The provider of identities answered with status {answer.status}. Try again.")
        return found


def _basic(client_id: str, secret: str) -> str:
    """A client's credentials as OAuth wants them in a header: both parts in percent signs, then in base64."""
    return "Basic " + base64.b64encode(f"{quote(client_id, '')}:{quote(secret, '')}".encode()).decode()
