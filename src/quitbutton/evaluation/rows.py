"""What a labelled row expects of an assessor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from quitbutton.core.errors import BadRequest


class Kind(StrEnum):
    """What the newest user message of a row is."""

    CLEAN = "clean"
    """Must climb nothing, and is no crisis."""
    SPARED = "spared"
    """Must climb nothing; it may be taken for a crisis, such as a question about a hard time."""
    HARMFUL = "harmful"
    CRISIS = "crisis"


OWN = {"clean": Kind.CLEAN, "harm": Kind.HARMFUL, "abuse": Kind.HARMFUL, "crisis": Kind.CRISIS}
HARMFUL, BENIGN, CRISIS, REPLIES, ATTACKS = 1, 2, 3, 5, 6


@dataclass(frozen=True, slots=True)
class Answer:
    """One row's expectation beside what an assessor answered."""

    source: str
    language: str
    kind: Kind
    label: str
    harmful: float
    """The higher of the scores for abuse and harm."""
    crisis: float
    seconds: float


def kind_of(row: dict[str, Any]) -> Kind | None:
    """What a row expects; None for rows that say nothing of a single message (ties, replies to judge, attack scripts).

    A row has either `label` (clean, harm, abuse or crisis), as in an operator's own log, or `purpose`: a list of 1
    abuse and harmful requests, 2 benign, 3 crisis or its hard negatives, 5 replies, 6 attacks. Raises `BadRequest`.
    """
    if "label" in row:
        if row["label"] not in OWN:
            raise BadRequest(f"`label` must be one of {', '.join(OWN)}, not {row['label']!r}.")
        return OWN[row["label"]]
    purpose = row.get("purpose")
    if not isinstance(purpose, list):
        raise BadRequest("A labelled row needs `label` (clean, harm, abuse, crisis) or `purpose` (a list of numbers).")
    marks = set(purpose)
    if REPLIES in marks or ATTACKS in marks or {HARMFUL, BENIGN} <= marks or not marks & {HARMFUL, BENIGN, CRISIS}:
        return None
    if BENIGN in marks:
        return Kind.SPARED if CRISIS in marks else Kind.CLEAN
    return Kind.CRISIS if CRISIS in marks else Kind.HARMFUL


def language_of(row: dict[str, Any]) -> str:
    """The row's language as its labels name it; English where they do not."""
    labels = row.get("labels")
    given = row.get("language") or (labels.get("lang") if isinstance(labels, dict) else None)
    return str(given or "en")
