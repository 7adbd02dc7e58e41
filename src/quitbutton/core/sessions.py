"""Sessions of people signed in to the console: random ids, of which only keyed digests are kept. Pure values and rules."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from quitbutton.core.keys import Role

COOKIE = "quitbutton_session"
SECURE_COOKIE = "__Host-quitbutton_session"
"""Its name over HTTPS: no other host or path can set a cookie of this name."""
CSRF_HEADER = "x-quitbutton-csrf"
SEEN_COARSE = 60.0
"""Seconds within which another request of a session is not written down anew."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, since when."""

    digest: str
    key_digest: str | None
    """The key it was opened with, which must still be valid; None where a provider of identities vouched."""
    name: str
    role: Role
    created_at: float
    seen_at: float

    def is_live(self, now: float, idle: float, lifetime: float) -> bool:
        """True while it was neither left alone for too long nor open for too long."""
        return now < self.seen_at + idle and now < self.created_at + lifetime


def new_session_id() -> str:
    """A session id nobody can guess: 256 bits."""
    return secrets.token_urlsafe(32)


def session_digest(secret: bytes, session_id: str) -> str:
    """What the store keeps of a session's id."""
    return _digest(secret, session_id, b"session")


def sign_in_digest(secret: bytes, state: str, browser: str) -> str:
    """What the store keeps of a sign-in under way: the state that the provider gives back, and the browser's cookie."""
    return _digest(secret, f"{state} {browser}", b"sign-in")


def csrf_token(secret: bytes, session_id: str) -> str:
    """The token that a session's own pages send with what changes something; other sites cannot know it."""
    return _digest(secret, session_id, b"csrf")


def has_csrf_token(secret: bytes, session_id: str, headers: Mapping[str, str]) -> bool:
    """True when a request carries its session's token; compared in constant time."""
    return hmac.compare_digest(headers.get(CSRF_HEADER, "").encode(), csrf_token(secret, session_id).encode())


def session_id_of(headers: Mapping[str, str], is_secure: bool) -> str:
    """The session id in the cookie; else empty."""
    return cookie_of(headers, SECURE_COOKIE if is_secure else COOKIE)


def cookie_of(headers: Mapping[str, str], name: str) -> str:
    """The value of a cookie; else empty."""
    for part in headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""


def set_cookie(session_id: str, is_secure: bool, seconds: float) -> str:
    """The `Set-Cookie` header that opens a session, or, with no id, ends it."""
    name = SECURE_COOKIE if is_secure else COOKIE
    age = int(seconds) if session_id else 0
    secure = "; Secure" if is_secure else ""
    return f"{name}={session_id}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}"


def _digest(secret: bytes, text: str, person: bytes) -> str:
    return hashlib.blake2b(text.encode(), digest_size=32, key=secret, person=person).hexdigest()
