"""Signing in with a provider of identities: there, and back."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from quitbutton.core.errors import NotAllowed, NotFound, SettingsError
from quitbutton.core.keys import Caller, Need
from quitbutton.core.oidc import SIGN_IN_SECONDS, OidcSettings, name_of, role_of
from quitbutton.core.sessions import cookie_of, set_cookie, sign_in_digest
from quitbutton.gateway.endpoints import endpoint
from quitbutton.gateway.http import address_of, headers_of
from quitbutton.gateway.services import Services
from quitbutton.gateway.sessions import IdentityProvider
from quitbutton.settings.installation import Settings

PATH = "/v1/quitbutton/session/oidc"
CALLBACK = PATH + "/callback"
COOKIE = "quitbutton_sign_in"
"""Ties a sign-in to the browser that began it. `SameSite=Lax`, since the way back comes from the provider's site."""
PER_MINUTE = 20
"""Sign-ins that one address may begin in a minute."""


def oidc_routes(services: Services, provider: IdentityProvider | None) -> list[Route]:
    """The routes; without an `[oidc]` table they say that there is none."""
    door, sessions = services.authenticator, services.authenticator.sessions

    def known() -> tuple[IdentityProvider, OidcSettings]:
        settings = services.settings.oidc
        if provider is None or settings is None:
            raise NotFound("No provider of identities is set up here: the settings need an [oidc] table.")
        return provider, settings

    async def begin(request: Request, _: Caller) -> Response:
        there, _settings = known()
        services.limits.take(f"sign-in {address_of(request.scope)}", PER_MINUTE, "of sign-ins from this address")
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        url = await there.begin(state, nonce, verifier)
        digest = sign_in_digest(door.secret, state, browser)
        await sessions.store.put_sign_in(digest, nonce, verifier, door.now())
        return _redirect(302, url, _cookie(browser, request, SIGN_IN_SECONDS))

    async def back(request: Request, _: Caller) -> Response:
        there, settings = known()
        query, browser = request.query_params, cookie_of(headers_of(request.scope), COOKIE)
        digest = sign_in_digest(door.secret, query.get("state", ""), browser)
        begun = await sessions.store.take_sign_in(digest, door.now() - SIGN_IN_SECONDS)
        if begun is None:
            raise NotAllowed(f"This sign-in was not begun in this browser, or too long ago. Begin at {PATH}.")
        if "error" in query or not query.get("code"):
            raise NotAllowed(f"The provider of identities did not sign you in. Begin anew at {PATH}.")
        claims = await there.finish(query["code"], *begun)
        session_id = await sessions.open(name_of(claims, settings), role_of(claims, settings))
        session = set_cookie(session_id, request.url.scheme == "https", sessions.lifetime)
        return _redirect(303, settings.landing, _cookie("", request, 0), session)

    return [
        endpoint(services, "GET", PATH, Need.NOTHING, begin),
        endpoint(services, "GET", CALLBACK, Need.NOTHING, back),
    ]


def provider_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> IdentityProvider | None:
    """The provider that the settings name. Raises `SettingsError` where its package or the client's secret is missing."""
    if settings.oidc is None:
        return None
    try:
        from quitbutton.gateway.oidc import Provider  # noqa: PLC0415 - an extra, only where it is asked for
    except ImportError as error:
        raise SettingsError(f"[oidc] needs {error.name}: pip install 'quitbutton[oidc]'.") from error
    name = settings.oidc.client_secret_env
    if name is not None and not environment.get(name):
        raise SettingsError(f"[oidc]: client_secret_env names {name}, which is not in the environment.")
    return Provider(settings.oidc, settings.base_url + CALLBACK, environment[name] if name else None)


def _cookie(value: str, request: Request, seconds: float) -> str:
    secure = "; Secure" if request.url.scheme == "https" else ""
    return f"{COOKIE}={value}; Path={PATH}; Max-Age={int(seconds)}; HttpOnly; SameSite=Lax{secure}"


def _redirect(status: int, url: str, *cookies: str) -> Response:
    answer = Response(status_code=status, headers={"location": url, "cache-control": "no-store"})
    for cookie in cookies:
        answer.headers.append("set-cookie", cookie)
    return answer
