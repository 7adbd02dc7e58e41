"""The statement of reasons for an end: what was restricted, on what facts, who decided, on what ground, what can be done.

Shaped after articles 17 and 20 of the Digital Services Act (EU 2022/2065) as a template; it claims no compliance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from quitbutton.core.appeals import DECIDE_WITHIN, OPEN_FOR, Appeal, AppealState
from quitbutton.core.findings import finding, second_finding
from quitbutton.core.notices import reason_text
from quitbutton.core.records import End
from quitbutton.core.second import SecondReading

LONGEST_EXCERPT = 400
"""Most characters of a message that a statement shows."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the store knows of an end: the end, when its rungs were, what was said, its rules, its appeal."""

    end: End
    at: Mapping[str, float]
    """When each rung's message came in, by message id."""
    said: Mapping[tuple[str, str], str]
    """Kept words by message id and speaker."""
    policy: Mapping[str, Any]
    """The keys of the policy that decided."""
    appeal: Appeal | None = None


def iso(seconds: float | None) -> str | None:
    """RFC 3339, UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def statement(grounds: Grounds, language: str, links: Mapping[str, str | None], now: float) -> dict[str, Any]:
    """The statement as a JSON object, in the user's language."""
    end, appeal = grounds.end, grounds.appeal
    can_appeal = appeal is None and end.reopened_at is None and now <= end.ended_at + OPEN_FOR
    return {
        "id": end.id,
        "language": language,
        "restriction": {
            "what": "no further message on this branch of this conversation",
            "scope": "one branch; other conversations and other users are not affected",
            "conversation": end.conversation,
            "since": iso(end.ended_at),
            "until": iso(end.reopened_at),
            "state": "reopened" if end.reopened_at is not None else "ended",
        },
        "reason": end.reason,
        "reason_text": reason_text(end.reason, language),
        "explanation": end.explanation,
        "facts": [_fact(grounds, number, language) for number in range(len(end.evidence))],
        "decided_by": {
            "kind": end.decided_by,
            "model": end.model or None,
            "assessors": _names(one.assessor for one in end.evidence),
            "reply_assessors": _names(one.reply.assessor for one in end.evidence if one.reply is not None),
            "second_readers": _names(one.second.assessor for one in end.evidence if one.second is not None),
            "automated": True,
            "person": None,
        },
        "ground": {"policy": end.policy, "rules": dict(grounds.policy)},
        "redress": {
            "can": ["new_chat", "branch", *(["appeal"] if can_appeal else [])],
            "appeal_until": iso(end.ended_at + OPEN_FOR),
            "decided_within_days": int(DECIDE_WITHIN // 86_400),
            "decided_by": "a person",
        },
        "appeal": None if appeal is None else told(appeal),
        **links,
    }


def told(appeal: Appeal) -> dict[str, Any]:
    """What is told of an appeal to whoever filed it."""
    return {
        "id": appeal.id,
        "state": appeal.state.value,
        "text": appeal.text,
        "opened_at": iso(appeal.opened_at),
        "due_at": iso(appeal.due_at) if appeal.state is AppealState.OPEN else None,
        "decided_at": iso(appeal.decided_at),
        "reason": appeal.reason,
    }


def _names(given: Iterable[str]) -> list[str]:
    return sorted({name for name in given if name})


def _fact(grounds: Grounds, number: int, language: str) -> dict[str, Any]:
    proof = grounds.end.evidence[number]
    return {
        "rung": proof.rung.value,
        "message": proof.message,
        "at": iso(grounds.at.get(proof.message)),
        "found": proof.label.value,
        "target": proof.target.value,
        "mode": proof.mode.value,
        "severity": proof.severity.value if proof.severity is not None else None,
        "found_text": finding(proof, language),
        "assessor": proof.assessor,
        "reply": proof.reply.label.value if proof.reply is not None else None,
        "second": _second(proof.second, language) if proof.second is not None else None,
        "looked": proof.looked or None,
        "excerpt": _excerpt(grounds.said.get((proof.message, "user"))),
        "reply_excerpt": _excerpt(grounds.said.get((proof.message, "reply"))),
    }


def _second(reading: SecondReading, language: str) -> dict[str, Any]:
    return {
        "answer": reading.answer.value,
        "assessor": reading.assessor,
        "text": second_finding(reading, language),
    }


def _excerpt(text: str | None) -> str | None:
    if text is None:
        return None
    return text if len(text) <= LONGEST_EXCERPT else text[: LONGEST_EXCERPT - 1] + "…"
