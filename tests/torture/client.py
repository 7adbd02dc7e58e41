"""One call to a gateway, and what became of it: answered, refused, not counted, perhaps counted, or nobody knows."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import replace
from typing import Any

from tests.torture.history import Op
from tests.torture.protocols import Json, Protocol

ENDED = (
    "conversation",
    "end_id",
    "reason",
    "reason_text",
    "ended_by",
    "ended_at",
    "statement_url",
    "appeal_url",
    "can",
)
"""What is told of an end, the same by everybody."""
JSON = {"content-type": "application/json"}


class HungUp(Exception):
    """The client did not wait for the rest."""


def turn(op: Op, port: int, protocol: Protocol, body: bytes, patience: float, leaves_after: int | None) -> Op:
    """Send a turn. `leaves_after`: hang up after so many bytes of the reply."""
    try:
        status, told = _exchange(port, "POST", protocol.path, body, patience, leaves_after)
    except (OSError, http.client.HTTPException, HungUp) as error:
        return _done(op, result="unknown", body=type(error).__name__)
    try:
        return _told(op, status, protocol.read(told, op.stream and status == 200))
    except (ValueError, KeyError, TypeError) as error:
        return _done(op, result="wrong", status=status, body=f"{type(error).__name__} {error}: {told[-600:]!r}")


def call(op: Op, port: int, path: str, body: dict[str, str], patience: float) -> tuple[Op, Any]:
    """Ask for something else: an appeal, its decision."""
    try:
        status, told = _exchange(port, "POST", path, json.dumps(body).encode(), patience, None)
        found = json.loads(told)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _done(op, result="unknown", body=type(error).__name__), None
    if status in (200, 201):
        return _done(op, result="answered", status=status, appeal=found["id"]), found
    words = found["error"]["message"]
    return _done(op, result=_doubt(words) if status == 503 else "refused", status=status, body=words), None


def _exchange(
    port: int, method: str, path: str, body: bytes, patience: float, leaves_after: int | None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        connection.request(method, path, body, JSON)
        if leaves_after == 0:
            raise HungUp
        answer = connection.getresponse()
        got = answer.read() if leaves_after is None else answer.read(leaves_after)
        if leaves_after is not None and not answer.isclosed():
            raise HungUp
        return answer.status, got
    finally:
        connection.close()


def _told(op: Op, status: int, told: Json) -> Op:
    if error := told.get("error"):
        return _failed(op, status, told, error)
    note = told["quitbutton"]
    known = {"status": status, "state": note["state"], "message": note.get("message", "")}
    known["decision"] = decision = note.get("decision", "")
    if note["state"] != "ended":
        # Help in a crisis is given also where the store fails.
        result = "helped" if note.get("recorded") is False else "answered"
        return _done(op, result=result, **known, reply=told.get("id", ""))
    result = "answered" if decision == "end" else "refused"
    return _done(op, result=result, **known, end_id=note["end_id"], note=_note(note), reply=told.get("id", ""))


def _failed(op: Op, status: int, told: Json, error: Json) -> Op:
    code = error.get("code")
    if code == "conversation_ended":
        note = error["quitbutton"]
        whole = json.dumps(told, sort_keys=True)
        return _done(op, "refused", status=status, state="ended", end_id=note["end_id"], note=_note(note), body=whole)
    results = {"store_unavailable": _doubt(error["message"]), "stopped": "stopped", "cut": "unknown"}
    results["upstream_failed"] = "uncounted"
    return _done(op, results.get(code, "wrong"), status=status, body=f"{code}: {error['message']}")


def _doubt(words: str) -> str:
    """What a failure of the store says about the record."""
    if "othing was counted" in words:
        return "uncounted"
    return "maybe" if "may have been counted" in words else "wrong"


def _note(note: Json) -> str:
    return json.dumps({name: note.get(name) for name in ENDED}, sort_keys=True)


def _done(op: Op, result: str, **more: Any) -> Op:
    return replace(op, returned=time.monotonic(), result=result, **more)
