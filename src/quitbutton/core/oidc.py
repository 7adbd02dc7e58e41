"""Signing in with a provider of identities (OpenID Connect): the settings, and the rules over its claims. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from quitbutton.core.errors import Forbidden, SettingsError
from quitbutton.core.keys import LOOPBACK, MAX_NAME, Role

SIGN_IN_SECONDS = 600.0
"""How long somebody may take at the provider."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures that count: by the provider's own key pair, never by a shared secret, never none."""


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The `[oidc]` table. Raises `SettingsError` where it cannot work."""

    issuer: str
    """The provider's URL, as it names itself."""
    client_id: str
    client_secret_env: str | None = None
    """Name of the environment variable with the client's secret; left out for a public client."""
    role_claim: str = "roles"
    """The claim of the id token that has the roles; dots lead into it, as in `realm_access.roles`."""
    operators: tuple[str, ...] = ()
    """Values of that claim that make an operator."""
    auditors: tuple[str, ...] = ()
    """Values of that claim that make an auditor."""
    name_claim: str = "email"
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    landing: str = "/console"
    """Path of this gateway where the browser goes when it is signed in."""

    def __post_init__(self) -> None:
        if not is_safe(self.issuer):
            raise SettingsError(f"issuer must be an https URL, not {self.issuer!r}.")
        if not self.operators and not self.auditors:
            raise SettingsError("it needs `operators` or `auditors`: the values of role_claim that may sign in.")
        if "openid" not in self.scopes:
            raise SettingsError('scopes must have "openid".')
        if not self.landing.startswith("/") or self.landing.startswith(("//", "/\\")):
            raise SettingsError("landing is a path of this gateway, such as /console.")


def is_safe(url: str) -> bool:
    """True for an https URL, and for http on this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


def authorization_url(
    endpoint: str, settings: OidcSettings, redirect: str, state: str, nonce: str, verifier: str
) -> str:
    """Where the browser goes to sign in: authorization code flow with PKCE."""
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": redirect,
        "scope": " ".join(settings.scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def role_of(claims: Mapping[str, object], settings: OidcSettings) -> Role:
    """The role that the claims give. Raises `Forbidden` where they give none."""
    held = _held(claims, settings.role_claim)
    if held & set(settings.operators):
        return Role.OPERATOR
    if held & set(settings.auditors):
        return Role.AUDITOR
    raise Forbidden(
        f"You are signed in, but your claim {settings.role_claim!r} has no role here. Ask an operator for one."
    )


def name_of(claims: Mapping[str, object], settings: OidcSettings) -> str:
    """How the record names the person."""
    found = next(
        (claims[name] for name in (settings.name_claim, "sub") if isinstance(claims.get(name), str)), "somebody"
    )
    return "".join(letter for letter in str(found) if letter.isprintable())[:MAX_NAME]


def _held(claims: Mapping[str, object], path: str) -> set[str]:
    found: object = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return {found}
    return {one for one in found if isinstance(one, str)} if isinstance(found, list) else set()
