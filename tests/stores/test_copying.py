"""`quitbutton store copy`: SQLite to PostgreSQL and back, all counted and compared; a target that is not new is refused."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from quitbutton.audit.signer import is_signed_by, signer_of
from quitbutton.cli.main import main
from quitbutton.core.errors import StoreFailed
from quitbutton.stores.audit import AuditLog
from quitbutton.stores.bulk import Bulk, sqlite_tables
from quitbutton.stores.checking import check_log
from quitbutton.stores.copying import copy
from quitbutton.stores.database import Row
from quitbutton.stores.keys import KeyStore
from quitbutton.stores.migrate import migrate
from quitbutton.stores.postgres_bulk import postgres_tables
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.stores.webhooks import Webhooks
from quitbutton.wiring import database_at
from tests.contracts.test_store import Signal, branch, climb, take
from tests.postgres import Server

SIGNER = signer_of("A" * 43 + "=", None)


@pytest.fixture
def lived(tmp_path: Path) -> str:
    """A SQLite file in which things happened."""
    path = str(tmp_path / "from.sqlite3")

    async def lives() -> None:
        store = SQLStore(SQLite(path))
        database = store._database
        await climb(store)
        await store.put_feedback("t", "end", "down", "a\x00b \x1a ☃ \t\\N\n", 1.5)
        await Webhooks(database).put("https://example.org", ["conversation.ended"], 0.1 + 0.2)
        await AuditLog(database, SIGNER).append(7.0)
        store.close()

    asyncio.run(lives())
    return path


async def goes_on(place: str) -> None:
    """What was copied is the same installation: its end holds, its trail is sound, its numbers go on."""
    database = database_at(place)
    store = SQLStore(database)
    ended = branch("m1", "m2", "m3", "m4")
    assert (await store.marks(ended)).by_address[ended.address].standing.rung == "ended"
    log = AuditLog(database, SIGNER, trusts_store=True)
    await take(store, branch("new"), Signal.NONE)
    await log.append(8.0)
    found = await check_log(log, is_signed_by)
    assert (found.problems, found.events) == ([], 5)
    assert await KeyStore(database).exist() == (False, False)
    store.close()


def test_there_and_back_again(lived: str, postgres: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url, back = postgres.new(), str(tmp_path / "back.sqlite3")
    assert main(["store", "copy", lived, url]) == 0
    first = capsys.readouterr().out
    assert "Every table is the same in both" in first
    assert main(["store", "copy", url, back]) == 0
    assert capsys.readouterr().out == first, "the same rows and digests"
    with sqlite3.connect(lived) as one, sqlite3.connect(back) as other:
        for table in ("turns", "events", "feedback", "webhooks", "nodes", "meta", "ends"):
            sql = f"SELECT * FROM {table} ORDER BY 1, 2"
            assert one.execute(sql).fetchall() == other.execute(sql).fetchall()
    asyncio.run(goes_on(url))
    asyncio.run(goes_on(back))


def test_a_target_that_is_not_new_is_refused_and_left_alone(
    lived: str, postgres: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    url = postgres.new()
    store = SQLStore(database_at(url))
    key = asyncio.run(store.address_key())
    assert main(["store", "copy", lived, url]) == 1
    assert "not empty" in capsys.readouterr().err
    assert asyncio.run(store.address_key()) == key
    store.close()


def test_a_source_that_is_none_or_older_is_refused(
    lived: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "to.sqlite3"
    assert main(["store", "copy", str(tmp_path / "none.sqlite3"), str(target)]) == 1
    assert not target.exists()
    with sqlite3.connect(lived) as connection:
        connection.execute("DELETE FROM migrations WHERE version = 8")
    assert main(["store", "copy", lived, str(target)]) == 1
    assert "another version" in capsys.readouterr().err
    assert main(["store", "copy", lived, lived]) == 1
    assert main(["store", "copy", ":memory:", lived]) == 1


class Losing:
    """Tables that lose the last row of each batch of turns."""

    def __init__(self, inner: Bulk) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        self._inner.put(table, columns, rows[:-1] if table == "turns" else rows)


def test_a_row_that_is_lost_on_the_way_is_noticed(lived: str, postgres: Server) -> None:
    url = postgres.new()
    database = database_at(url)
    migrate(database)
    database.close()

    @contextmanager
    def loses(write: bool) -> Iterator[Bulk]:
        with postgres_tables(url, write) as tables:
            yield Losing(tables)

    with pytest.raises(StoreFailed, match="`turns` is not what was copied"):
        copy(lambda write: sqlite_tables(lived, write), loses)
