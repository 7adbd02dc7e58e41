"""What every store must do with keys and sessions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from quitbutton.core.errors import BadRequest
from quitbutton.core.keys import COARSE, KeyRules, Role, new_secret, tenant_of
from quitbutton.core.sessions import SEEN_COARSE, Session
from quitbutton.stores.database import Database
from quitbutton.stores.keys import KeyStore
from quitbutton.stores.migrate import migrate
from quitbutton.stores.sessions import SessionStore
from tests.contracts.test_store import database as made

SECRET = bytes(32)


@pytest.fixture(params=["memory", "file", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    one = made(request, tmp_path)
    migrate(one)
    yield one
    one.close()


def test_a_key_is_kept_by_its_digest_alone(database: Database) -> None:
    async def scene() -> None:
        keys, token = KeyStore(database), new_secret()
        rules = KeyRules("shop", Role.CHAT, "careful", 60, 4096, 99.0)
        made = await keys.put(rules, tenant_of(SECRET, token), "ann", 1.0)
        assert made.rules == rules
        assert await keys.by_digest(tenant_of(SECRET, token)) == made
        assert await keys.by_digest(tenant_of(SECRET, token + "x")) is None
        assert await keys.by_digest(tenant_of(bytes([1]) * 32, token)) is None, "another installation's secret"
        rows = await database.read("SELECT * FROM keys")
        assert token not in str(rows)
        assert (await keys.all(), await keys.exist()) == ([made], (True, True))

    asyncio.run(scene())


def test_a_revoked_key_stays_revoked(database: Database) -> None:
    async def scene() -> None:
        keys, digest = KeyStore(database), tenant_of(SECRET, "k")
        made = await keys.put(KeyRules("one", Role.OPERATOR), digest, "ann", 1.0)
        assert await keys.exist() == (False, True)
        first, second = await keys.revoke(made.id, "ann", 5.0), await keys.revoke(made.id, "bob", 9.0)
        assert first is not None
        assert first == second
        assert (first.revoked_at, first.is_valid(6.0), first.state(6.0)) == (5.0, False, "revoked")
        with pytest.raises(BadRequest, match=made.id):
            await keys.put(KeyRules("again"), digest, "ann", 10.0)
        assert await keys.revoke("key_none", "ann", 1.0) is None
        assert await keys.exist() == (False, True), "revoking the last key opens nothing"
        events = await database.read("SELECT kind, at, body FROM events ORDER BY seq")
        assert [tuple(row[:2]) for row in events] == [("key.created", 1.0), ("key.revoked", 5.0)]
        assert all(json.loads(row[2])["by"] == "ann" and made.id in row[2] for row in events)
        assert digest not in str(events)

    asyncio.run(scene())


def test_a_last_use_is_noted_coarsely_and_never_goes_back(database: Database) -> None:
    async def scene() -> None:
        keys, digest = KeyStore(database), tenant_of(SECRET, "k")
        await keys.put(KeyRules("one"), digest, "ann", 1.0)
        for at, noted in ((100.0, 100.0), (100.0 + COARSE, 100.0), (101.0 + COARSE, 101.0 + COARSE), (50.0, 401.0)):
            key = await keys.by_digest(digest)
            assert key is not None
            await keys.use(key, at)
            now = await keys.by_digest(digest)
            assert now is not None
            assert now.last_used_at == noted

    asyncio.run(scene())


def test_expiry_is_a_moment(database: Database) -> None:
    async def scene() -> None:
        made = await KeyStore(database).put(KeyRules("one", expires_at=10.0), "d", "ann", 1.0)
        assert [made.state(at) for at in (9.9, 10.0)] == ["active", "expired"]

    asyncio.run(scene())


def test_sessions_are_found_seen_and_dropped(database: Database) -> None:
    async def scene() -> None:
        store = SessionStore(database)
        await store.put(Session("d1", "k", "ann", Role.OPERATOR, 0.0, 0.0), 50.0, 100.0)
        one = await store.by_digest("d1")
        assert one == Session("d1", "k", "ann", Role.OPERATOR, 0.0, 0.0)
        await store.see(one, SEEN_COARSE)
        assert (await store.by_digest("d1")) == one, "seen a moment ago"
        await store.see(one, SEEN_COARSE + 1)
        seen = await store.by_digest("d1")
        assert seen is not None
        assert seen.seen_at == SEEN_COARSE + 1
        assert [seen.is_live(at, 50.0, 100.0) for at in (99.9, 100.0)] == [True, False]
        assert [one.is_live(at, 50.0, 100.0) for at in (49.9, 50.0)] == [True, False]
        await store.put(Session("d2", None, "bob", Role.AUDITOR, 200.0, 200.0), 50.0, 100.0)
        assert await store.by_digest("d1") is None, "what is over is forgotten when the next begins"
        await store.drop("d2")
        assert await store.by_digest("d2") is None

    asyncio.run(scene())


def test_a_sign_in_under_way_is_given_once_and_not_too_late(database: Database) -> None:
    async def scene() -> None:
        store = SessionStore(database)
        for name in ("s1", "s2"):
            await store.put_sign_in(name, "nonce", "verifier", 10.0)
        assert await store.take_sign_in("s1", 5.0) == ("nonce", "verifier")
        assert await store.take_sign_in("s1", 5.0) is None
        assert await store.take_sign_in("s2", 11.0) is None, "too late"

    asyncio.run(scene())
