"""The OpenAPI 3.1 document of our own endpoints; what the chat endpoints take and give is OpenAI's own."""

from __future__ import annotations

from typing import Any

import quitbutton

_ERROR = {
    "description": "An error in OpenAI's shape: cause, then cure.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["message", "type", "code"],
                        "properties": {
                            "message": {"type": "string"},
                            "type": {"type": "string"},
                            "param": {},
                            "code": {"type": "string"},
                            "quitbutton": {"type": "object"},
                        },
                    }
                },
            }
        }
    },
}
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}


def _answer(properties: dict[str, Any], description: str) -> dict[str, Any]:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _operation(summary: str, answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    errors = {"400": _ERROR, "401": _ERROR, "403": _ERROR, "503": _ERROR}
    return {"summary": summary, "responses": {**errors, **answers}, **more}


def _path(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def document() -> dict[str, Any]:
    """The document."""
    health = _answer({"status": _TEXT, "version": _TEXT}, "It runs, and its store answers.")
    receipt = {
        "request_id": _TEXT,
        "stopped": {"type": "boolean"},
        "stopped_by": {"type": ["string", "null"]},
        "tokens_delivered": _COUNT,
        "tokens_billed": {"type": ["integer", "null"]},
        "upstream_closed": {"type": "boolean"},
        "tokens_saved_estimate": {"type": ["integer", "null"]},
    }
    view = {
        "id": _TEXT,
        "state": _TEXT,
        "turns": _COUNT,
        "created_at": _TEXT,
        "updated_at": _TEXT,
        "ends": {"type": "array", "items": {"type": "object"}},
    }
    about = {
        "name": _TEXT,
        "version": _TEXT,
        "demonstration": {"type": "boolean"},
        "mode": _TEXT,
        "policy": _TEXT,
        "locales": {"type": "array", "items": _TEXT},
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
        "info": {"title": "quitbutton", "version": quitbutton.__version__},
        "paths": {
            "/healthz": {"get": _operation("Does it run?", {"200": health})},
            "/v1/quitbutton/about": {"get": _operation("What runs here", {"200": _answer(about, "What runs here.")})},
            "/v1/quitbutton/judges": {
                "get": _operation("What the judges did and cost", {"200": _answer(judges, "One report a judge.")})
            },
            "/v1/quitbutton/conversations/{conversation}": {
                "get": _operation(
                    "The state of a conversation",
                    {"200": _answer(view, "Its state, and its ends."), "404": _ERROR},
                    parameters=[_path("conversation", "Its id, as in `quitbutton.conversation` of a reply.")],
                )
            },
            "/v1/quitbutton/stop/{request_id}": {
                "post": _operation(
                    "Stop a running generation",
                    {"200": _answer(receipt, "The receipt; the same on every repeat."), "404": _ERROR},
                    parameters=[_path("request_id", "As in the X-Quitbutton-Request-Id header of the reply.")],
                )
            },
            "/v1/quitbutton/feedback": {
                "post": _operation(
                    "Rate a reply, a stop, a warning or an end",
                    {"204": {"description": "Kept."}},
                    requestBody=body,
                )
            },
        },
    }
