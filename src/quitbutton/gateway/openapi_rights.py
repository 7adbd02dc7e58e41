"""Statements, appeals, webhooks, the audit trail and policy versions in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from quitbutton.core.appeals import MAX_TEXT
from quitbutton.core.versions import MAX_NOTE, Stage
from quitbutton.core.webhooks import TYPES
from quitbutton.gateway.openapi_parts import COUNT, ERROR, TEXT, TEXT_OR_NULL, answer, body, operation, path

OPERATORS = ["operators"]
API = "/v1/quitbutton"
_OBJECT = {"type": "object"}
_OBJECTS = {"type": "array", "items": _OBJECT}
_WORDS = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": 200}
_APPEAL = {"id": TEXT, "state": TEXT, "text": TEXT, "opened_at": TEXT, "due_at": TEXT_OR_NULL, "reason": TEXT_OR_NULL}
_LISTED = {**_APPEAL, "end_id": TEXT, "source": TEXT, "decided_by": TEXT_OR_NULL}
_WEBHOOK = {"id": TEXT, "url": TEXT, "types": {"type": "array", "items": TEXT}, "created_at": TEXT}
_DELIVERY = {"id": TEXT, "webhook": TEXT, "type": TEXT, "state": TEXT, "attempts": COUNT, "body": _OBJECT}
_VERSION = {"number": COUNT, "digest": TEXT, "policy": _OBJECT, "difference": _OBJECT, "author": TEXT, "stage": TEXT}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _get(summary: str, told: dict[str, Any], *parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"parameters": list(parameters)} if parameters else {}
    return {"get": operation(summary, {"200": answer(told, summary), "404": ERROR}, **given, **more)}


def _post(
    summary: str,
    status: str,
    told: dict[str, Any],
    given: dict[str, Any] | None,
    *parameters: dict[str, Any],
    **more: Any,
) -> dict[str, Any]:
    parts: dict[str, Any] = {"parameters": list(parameters)} if parameters else {}
    parts |= {"requestBody": given} if given is not None else {}
    answers = {status: answer(told, summary), "404": ERROR, "409": ERROR}
    return {"post": operation(summary, answers, **parts, **more)}


def rights_paths() -> dict[str, Any]:
    """The paths."""
    return {**_ends(), **_appeals(), **_webhooks(), **_audit(), **_policies()}


def _ends() -> dict[str, Any]:
    end = path("end_id", "As in `quitbutton.end_id`; whoever holds it may read and contest.")
    statement = {"id": TEXT, "restriction": _OBJECT, "facts": _OBJECTS, "decided_by": _OBJECT, "redress": _OBJECT}
    language = _query("lang", {"type": "string", "enum": ["en", "de"]}, "Language; else from Accept-Language.")
    return {
        f"{API}/ends/{{end_id}}": _get("The statement of reasons for an end", statement, end, language),
        f"{API}/ends/{{end_id}}/appeal": _post(
            "Contest an end, within six months", "201", _APPEAL, body({"text": _WORDS}, ["text"]), end
        ),
    }


def _appeals() -> dict[str, Any]:
    one = path("appeal_id", "As in the queue.")
    states = _query("state", {"type": "string", "enum": ["open", "upheld", "rejected"]}, "Which ones.")
    outcome = {"outcome": {"type": "string", "enum": ["upheld", "rejected"]}, "reason": _WORDS}
    share = {"share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1}}
    days = {"days": {"type": "number", "exclusiveMinimum": 0, "maximum": 3650}}
    limit, after = _query("limit", _LIMIT, "How many."), _query("after", TEXT, "What `next` said.")
    queue = {"appeals": _OBJECTS, "next": TEXT_OR_NULL}
    of_days = _query("days", {"type": "number", "minimum": 1, "maximum": 3650}, "Ends of the last days.")
    return {
        f"{API}/appeals": _get("The queue of appeals", queue, states, limit, after, tags=OPERATORS),
        f"{API}/appeals/{{appeal_id}}": _get(
            "An appeal, its statement, its words",
            {**_LISTED, "statement": _OBJECT, "words": _OBJECTS},
            one,
            tags=OPERATORS,
        ),
        f"{API}/appeals/{{appeal_id}}/decision": _post(
            "Decide an appeal; upheld reopens the branch",
            "200",
            _LISTED,
            body(outcome, list(outcome)),
            one,
            tags=OPERATORS,
        ),
        f"{API}/reviews/sample": _post(
            "Draw ends at random for a blind review",
            "201",
            {"put_into_the_queue": COUNT},
            body({**share, **days}, ["share"]),
            tags=OPERATORS,
        ),
        f"{API}/reviews/false-ends": _get("False ends among the reviewed ones", {}, of_days, tags=OPERATORS),
    }


def _webhooks() -> dict[str, Any]:
    types = {"type": "array", "items": {"type": "string", "enum": list(TYPES)}, "minItems": 1}
    new = body({"url": {"type": "string", "format": "uri", "maxLength": 2000}, "types": types}, ["url"])
    states = _query("state", {"type": "string", "enum": ["waiting", "done", "dead"]}, "Which ones.")
    limit, before = _query("limit", _LIMIT, "How many."), _query("before", TEXT, "What `next` said.")
    listed = _get("All webhooks", {"webhooks": _OBJECTS, "types": {"type": "array", "items": TEXT}}, tags=OPERATORS)
    made = _post(
        "Tell an address of events; the secret is shown once", "201", {"secret": TEXT, **_WEBHOOK}, new, tags=OPERATORS
    )
    gone = operation(
        "Remove a webhook",
        {"204": {"description": "It hears nothing more."}, "404": ERROR},
        parameters=[path("webhook_id", "As in the list.")],
        tags=OPERATORS,
    )
    return {
        f"{API}/webhooks": {**listed, **made},
        f"{API}/webhooks/{{webhook_id}}": {"delete": gone},
        f"{API}/deliveries": _get(
            "Deliveries, newest first",
            {"deliveries": _OBJECTS, "next": TEXT_OR_NULL},
            states,
            limit,
            before,
            tags=OPERATORS,
        ),
        f"{API}/deliveries/{{delivery_id}}/replay": _post(
            "Deliver once more", "202", _DELIVERY, None, path("delivery_id", "As in the list."), tags=OPERATORS
        ),
    }


def _audit() -> dict[str, Any]:
    place = {"type": "integer", "minimum": 0, "maximum": 10**15}
    seq = {**path("seq", "The event's number."), "schema": {"type": "string", "pattern": "^[0-9]{1,15}$"}}
    head = {"key": TEXT, "size": COUNT, "checkpoint": TEXT_OR_NULL, "waiting": COUNT, "fault": TEXT_OR_NULL}
    page = {"events": _OBJECTS, "next": {"type": ["integer", "null"]}}
    proof = {
        "n": COUNT,
        "size": COUNT,
        "leaf_hash": TEXT,
        "proof": {"type": "array", "items": TEXT},
        "checkpoint": TEXT,
    }
    consistent = {"from": COUNT, "to": COUNT, "roots": {"type": "array"}, "proof": {"type": "array"}}
    found = {"sound": {"type": "boolean"}, "events": COUNT, "problems": {"type": "array", "items": TEXT}}
    lines = {"description": "JSON lines.", "content": {"application/jsonl": {"schema": TEXT}}}
    return {
        f"{API}/audit": _get("Key and newest checkpoint of the audit trail", head, tags=OPERATORS),
        f"{API}/audit/events": _get(
            "Events, newest first",
            page,
            _query("before", place, "A place."),
            _query("limit", _LIMIT, "How many."),
            tags=OPERATORS,
        ),
        f"{API}/audit/events/{{seq}}/proof": _get("Inclusion proof of an event", proof, seq, tags=OPERATORS),
        f"{API}/audit/consistency": _get(
            "Consistency proof of two sizes",
            consistent,
            _query("from", place, "Before."),
            _query("to", place, "After."),
            tags=OPERATORS,
        ),
        f"{API}/audit/check": _get("The database against its log", found, tags=OPERATORS),
        f"{API}/audit/export": {"get": operation("The whole trail", {"200": lines}, tags=OPERATORS)},
    }


def _policies() -> dict[str, Any]:
    name, number = path("name", "`default`, or one of the settings' policies."), path("number", "A version's number.")
    new = body({"policy": _OBJECT, "note": {"type": "string", "maxLength": MAX_NOTE}}, ["policy"])
    stages = {"type": "string", "enum": [one.value for one in Stage]}
    moved = body({"stage": stages, "share": {"type": "number", "minimum": 0, "maximum": 1}}, ["stage"])
    row = {"type": "object", "required": ["messages"], "properties": {"id": TEXT, "messages": {"type": "array"}}}
    replay = body(
        {
            "policy": _OBJECT,
            "conversations": {"type": "array", "items": row},
            "stored": {"type": "array", "items": TEXT},
            "newest": {"type": "integer", "minimum": 0, "maximum": 200},
        },
        ["policy"],
    )
    changed = {"changed": COUNT, "of": COUNT, "conversations": _OBJECTS, "difference": _OBJECT}
    return {
        f"{API}/policies": _get(
            "Policies and their versions", {"policies": _OBJECTS, "choices": _OBJECT}, tags=OPERATORS
        ),
        f"{API}/policies/{{name}}/versions": _post(
            "Write a version: the policy in force with these keys changed", "201", _VERSION, new, name, tags=OPERATORS
        ),
        f"{API}/policies/{{name}}/versions/{{number}}/stage": _post(
            "Move a version to a stage", "200", _VERSION, moved, name, number, tags=OPERATORS
        ),
        f"{API}/policies/{{name}}/replay": _post(
            "What would change under a draft, conversation by conversation",
            "200",
            changed,
            replay,
            name,
            tags=OPERATORS,
        ),
    }
