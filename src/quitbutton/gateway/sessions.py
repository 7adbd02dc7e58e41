"""Sessions of people signed in: opened with a key or by a provider of identities, ended by time or by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from quitbutton.core.keys import Role
from quitbutton.core.sessions import Session, csrf_token, new_session_id, session_digest
from quitbutton.settings.installation import Settings
from quitbutton.stores.sessions import SessionStore


class IdentityProvider(Protocol):
    """Who vouches for people that sign in without a key."""

    async def begin(self, state: str, nonce: str, verifier: str) -> str:
        """The URL at which the browser signs in. Raises `UpstreamFailed`."""
        ...

    async def finish(self, code: str, nonce: str, verifier: str) -> Mapping[str, object]:
        """The claims of whoever came back. Raises `NotAllowed` or `UpstreamFailed`."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


@dataclass(slots=True)
class Sessions:
    """Opens, finds and ends sessions."""

    store: SessionStore
    secret: bytes = field(repr=False)
    idle: float
    """Seconds without a request after which a session is over."""
    lifetime: float
    """Seconds after which it is over in any case."""
    now: Callable[[], float] = time.time

    async def open(self, name: str, role: Role, key_digest: str | None = None) -> str:
        """A new session; its id, for the cookie alone."""
        session_id, now = new_session_id(), self.now()
        session = Session(session_digest(self.secret, session_id), key_digest, name, role, now, now)
        await self.store.put(session, self.idle, self.lifetime)
        return session_id

    async def find(self, session_id: str) -> Session | None:
        """The session with this id while it is live; finding it keeps it from idling."""
        session = await self.store.by_digest(session_digest(self.secret, session_id))
        if session is None:
            return None
        now = self.now()
        if not session.is_live(now, self.idle, self.lifetime):
            await self.store.drop(session.digest)
            return None
        await self.store.see(session, now)
        return session

    async def close(self, session_id: str) -> None:
        """Sign out; the id is worth nothing from now on."""
        await self.store.drop(session_digest(self.secret, session_id))

    def csrf(self, session_id: str) -> str:
        """The token that its pages send with what changes something."""
        return csrf_token(self.secret, session_id)


def sessions_of(settings: Settings, store: SessionStore, secret: bytes) -> Sessions:
    """The sessions of an installation, with the times of its settings."""
    return Sessions(store, secret, settings.session_idle, settings.session_lifetime)
