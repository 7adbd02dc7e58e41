"""Webhooks in the form of Standard Webhooks (standardwebhooks.com): what is told, how it is signed, when it is retried."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from quitbutton.core.errors import BadRequest

TYPE_OF = {
    "turn.warn": "conversation.warned",
    "turn.end": "conversation.ended",
    "turn.support": "conversation.vetoed",
    "turn.check_in": "conversation.checked_in",
    "conversation.reopened": "conversation.reopened",
    "appeal.opened": "appeal.opened",
    "appeal.decided": "appeal.decided",
    "task.declined": "task.declined",
}
"""What an event of the record is called outside; other events are not told."""
TYPES = tuple(TYPE_OF.values())
DATA = ("end_id", "reason", "decided_by", "request_id", "policy", "model", "crisis", "appeal", "state", "source")
"""Members of an event that go out: ids and names, never a person's words."""
WAITS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each further try; after the last one a delivery is dead until somebody replays it."""
PREFIX = "whsec_"
UNWRITTEN = re.compile(r"[\s\x00-\x1f\x7f]")
"""What an address must not hold as it is."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One address that is told of events."""

    id: str
    url: str
    types: tuple[str, ...] = TYPES
    secret: str = ""
    created_at: float = 0.0

    def check(self) -> None:
        """Before it is put in the store; what is there already can be listed and dropped. Raises `BadRequest`."""
        if UNWRITTEN.search(self.url):
            raise BadRequest("`url` must hold no spaces or control characters: write them as %20 and so on.")
        try:
            parts = urlsplit(self.url)
            _ = parts.port, (parts.hostname or "").encode("idna")
        except ValueError as error:
            raise BadRequest(
                f"`url` has a host or port that nothing can be sent to: {error}. Write it as https://host.example:8443/path."
            ) from error
        if parts.scheme not in ("http", "https") or not parts.hostname or len(self.url) > 2000:
            raise BadRequest(
                "`url` must begin with http:// or https:// and name a host, in no more than 2000 characters."
            )
        if parts.username or parts.password:
            raise BadRequest("`url` must hold no user and password: whoever reads the list would see them.")
        if unknown := sorted(set(self.types) - set(TYPES)):
            raise BadRequest(f"`types` has {', '.join(unknown)}; there are {', '.join(TYPES)}.")
        if not self.types:
            raise BadRequest(f"`types` must name at least one of {', '.join(TYPES)}.")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook, and how far it got."""

    id: str
    webhook: str
    type: str
    body: str
    state: str
    """`waiting`, `done` or `dead`."""
    attempts: int
    next_at: float
    created_at: float
    status: int | None = None
    """HTTP status of the last try, if there was an answer."""
    error: str | None = None
    """Why the last try failed."""


def new_secret() -> str:
    """A secret as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def body_of(kind: str, at: float, conversation: str, message: str, event: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is told of an event; None for one that is not told. What shadow mode only recorded did not happen."""
    cares = event.get("action") in ("support", "check_in")  # also where a press was denied
    told = TYPE_OF[f"turn.{event['action']}"] if cares else TYPE_OF.get(kind)
    if told is None or event.get("mode", "enforce") != "enforce":
        return None
    data = {"conversation": conversation, "message": message}
    data |= {name: event[name] for name in DATA if event.get(name) is not None}
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": told, "timestamp": moment, "data": data}


def headers_of(secret: str, delivery_id: str, body: str, now: float) -> dict[str, str]:
    """The signed headers of one try. The id is the same on every try, so that a receiver can tell a repeat."""
    stamp = str(int(now))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{delivery_id}.{stamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }


def wait_after(attempts: int) -> float | None:
    """Seconds until the next try after so many; None when there is none."""
    return float(WAITS[attempts - 1]) if attempts <= len(WAITS) else None
