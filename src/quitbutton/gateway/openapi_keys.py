"""Keys and sessions in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from quitbutton.core.keys import MAX_BODY, MAX_NAME, MAX_RATE, Role
from quitbutton.gateway.openapi_parts import COUNT_OR_NULL, ERROR, TEXT, TEXT_OR_NULL, answer, body, operation, path

OPERATORS = ["operators"]
"""Operations for keys of operators."""
_ROLES = [role.value for role in Role]
_KEY = {
    "id": TEXT,
    "name": TEXT,
    "role": {"type": "string", "enum": _ROLES},
    "state": {"type": "string", "enum": ["active", "expired", "revoked"]},
    "policy": TEXT_OR_NULL,
    "requests_per_minute": COUNT_OR_NULL,
    "max_body": COUNT_OR_NULL,
    "retention": {"type": ["string", "null"], "enum": ["none", "exits", "all", None]},
    "background": {"type": ["string", "null"], "enum": ["trusted", "anyone", "never", None]},
    "created_by": TEXT,
    "created_at": TEXT,
    "expires_at": TEXT_OR_NULL,
    "revoked_at": TEXT_OR_NULL,
    "last_used_at": TEXT_OR_NULL,
}
_NEW = {
    "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
    "role": {"type": "string", "enum": _ROLES},
    "policy": TEXT_OR_NULL,
    "requests_per_minute": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_RATE},
    "max_body": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_BODY},
    "retention": {"type": ["string", "null"], "enum": ["none", "exits", "all", None]},
    "background": {"type": ["string", "null"], "enum": ["trusted", "anyone", "never", None]},
    "expires_in": {"type": ["string", "null"], "pattern": "^[0-9]{1,4}[dh]$", "description": "Such as 90d or 12h."},
}
_WHO = {"name": TEXT_OR_NULL, "role": TEXT_OR_NULL, "csrf_token": TEXT_OR_NULL, "oidc": {"type": "boolean"}}
_ELSEWHERE = {"description": "The browser goes on there."}


def key_paths() -> dict[str, Any]:
    """The paths."""
    one = {"type": "object", "required": list(_KEY), "properties": _KEY}
    made = answer({"secret": TEXT, **_KEY}, "The key, shown this once.")
    who = answer(_WHO, "Who that is, and the token that requests which change something carry in X-Quitbutton-Csrf.")
    return {
        "/v1/quitbutton/keys": {
            "get": operation(
                "Every key there ever was",
                {"200": answer({"keys": {"type": "array", "items": one}}, "Oldest first.")},
                tags=OPERATORS,
            ),
            "post": operation("Make a key", {"201": made}, requestBody=body(_NEW, ["name"]), tags=OPERATORS),
        },
        "/v1/quitbutton/keys/{key_id}": {
            "delete": operation(
                "Revoke a key",
                {"200": answer(_KEY, "It opens nothing from now on."), "404": ERROR},
                parameters=[path("key_id", "As in the list.")],
                tags=OPERATORS,
            )
        },
        "/v1/quitbutton/session/oidc": {
            "get": operation("Sign in with the provider of identities", {"302": _ELSEWHERE, "404": ERROR, "502": ERROR})
        },
        "/v1/quitbutton/session/oidc/callback": {
            "get": operation("The way back from it", {"303": _ELSEWHERE, "404": ERROR, "502": ERROR, "504": ERROR})
        },
        "/v1/quitbutton/session": {
            "get": operation("Who is signed in", {"200": who}),
            "delete": operation("Sign out", {"204": {"description": "Signed out, or nobody was signed in."}}),
            "post": operation(
                "Sign in with a key of an operator or auditor", {"200": who}, requestBody=body({"key": TEXT}, ["key"])
            ),
        },
    }
