"""An appeal against an end: filed by whoever holds the end's id, decided by a person, with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from quitbutton.core.errors import QuitbuttonError
from quitbutton.core.records import End

DAY = 86_400.0
OPEN_FOR = 184 * DAY
"""How long after an end it can be contested: six months (after the Digital Services Act, article 20)."""
DECIDE_WITHIN = 14 * DAY
"""By when an appeal should be decided."""
MAX_TEXT = 4000
"""Longest text of an appeal or a reason, in characters."""


class AppealState(StrEnum):
    """Where an appeal stands."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"


class AppealSource(StrEnum):
    """Who asked for the review."""

    USER = "user"
    SAMPLE = "sample"
    """Drawn at random for a blind review: it measures false ends, and reopens them just the same."""


@dataclass(frozen=True, slots=True)
class Appeal:
    """One review of an end."""

    id: str
    end_id: str
    tenant: str
    source: AppealSource
    text: str
    state: AppealState
    opened_at: float
    due_at: float
    decided_at: float | None = None
    decided_by: str | None = None
    reason: str | None = None


class NotPossible(QuitbuttonError):
    """The appeal cannot be filed or decided as things stand."""

    status = 409
    type = "invalid_request_error"
    code = "not_possible"


def check_may_appeal(end: End, now: float) -> None:
    """Raises `NotPossible` for an end that was reopened already, or is too old."""
    if end.reopened_at is not None:
        raise NotPossible("This conversation was reopened already; there is nothing left to contest.")
    if now > end.ended_at + OPEN_FOR:
        raise NotPossible("An end can be contested for six months; this one is older.")
