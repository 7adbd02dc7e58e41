"""Signing in to the console with a key: a session cookie, who is signed in, and signing out."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from quitbutton.core.errors import NotAllowed
from quitbutton.core.keys import Caller, Need, Role, tenant_of
from quitbutton.core.sessions import session_id_of, set_cookie
from quitbutton.gateway.auth import Authenticator, checked_csrf
from quitbutton.gateway.endpoints import decoded, endpoint
from quitbutton.gateway.http import address_of, headers_of
from quitbutton.gateway.services import Services

PATH = "/v1/quitbutton/session"
NO_STORE = {"cache-control": "no-store"}
WRONG_KEY = (
    "This is not a valid key of an operator or auditor. `quitbutton keys create NAME --role operator` makes one."
)
"""One answer for every key that does not sign in, so that it tells nothing about it."""


class _SignIn(msgspec.Struct, forbid_unknown_fields=True):
    key: str


def session_routes(services: Services) -> list[Route]:
    """The routes."""
    door = services.authenticator

    async def sign_in(request: Request, _: Caller) -> Response:
        given = await decoded(request, _SignIn, "{key}")
        caller = await _caller_with(door, given.key, address_of(request.scope))
        (role,) = caller.roles
        return await signed_in(door, request, caller.name, role, caller.tenant)

    async def who(request: Request, _: Caller) -> Response:
        session_id = session_id_of(headers_of(request.scope), request.url.scheme == "https")
        caller = await door.signed_in(session_id) if session_id else None
        if caller is None and await door.is_open(Role.OPERATOR):
            return JSONResponse(_view(door, "this machine", Role.OPERATOR, None), headers=NO_STORE)
        if caller is None:
            return JSONResponse(_view(door, None, None, None), headers=NO_STORE)
        (role,) = caller.roles
        return JSONResponse(_view(door, caller.name, role, door.sessions.csrf(session_id)), headers=NO_STORE)

    async def sign_out(request: Request, _: Caller) -> Response:
        is_secure, headers = request.url.scheme == "https", headers_of(request.scope)
        session_id = session_id_of(headers, is_secure)
        if session_id and await door.signed_in(session_id):
            checked_csrf(door.secret, session_id, headers)
            await door.sessions.close(session_id)
        return Response(status_code=204, headers={**NO_STORE, "set-cookie": set_cookie("", is_secure, 0)})

    return [
        endpoint(services, "POST", PATH, Need.NOTHING, sign_in),
        endpoint(services, "GET", PATH, Need.NOTHING, who),
        endpoint(services, "DELETE", PATH, Need.NOTHING, sign_out),
    ]


async def signed_in(door: Authenticator, request: Request, name: str, role: Role, key_digest: str | None) -> Response:
    """The answer that opens a session."""
    session_id = await door.sessions.open(name, role, key_digest)
    cookie = set_cookie(session_id, request.url.scheme == "https", door.sessions.lifetime)
    view = _view(door, name, role, door.sessions.csrf(session_id))
    return JSONResponse(view, headers={**NO_STORE, "set-cookie": cookie})


async def _caller_with(door: Authenticator, key: str, address: str) -> Caller:
    """Whoever holds an operator's or auditor's key. Raises `NotAllowed`, and `RateLimited` for whoever guesses."""
    door.guesses.check(address, overall=True)
    door.guesses.wrong(
        address
    )  # until it is known to be right, so that many at once are no more than one after another
    caller = await door.by_digest(tenant_of(door.secret, key))
    if caller is None or not caller.roles & Need.READ.roles:
        raise NotAllowed(WRONG_KEY)
    door.guesses.right(address)
    return caller


def _view(door: Authenticator, name: str | None, role: Role | None, csrf: str | None) -> dict[str, Any]:
    return {"name": name, "role": role, "csrf_token": csrf, "oidc": door.settings.oidc is not None}
