"""Keys for operators: made, listed, revoked. A key is shown once, when it is made."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from quitbutton.core.errors import BadRequest, NotFound
from quitbutton.core.kept_words import Retention
from quitbutton.core.keys import Caller, Key, KeyRules, Need, Role, expiry_of, new_secret, tenant_of
from quitbutton.core.ladder.policy import Background
from quitbutton.gateway.endpoints import decoded, endpoint, iso
from quitbutton.gateway.services import Services

PATH = "/v1/quitbutton/keys"
NO_STORE = {"cache-control": "no-store"}


class _NewKey(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    role: Role = Role.CHAT
    policy: str | None = None
    requests_per_minute: int | None = None
    max_body: int | None = None
    retention: Retention | None = None
    background: Background | None = None
    expires_in: str | None = None


def key_routes(services: Services) -> list[Route]:
    """The routes, over the authenticator's own keys."""
    door = services.authenticator

    async def create(request: Request, caller: Caller) -> Response:
        given = await decoded(
            request, _NewKey, "{name, role, policy, requests_per_minute, max_body, retention, background, expires_in}"
        )
        if given.policy is not None and given.policy not in services.settings.policies:
            raise BadRequest(f"There is no [policies.{given.policy}] in the settings.")
        now = door.now()
        expires_at = expiry_of(given.expires_in, now) if given.expires_in is not None else None
        limits = (given.policy, given.requests_per_minute, given.max_body)
        rules = KeyRules(given.name, given.role, *limits, expires_at, given.retention, given.background)
        secret = new_secret()
        key = await door.keys.put(rules, tenant_of(door.secret, secret), caller.name, now)
        return JSONResponse({"secret": secret, **key_view(key, now)}, 201, NO_STORE)

    async def listed(request: Request, caller: Caller) -> Response:
        now = door.now()
        return JSONResponse({"keys": [key_view(key, now) for key in await door.keys.all()]}, headers=NO_STORE)

    async def revoke(request: Request, caller: Caller) -> Response:
        now = door.now()
        key = await door.keys.revoke(request.path_params["key_id"], caller.name, now)
        if key is None:
            raise NotFound("There is no key with this id. GET /v1/quitbutton/keys lists them.")
        return JSONResponse(key_view(key, now), headers=NO_STORE)

    return [
        endpoint(services, "POST", PATH, Need.MANAGE, create),
        endpoint(services, "GET", PATH, Need.MANAGE, listed),
        endpoint(services, "DELETE", PATH + "/{key_id}", Need.MANAGE, revoke),
    ]


def key_view(key: Key, now: float) -> dict[str, Any]:
    """What may be told of a key: all but the key and its digest."""
    rules = key.rules
    times = {"created_at": key.created_at, "expires_at": rules.expires_at, "revoked_at": key.revoked_at}
    times["last_used_at"] = key.last_used_at
    return {
        "id": key.id,
        "name": rules.name,
        "role": rules.role.value,
        "state": key.state(now),
        "policy": rules.policy,
        "requests_per_minute": rules.requests_per_minute,
        "max_body": rules.max_body,
        "retention": rules.retention,
        "background": rules.background,
        "created_by": key.created_by,
        **{name: None if at is None else iso(at) for name, at in times.items()},
    }
