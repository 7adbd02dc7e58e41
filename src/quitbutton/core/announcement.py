"""The `quitbutton` object: what a reply tells a program about the conversation it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.standing import Standing
from quitbutton.core.ladder.transitions import Action, Rung
from quitbutton.core.notices import reason_text
from quitbutton.core.records import End
from quitbutton.core.resources import Resource

LINKED = ("statement", "appeal")
"""What more there is where the gateway has a page for it."""
CAN = ("new_chat", "branch", "feedback")
"""What a user can do after an end. Open: clients must accept values they do not know."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where people read why, and contest it. Without a `base` there are no pages."""

    base: str = ""
    """The gateway's public URL."""

    def statement(self, end_id: str) -> str | None:
        """The page of the statement of reasons."""
        return f"{self.base}/ends/{end_id}" if self.base else None

    def appeal(self, end_id: str) -> str | None:
        """The place on that page where an appeal is filed."""
        return f"{self.base}/ends/{end_id}#appeal" if self.base else None


NO_LINKS = Links()


def announcement(
    request_id: str,
    conversation: str,
    message: str,
    standing: Standing,
    decision: Decision,
    spoken_by: str,
    end: End | None,
    language: str,
    support: str = "",
    resources: Sequence[Resource] = (),
    is_folded: bool = False,
    is_imitation: bool = False,
    links: Links = NO_LINKS,
) -> dict[str, object]:
    """The object for a counted turn. `spoken_by` is `model`, `gateway` or `both`.

    `is_folded` says of `support` that it was shown in full before, `is_imitation` of the model's words that they hold a
    text of the gateway's, which was not said by it.
    """
    note: dict[str, object] = {
        "state": str(standing.rung),
        "decision": str(decision.action),
        "conversation": conversation,
        "message": message,
        "request_id": request_id,
        "spoken_by": spoken_by,
    }
    if decision.action in (Action.REDIRECT, Action.WARN) and decision.reason is not None:
        note |= {"reason": decision.reason.value}
    if is_imitation:
        note["imitation"] = True
    if support:
        note["support"] = support_note(support, resources, is_folded)
    return note | (ended(end, language, links) if end is not None and standing.rung is Rung.ENDED else {})


def support_note(text: str, resources: Sequence[Resource], is_folded: bool = False) -> dict[str, object]:
    """What is told of help in a crisis."""
    told = [{"name": one.name, "contact": one.reach, "url": one.url} for one in resources]
    return {"text": text, "resources": told, "folded": is_folded}


def ended(end: End, language: str, links: Links = NO_LINKS) -> dict[str, object]:
    """What is told of an end, the same on every repeat."""
    return {
        "state": Rung.ENDED.value,
        "conversation": end.conversation,
        "end_id": end.id,
        "reason": end.reason,
        "reason_text": reason_text(end.reason, language),
        "ended_by": end.decided_by,
        "ended_at": datetime.fromtimestamp(end.ended_at, UTC).isoformat(timespec="seconds"),
        "statement_url": links.statement(end.id),
        "appeal_url": links.appeal(end.id),
        "retryable": False,
        "can": [*CAN, *(LINKED if links.base else ())],
    }
