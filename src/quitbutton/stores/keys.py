"""KeyStore: API keys by their digests. Every look-up asks the database, so that a revoked key is out everywhere at once."""

from __future__ import annotations

import time
from dataclasses import asdict

from quitbutton.core.errors import BadRequest
from quitbutton.core.kept_words import Retention
from quitbutton.core.keys import COARSE, Key, KeyRules, Role, new_id
from quitbutton.core.ladder.policy import Background
from quitbutton.stores.acts import record_operator_event
from quitbutton.stores.database import Database, Row, Transaction
from quitbutton.stores.queries import QUERIES

REMEMBERED_SECONDS = 1.0
"""How long it holds that there is no key yet."""


class KeyStore:
    """The keys of an installation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._exist: tuple[float, tuple[bool, bool]] | None = None

    async def put(self, rules: KeyRules, digest: str, by: str, at: float) -> Key:
        """Keep a new key. Raises `BadRequest` where the same key is kept already, revoked or not."""
        params = {**asdict(rules), "role": rules.role.value, "id": new_id(), "digest": digest, "by": by, "at": at}

        def work(transaction: Transaction) -> Row:
            transaction.execute(QUERIES["put_key"], params)
            row = transaction.execute(QUERIES["key_by_digest"], {"digest": digest})[0]
            if row[0] == params["id"]:
                record_operator_event(
                    transaction, "key.created", by, at, {"key": row[0], "role": rules.role, "policy": rules.policy}
                )
            return row

        key = _key_of(await self._database.write(work, durable=True))
        self._exist = None
        if key.id != params["id"]:
            raise BadRequest(
                f"This key is in the store already, as {key.id}. Revoked keys stay revoked; make a new one."
            )
        return key

    async def by_digest(self, digest: str) -> Key | None:
        """The key with this digest, valid or not."""
        rows = await self._database.read(QUERIES["key_by_digest"], {"digest": digest})
        return _key_of(rows[0]) if rows else None

    async def all(self) -> list[Key]:
        """Every key there ever was, oldest first."""
        return [_key_of(row) for row in await self._database.read(QUERIES["all_keys"])]

    async def exist(self) -> tuple[bool, bool]:
        """Whether there ever was a chat key, and whether there ever was any key. What was, stays."""
        now = time.monotonic()
        if self._exist is None or (now >= self._exist[0] and not all(self._exist[1])):
            rows = await self._database.read(QUERIES["key_roles"])
            self._exist = (now + REMEMBERED_SECONDS, (bool(rows[0][0]), bool(rows[0][1])))
        return self._exist[1]

    async def revoke(self, key_id: str, by: str, at: float) -> Key | None:
        """Revoke a key for good; the key, or nothing where there is none. The first time stands."""

        def work(transaction: Transaction) -> list[Row]:
            rows = transaction.execute(QUERIES["key_by_id"], {"id": key_id})
            if not rows or _key_of(rows[0]).revoked_at is not None:
                return rows
            transaction.execute(QUERIES["revoke_key"], {"id": key_id, "at": at})
            record_operator_event(transaction, "key.revoked", by, at, {"key": key_id})
            return transaction.execute(QUERIES["key_by_id"], {"id": key_id})

        rows = await self._database.write(work, durable=True)
        return _key_of(rows[0]) if rows else None

    async def use(self, key: Key, at: float) -> None:
        """Note that a key was used; coarsely, so that a busy key costs a write in minutes only."""
        if key.last_used_at is None or key.last_used_at < at - COARSE:
            params = {"id": key.id, "at": at}
            await self._database.write(lambda transaction: transaction.execute(QUERIES["use_key"], params))


def _key_of(row: Row) -> Key:
    key_id, digest, name, role, policy, rate, max_body, kept, background, expires, created, by, revoked, used = row
    retention = Retention(kept) if kept is not None else None
    trust = Background(background) if background is not None else None
    rules = KeyRules(name, Role(role), policy, rate, max_body, expires, retention, trust)
    return Key(key_id, digest, rules, created, by, revoked, used)
