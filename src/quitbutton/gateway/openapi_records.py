"""What the console reads, in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from quitbutton.core.ladder.transitions import Rung
from quitbutton.gateway.openapi_parts import COUNT, ERROR, TEXT, TEXT_OR_NULL, answer, operation, path
from quitbutton.gateway.routes.records import KINDS, LONGEST_PAGE

API = "/v1/quitbutton"
OPERATORS = ["operators"]
_OBJECT = {"type": "object"}
_OBJECTS = {"type": "array", "items": _OBJECT}
_TEXTS = {"type": "array", "items": TEXT}
_LIMIT = {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE}
_CONVERSATION: dict[str, Any] = {"id": TEXT, "state": TEXT, "redirections": COUNT}
_CONVERSATION |= {"crisis_hold": COUNT, "possible_hold": COUNT}
_CONVERSATION |= {"created_at": TEXT, "updated_at": TEXT}
_END: dict[str, Any] = {
    "id": TEXT,
    "conversation": TEXT,
    "message": TEXT,
    "reason": TEXT,
    "decided_by": TEXT,
    "model": TEXT,
}
_END |= {"policy": TEXT, "ended_at": TEXT, "reopened_at": TEXT_OR_NULL, "explanation": TEXT, "rungs": _TEXTS}
_EVENT: dict[str, Any] = {"seq": COUNT, "at": TEXT, "kind": TEXT, "message": TEXT}
_MONTH = {"month": TEXT, "referrals": COUNT}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_PAGE = [
    _query("since", {"type": "string", "format": "date"}, "From this day or time on."),
    _query("until", {"type": "string", "format": "date"}, "To the end of this day, or before this time."),
    _query("before", TEXT, "`next` of the page before."),
    _query("limit", _LIMIT, "Rows of a page."),
]


def _many(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "object", "required": list(properties), "properties": properties}}


def _get(summary: str, told: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    more = {"parameters": list(parameters)} if parameters else {}
    return {"get": operation(summary, {"200": answer(told, summary), "404": ERROR}, tags=OPERATORS, **more)}


def record_paths() -> dict[str, Any]:
    """The paths."""
    days = _query("days", {"type": "integer", "minimum": 1, "maximum": 400}, "How many days, up to today.")
    csv = {"description": "month,referrals", "content": {"text/csv": {"schema": TEXT}}}
    overview = {"days": _OBJECTS, "totals": _OBJECT, "waiting": _OBJECT, "health": _OBJECT}
    policy = {"digest": TEXT, "rules": _OBJECT, "policies": _OBJECT, "routes": _OBJECT}
    return {
        f"{API}/overview": _get("Counts by day, shares with intervals, what waits for somebody", overview, days),
        f"{API}/crisis-referrals": _get("Crisis referrals by month, nothing personal", {"months": _many(_MONTH)}),
        f"{API}/crisis-referrals.csv": {
            "get": operation("The same as comma-separated values", {"200": csv}, tags=OPERATORS)
        },
        f"{API}/policy": _get("The policies in force", policy),
        **_records(),
    }


def _records() -> dict[str, Any]:
    rung = _query("state", {"type": "string", "enum": list(Rung)}, "Where the newest turn stands.")
    kind = _query("kind", {"type": "string", "enum": list(KINDS)}, "press.denied if left out.")
    ends = [_query("state", {"type": "string", "enum": ["ended", "reopened"]}, "In force, or reopened.")]
    ends += [_query(name, TEXT, "Ends with this value.") for name in ("reason", "decided_by", "model", "policy")]
    one = path("conversation", "Its id, as in `quitbutton.conversation` of a reply.")
    ladder = [
        _query("before", {"type": "integer", "minimum": 1}, "`next` of the page before: earlier decisions."),
        _query("limit", _LIMIT, "Decisions of a page."),
    ]
    drawn = {**_CONVERSATION, "key": TEXT_OR_NULL, "turns": _many(_EVENT), "ends": _many(_END), "appeals": _OBJECTS}
    drawn |= {"next": {"type": ["integer", "null"]}}
    listed = {"conversations": _many(_CONVERSATION), "next": TEXT_OR_NULL}
    events = {"events": _many({**_EVENT, "conversation": TEXT, "explanation": TEXT_OR_NULL}), "next": TEXT_OR_NULL}
    found = {"conversation": TEXT, "message": TEXT_OR_NULL}
    wanted = _query("id", TEXT, "Of a conversation, message, end or request.")
    names = {"models": _TEXTS, "policies": _TEXTS, "kinds": _TEXTS}
    records = f"{API}/records"
    return {
        f"{records}/conversations": _get("Conversations, newest first", listed, rung, *_PAGE),
        f"{records}/conversations/{{conversation}}": _get("One conversation, turn by turn", drawn, one, *ladder),
        f"{records}/ends": _get("Ends, newest first", {"ends": _many(_END), "next": TEXT_OR_NULL}, *ends, *_PAGE),
        f"{records}/events": _get("Decisions of a kind, newest first", events, kind, *_PAGE),
        f"{records}/names": _get("What ends can be filtered by", names),
        f"{records}/find": _get("Where an id leads", found, wanted),
    }
