"""What an event of the record counts as. Counts hold no ids and nothing of anybody, so that they may be kept and shared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

DAY = 86_400

TURNS = "turns"
MEASURES = ("redirected", "warned", "ended", "vetoed", "checked_in", "denied", "refused", "appealed", "stopped")
"""What the overview shows by day. On a `vetoed` turn a clear crisis held the ladder, on a `checked_in` one the model was to
ask after a possible one; a `denied` press is a near miss."""
REFERRED = "referred"
"""Turns on which somebody in a crisis was shown where help is."""
_ACTIONS = {
    "redirect": "redirected",
    "warn": "warned",
    "end": "ended",
    "support": "vetoed",
    "check_in": "checked_in",
    "ask": "asked",
}
_UNDONE = ("warned", "ended", "asked")
"""What a denied press did not do after all."""


def counted_as(kind: str, event: Mapping[str, Any]) -> list[str]:
    """The names under which an event counts."""
    if kind == "turn.refuse":
        is_crisis = (event.get("verdict") or {}).get("label") == "crisis"
        return ["refused", REFERRED] if is_crisis else ["refused"]
    if kind == "appeal.opened":
        return ["appealed" if event.get("source") == "user" else "sampled"]
    if kind == "appeal.decided":
        return [str(event.get("state"))]
    if not kind.startswith(("turn.", "press.")):
        return [kind] if kind == "conversation.reopened" else []
    return [TURNS, *_done(event), *_denied(event)]


def _done(event: Mapping[str, Any]) -> list[str]:
    name = _ACTIONS.get(str(event.get("action")))
    if name is None or (event.get("denial") and name in _UNDONE):
        return []
    verdict = event.get("verdict") or {}
    if name == "vetoed" and verdict.get("label") == "crisis":
        return [name, REFERRED]
    return [name, f"ended.{event.get('reason')}"] if name == "ended" else [name]


def _denied(event: Mapping[str, Any]) -> list[str]:
    denial = event.get("denial")
    return ["denied", f"denied.{denial}"] if denial else []


def day_of(at: float) -> int:
    """The day of a time, in UTC, counted from 1970."""
    return int(at // DAY)


def date_of(day: int) -> date:
    """The date of a day."""
    return date(1970, 1, 1) + timedelta(days=day)


def month_of(day: int) -> str:
    """The month of a day, as 2026-11."""
    return date_of(day).strftime("%Y-%m")
