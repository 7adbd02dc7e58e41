"""API keys and roles: what a key is, who may do what, and how keys are hashed. Pure values and rules."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quitbutton.core.errors import BadRequest
from quitbutton.core.kept_words import Retention
from quitbutton.core.ladder.policy import Background
from quitbutton.core.value import value

ANONYMOUS = "anonymous"
"""The tenant of callers that show no key, where none is asked for."""
LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
"""Hosts on which only this machine can call."""
PREFIX = "qb_"
SECRET_BYTES = 32
SECRET_LETTERS = 43
"""Letters of a key after its prefix, six bits each."""
MIN_SECRET = 16
"""Fewest characters of a key that was not made here: of operators' keys in the settings, and of keys that are taken over."""
MAX_NAME = 80
MAX_RATE = 1_000_000
"""Most requests a minute that a limit may name."""
MAX_BODY = 1024 * 1024 * 1024
COARSE = 300.0
"""Seconds within which a last use is not written down anew."""
DAY = 86400.0
MAX_DAYS = 3650


class Role(StrEnum):
    """What a key is for."""

    CHAT = "chat"
    """The model endpoints, and one's own conversations, stops and feedback."""
    OPERATOR = "operator"
    """Everything of the operators' API."""
    AUDITOR = "auditor"
    """Reads what operators read; changes nothing."""


class Need(StrEnum):
    """What a route asks of its caller."""

    NOTHING = "nothing"
    CHAT = "chat"
    READ = "read"
    MANAGE = "manage"

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that may pass; for `NOTHING` everybody may."""
        return _ROLES[self]


_ROLES: Mapping[Need, frozenset[Role]] = {
    Need.NOTHING: frozenset(Role),
    Need.CHAT: frozenset({Role.CHAT}),
    Need.READ: frozenset({Role.OPERATOR, Role.AUDITOR}),
    Need.MANAGE: frozenset({Role.OPERATOR}),
}


@dataclass(frozen=True, slots=True)
class KeyRules:
    """What whoever makes a key decides. Raises `BadRequest`, naming the member and what is allowed."""

    name: str
    role: Role = Role.CHAT
    policy: str | None = None
    """The named policy of the settings that holds for it; None leaves it to the route."""
    requests_per_minute: int | None = None
    """None leaves it to the setting of the same name."""
    max_body: int | None = None
    """Largest request body in bytes; None leaves it to the setting."""
    expires_at: float | None = None
    retention: Retention | None = None
    """Whose words are kept; None leaves it to the setting."""
    background: Background | None = None
    """What its headers of background calls are worth; None leaves it to the policy."""

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > MAX_NAME or not self.name.isprintable():
            raise BadRequest(f"`name` must have 1 to {MAX_NAME} printable characters.")
        _within("requests_per_minute", self.requests_per_minute, 1, MAX_RATE)
        _within("max_body", self.max_body, 1, MAX_BODY)
        own = (self.policy, self.requests_per_minute, self.max_body, self.retention, self.background)
        if self.role is not Role.CHAT and any(own):
            raise BadRequest(
                "`policy`, `requests_per_minute`, `max_body`, `retention` and `background` are for keys of the role "
                "`chat` only."
            )


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the store has it: its digest, never the key."""

    id: str
    digest: str
    """The keyed digest that is also its tenant."""
    rules: KeyRules
    created_at: float
    created_by: str
    revoked_at: float | None = None
    last_used_at: float | None = None

    def is_valid(self, now: float) -> bool:
        """True while it opens anything."""
        return self.revoked_at is None and (self.rules.expires_at is None or now < self.rules.expires_at)

    def state(self, now: float) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.is_valid(now) else "expired"


@value
class Caller:
    """Who is calling, once that is known."""

    tenant: str
    """Whose conversations it sees: the digest of its key, or `anonymous`."""
    roles: frozenset[Role]
    name: str = ""
    """Who that is in words of the installation: a key's name, a person signed in."""
    key: Key | None = None
    """Its key in the store, if it has one there."""
    is_known: bool = False
    """True when it showed a key of this gateway, which then never goes upstream."""

    @property
    def rules(self) -> KeyRules:
        """What its key may have of its own; nothing for a caller without a key in the store."""
        return self.key.rules if self.key is not None else NO_RULES


def new_secret() -> str:
    """A key nobody can guess: 256 bits."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def is_made_here(token: str) -> bool:
    """True for what looks like a key of `new_secret`: where such a one is right, nobody has guessed it."""
    return token.startswith(PREFIX) and len(token) == len(PREFIX) + SECRET_LETTERS


def new_id() -> str:
    """The id of a key, by which it is named and revoked."""
    return "key_" + secrets.token_urlsafe(9)


def tenant_of(secret: bytes, token: str) -> str:
    """The tenant of a key: its digest under the installation's secret. The same wherever the key is kept."""
    return hashlib.blake2b(token.encode(), digest_size=16, key=secret, person=b"tenant").hexdigest()


def token_of(headers: Mapping[str, str]) -> str:
    """The key that a request shows, as `Authorization: Bearer` or `x-api-key`; else empty."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return (value if scheme.lower() == "bearer" else "").strip() or headers.get("x-api-key", "")


def expiry_of(text: str, now: float) -> float:
    """The time that `90d` or `12h` from now is. Raises `BadRequest`."""
    found = re.fullmatch(r"(\d{1,6})([dh])", text.strip())
    seconds = int(found[1]) * (DAY if found[2] == "d" else 3600.0) if found else 0
    if not 0 < seconds <= MAX_DAYS * DAY:
        raise BadRequest(f"An expiry is a number of days or hours such as 90d or 12h, {MAX_DAYS} days at most.")
    return now + seconds


def _within(name: str, value: int | None, low: int, high: int) -> None:
    if value is not None and not low <= value <= high:
        raise BadRequest(f"`{name}` must be from {low} to {high}, not {value}.")


NO_RULES = KeyRules(ANONYMOUS)
