"""The OpenAPI 3.1 document of our own endpoints; what the chat endpoints take and give is OpenAI's own."""

from __future__ import annotations

from typing import Any

import quitbutton
from quitbutton.gateway.openapi_health import health_paths
from quitbutton.gateway.openapi_keys import key_paths
from quitbutton.gateway.openapi_parts import COUNT, ERROR, TEXT, answer, operation, path
from quitbutton.gateway.openapi_records import record_paths
from quitbutton.gateway.openapi_rights import rights_paths

WHO_MAY = (
    "Keys go into `Authorization: Bearer` or `x-api-key`. Operations tagged `operators` take a key of an operator, those "
    "that only read an auditor's too, or a session's cookie; with a cookie, what changes something carries the session's "
    "token in `X-Quitbutton-Csrf`. The others take a chat key, where one is asked for."
)


def document() -> dict[str, Any]:
    """The document."""
    health = answer({"status": TEXT, "version": TEXT}, "It runs, and its store answers.")
    receipt = {
        "request_id": TEXT,
        "stopped": {"type": "boolean"},
        "stopped_by": {"type": ["string", "null"]},
        "tokens_delivered": COUNT,
        "tokens_billed": {"type": ["integer", "null"]},
        "upstream_closed": {"type": "boolean"},
        "tokens_saved_estimate": {"type": ["integer", "null"]},
    }
    view = {
        "id": TEXT,
        "state": TEXT,
        "turns": COUNT,
        "created_at": TEXT,
        "updated_at": TEXT,
        "ends": {"type": "array", "items": {"type": "object"}},
    }
    about = {
        "name": TEXT,
        "version": TEXT,
        "demonstration": {"type": "boolean"},
        "mode": TEXT,
        "policy": TEXT,
        "locales": {"type": "array", "items": TEXT},
    }
    judges = {"judges": {"type": "array", "items": {"type": "object"}}}
    feedback = {
        "type": "object",
        "additionalProperties": False,
        "required": ["about", "rating"],
        "properties": {
            "about": {"type": "string", "pattern": "^(req_|end_)[A-Za-z0-9_-]{1,60}$"},
            "rating": {"type": "string", "enum": ["up", "down"]},
            "text": {"type": "string", "maxLength": 4000},
        },
    }
    body = {"required": True, "content": {"application/json": {"schema": feedback}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "quitbutton", "version": quitbutton.__version__, "description": WHO_MAY},
        "paths": {
            "/healthz": {"get": operation("Does it run?", {"200": health})},
            **health_paths(),
            "/v1/quitbutton/about": {"get": operation("What runs here", {"200": answer(about, "What runs here.")})},
            "/v1/quitbutton/judges": {
                "get": operation(
                    "What the judges did and cost", {"200": answer(judges, "One report a judge.")}, tags=["operators"]
                )
            },
            "/v1/quitbutton/conversations/{conversation}": {
                "get": operation(
                    "The state of a conversation",
                    {"200": answer(view, "Its state, and its ends."), "404": ERROR},
                    parameters=[path("conversation", "Its id, as in `quitbutton.conversation` of a reply.")],
                )
            },
            "/v1/quitbutton/stop/{request_id}": {
                "post": operation(
                    "Stop a running generation",
                    {"200": answer(receipt, "The receipt; the same on every repeat."), "404": ERROR},
                    parameters=[path("request_id", "As in the X-Quitbutton-Request-Id header of the reply.")],
                )
            },
            "/v1/quitbutton/feedback": {
                "post": operation(
                    "Rate a reply, a stop, a warning or an end",
                    {"204": {"description": "Kept."}, "404": ERROR},
                    requestBody=body,
                )
            },
            **key_paths(),
            **rights_paths(),
            **record_paths(),
        },
    }
