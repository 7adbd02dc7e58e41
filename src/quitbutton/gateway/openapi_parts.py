"""What the OpenAPI document is made of."""

from __future__ import annotations

from typing import Any

ERROR = {
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
TEXT = {"type": "string"}
TEXT_OR_NULL = {"type": ["string", "null"]}
COUNT = {"type": "integer", "minimum": 0}
COUNT_OR_NULL = {"type": ["integer", "null"], "minimum": 0}
ERRORS = ("400", "401", "403", "413", "429", "503")
"""Statuses that any operation may answer with."""


def answer(properties: dict[str, Any], description: str) -> dict[str, Any]:
    """A JSON answer with these members."""
    schema = {"type": "object", "required": list(properties), "properties": properties}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def operation(summary: str, answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One method of a path, with the errors that all have."""
    return {"summary": summary, "responses": {**dict.fromkeys(ERRORS, ERROR), **answers}, **more}


def path(name: str, description: str) -> dict[str, Any]:
    """A part of the path."""
    schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def body(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """A JSON body with these members and no others."""
    schema = {"type": "object", "additionalProperties": False, "required": required, "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": schema}}}
