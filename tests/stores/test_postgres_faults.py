"""PostgreSQL going away, coming back, standing still, being full: clear errors or waits, no turn lost or counted twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from psycopg.errors import SerializationFailure

from quitbutton.core.errors import StoreFailed
from quitbutton.core.ladder.transitions import Signal
from quitbutton.stores import postgres as postgres_module
from quitbutton.stores import postgres_session
from quitbutton.stores.database import Transaction
from quitbutton.stores.postgres import Postgres
from quitbutton.stores.postgres_transaction import PostgresTransaction
from quitbutton.stores.sql import SQLStore
from tests.contracts.test_store import CLEAN, branch, take
from tests.postgres import Server

COUNT = "SELECT (SELECT COUNT(*) FROM events), (SELECT COUNT(*) FROM turns)"


@pytest.fixture
def own() -> Iterator[Server]:
    """A server for one test, to be stopped and paused."""
    one = Server()
    yield one
    one.close()


class Load:
    """Turns one after another, from several clients at once."""

    def __init__(self, store: SQLStore) -> None:
        self.store = store
        self.taken = 0
        self.failed: list[StoreFailed] = []
        self.stopped = False

    async def client(self, number: int) -> None:
        turn = 0
        while not self.stopped:
            turn += 1
            try:
                await take(self.store, branch(f"{number}.{turn}"), Signal.NONE, CLEAN)
                self.taken += 1
            except StoreFailed as error:
                self.failed.append(error)

    async def runs(self, trouble: object, clients: int = 6) -> None:
        """While there is load, `trouble` happens twice."""
        clients_ = [asyncio.create_task(self.client(number)) for number in range(clients)]
        for _ in range(2):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(trouble)
        await asyncio.sleep(0.5)
        self.stopped = True
        await asyncio.gather(*clients_)

    async def check(self) -> None:
        """Every acknowledged turn is there once; one more at most for each that failed in its commit."""
        events, turns = (await self.store._database.read(COUNT))[0]
        unknown = sum("may have been counted" in str(error) for error in self.failed)
        assert self.taken <= events == turns <= self.taken + unknown
        assert self.taken > 50


def test_connections_that_are_cut_are_made_anew(postgres: Server) -> None:
    url = postgres.new()

    async def scene() -> None:
        load = Load(SQLStore(Postgres(url, connections=4)))
        await load.runs(lambda: postgres.cut(url))
        await load.check()
        load.store.close()

    asyncio.run(scene())


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_restarted_under_load_loses_and_doubles_nothing(own: Server, how: str) -> None:
    def restart() -> None:
        own.stop(how)
        time.sleep(0.2)
        own.start()

    async def scene() -> None:
        load = Load(SQLStore(Postgres(own.new(), connections=4)))
        await load.runs(restart)
        await load.check()
        told = [str(error) for error in load.failed]
        assert all("may have been counted" in one for one in told), f"all others waited: {told}"
        load.store.close()

    asyncio.run(scene())


def test_a_server_that_stands_still_is_told_of_in_time_and_waited_for(
    own: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "PATIENCE", 1.0)
    monkeypatch.setattr(postgres_session, "CONNECT_SECONDS", 2)

    async def scene() -> None:
        store = SQLStore(Postgres(own.new(), connections=2))
        await take(store, branch("before"), Signal.NONE, CLEAN)
        own.pause()
        try:
            began = time.monotonic()
            jobs = [store.ping() for _ in range(4)] + [take(store, branch("while"), Signal.NONE, CLEAN)]
            told = await asyncio.gather(*jobs, return_exceptions=True)
            assert all(isinstance(one, StoreFailed) and one.status == 503 for one in told), told
            assert time.monotonic() - began < 4
        finally:
            own.resume()
        await take(store, branch("after"), Signal.NONE, CLEAN)
        store.close()

    asyncio.run(scene())


def test_a_server_that_is_away_is_told_of_and_found_again(
    own: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgres_module, "PATIENCE", 0.5)

    async def scene() -> None:
        store = SQLStore(Postgres(own.new(), connections=2))
        own.stop()
        with pytest.raises(StoreFailed, match="cannot be read") as told:
            await store.ping()
        assert "127.0.0.1" not in str(told.value), "clients need not know where the database is"
        assert "127.0.0.1" in caplog.text, "operators do"
        with pytest.raises(StoreFailed, match="Nothing was counted"):
            await store.put_feedback("t", "a", "up", "x", 1.0)
        with pytest.raises(StoreFailed, match="cannot be opened"):
            SQLStore(Postgres(own.url(), connections=1))
        own.start()
        await store.ping()
        store.close()

    asyncio.run(scene())


def test_a_statement_that_takes_too_long_is_ended(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_session, "STATEMENT_SECONDS", 1)

    async def scene() -> None:
        database = Postgres(postgres.new(), connections=1)
        with pytest.raises(StoreFailed, match="cannot be read: canceling statement"):
            await database.read("SELECT pg_sleep(5)")
        assert await database.read("SELECT 1") == [(1,)]
        database.close()

    asyncio.run(scene())


def test_what_is_committed_as_the_patience_ends_is_not_called_uncounted(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway stands still between the commit and the news of it."""
    monkeypatch.setattr(postgres_module, "PATIENCE", 0.5)

    async def scene() -> None:
        one = Postgres(postgres.new(), connections=1)
        await one.write(lambda transaction: transaction.execute("SELECT 1"))
        loop = asyncio.get_running_loop()
        tell = loop.call_soon_threadsafe

        def late(*news: object) -> asyncio.Handle:
            time.sleep(1)
            return tell(*news)

        monkeypatch.setattr(loop, "call_soon_threadsafe", late)
        assert await one.write(lambda transaction: transaction.execute("SELECT 7")) == [(7,)]
        one.close()

    asyncio.run(scene())


def test_more_at_once_than_connections_wait_for_their_turn(postgres: Server) -> None:
    async def scene() -> None:
        store = SQLStore(Postgres(postgres.new(), connections=1))
        await asyncio.gather(*(take(store, branch(f"m{n}"), Signal.NONE, CLEAN) for n in range(150)))
        assert tuple((await store._database.read(COUNT))[0]) == (150, 150)
        store.close()

    asyncio.run(scene())


def test_a_database_that_takes_no_more_connections_is_waited_for(postgres: Server) -> None:
    async def scene() -> None:
        url = postgres.new()
        store = SQLStore(Postgres(url, connections=4))
        name = url.rpartition("/")[2]
        admin = Postgres(postgres.url(), connections=1)
        await admin.read(f'ALTER DATABASE "{name}" CONNECTION LIMIT 2')
        await asyncio.gather(*(take(store, branch(f"m{n}"), Signal.NONE, CLEAN) for n in range(40)))
        assert (await store._database.read("SELECT COUNT(*) FROM turns"))[0][0] == 40, "each was written"
        admin.close()
        store.close()

    asyncio.run(scene())


def test_whoever_holds_a_lock_too_long_is_told_of(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_session, "LOCK_SECONDS", 1)

    async def scene() -> None:
        url = postgres.new()
        one, other = Postgres(url, connections=2), Postgres(url, connections=2)
        SQLStore(one)

        def slow(transaction: Transaction) -> None:
            time.sleep(1.5)

        held = asyncio.create_task(one.write(slow, locks=(b"k",)))
        await asyncio.sleep(0.2)
        with pytest.raises(StoreFailed, match="lock timeout"):
            await other.write(lambda transaction: None, locks=(b"k",))
        await held
        await other.write(lambda transaction: None, locks=(b"k",))
        one.close()
        other.close()

    asyncio.run(scene())


def test_many_locks_become_one_that_keeps_out_all(postgres: Server) -> None:
    async def scene() -> None:
        database = Postgres(postgres.new(), connections=2)
        order: list[str] = []

        def holds(transaction: Transaction) -> None:
            order.append("many")
            time.sleep(0.3)
            order.append("many done")

        many = [str(number).encode() for number in range(300)]
        held = asyncio.create_task(database.write(holds, locks=many))
        await asyncio.sleep(0.1)
        await database.write(lambda transaction: order.append("one"), locks=(b"other",))
        await held
        assert order == ["many", "many done", "one"]
        began = time.monotonic()
        await asyncio.gather(*(database.write(lambda transaction: None, locks=many) for _ in range(8)))
        assert time.monotonic() - began < 0.9, "they never wait for each other in a circle"
        database.close()

    asyncio.run(scene())


def test_a_record_that_is_tried_again_locks_what_it_locked_before(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[set[bytes]] = []
    begin = PostgresTransaction.begin

    def failing(transaction: PostgresTransaction) -> None:
        locked.append(set(transaction._locks or ()))
        if len(locked) == 1:
            raise SerializationFailure("somebody was faster")
        begin(transaction)

    async def scene() -> None:
        store = SQLStore(Postgres(postgres.new(), connections=1))
        one = branch("a", "b")
        monkeypatch.setattr(PostgresTransaction, "begin", failing)
        await take(store, one, Signal.NONE, CLEAN)
        assert locked[0] == locked[1]
        assert {*one.addresses} <= locked[0]
        store.close()

    asyncio.run(scene())
