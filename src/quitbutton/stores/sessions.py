"""SessionStore: who is signed in, and sign-ins under way; ids only as digests."""

from __future__ import annotations

from quitbutton.core.keys import Role
from quitbutton.core.oidc import SIGN_IN_SECONDS
from quitbutton.core.sessions import SEEN_COARSE, Session
from quitbutton.stores.acts import record_operator_event
from quitbutton.stores.database import Database, Row, Transaction
from quitbutton.stores.queries import QUERIES


class SessionStore:
    """The sessions of an installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, session: Session, idle: float, lifetime: float) -> None:
        """Keep a new session, and forget those that are over."""
        now = session.created_at
        params = {
            "digest": session.digest,
            "key_digest": session.key_digest,
            "name": session.name,
            "role": session.role.value,
            "at": now,
        }

        def work(transaction: Transaction) -> None:
            transaction.execute(QUERIES["drop_old_sessions"], {"created": now - lifetime, "seen": now - idle})
            transaction.execute(QUERIES["put_session"], params)
            record_operator_event(transaction, "session.opened", session.name, now, {"role": session.role})

        await self._database.write(work)

    async def by_digest(self, digest: str) -> Session | None:
        """The session with this digest, live or not."""
        rows = await self._database.read(QUERIES["session_by_digest"], {"digest": digest})
        if not rows:
            return None
        found, key_digest, name, role, created, seen = rows[0]
        return Session(found, key_digest, name, Role(role), created, seen)

    async def see(self, session: Session, at: float) -> None:
        """Note that a session was used; coarsely."""
        if session.seen_at < at - SEEN_COARSE:
            params = {"digest": session.digest, "at": at}
            await self._database.write(lambda transaction: transaction.execute(QUERIES["see_session"], params))

    async def drop(self, digest: str) -> None:
        """Sign out."""
        await self._database.write(
            lambda transaction: transaction.execute(QUERIES["drop_session"], {"digest": digest}), durable=True
        )

    async def put_sign_in(self, digest: str, nonce: str, verifier: str, at: float) -> None:
        """Remember a sign-in that a provider of identities is asked about."""
        params = {"digest": digest, "nonce": nonce, "verifier": verifier, "at": at}

        def work(transaction: Transaction) -> None:
            transaction.execute(QUERIES["drop_sign_in"], {"digest": digest, "before": at - SIGN_IN_SECONDS})
            transaction.execute(QUERIES["put_sign_in"], params)

        await self._database.write(work)

    async def take_sign_in(self, digest: str, since: float) -> tuple[str, str] | None:
        """Nonce and verifier of a sign-in begun after `since`; each is given once."""

        def work(transaction: Transaction) -> list[Row]:
            rows = transaction.execute(QUERIES["sign_in"], {"digest": digest})
            transaction.execute(QUERIES["drop_sign_in"], {"digest": digest, "before": since})
            return rows

        rows = await self._database.write(work)
        return (rows[0][0], rows[0][1]) if rows and rows[0][2] >= since else None
