"""An older file is brought forward with everything that is in it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from quitbutton.stores.database import Database, Transaction
from quitbutton.stores.migrate import migrate, statements
from quitbutton.stores.sqlite import SQLite

TURN = (b"a" * 32, b"r" * 32, b"r" * 32, "conv_a", "warned", 2, 1, 0, 0, "[]", None, 1.5, 2.5)
CONVERSATION = ("conv_a", "tenant", b"a" * 32, 1.5, 2.5, b"r" * 32, "warned", 1)


def test_rows_are_kept_where_tables_are_laid_out_anew(tmp_path: Path) -> None:
    old, new = SQLite(tmp_path / "old.sqlite3"), SQLite(tmp_path / "new.sqlite3")
    old.migrate(lambda transaction: _as_of(13, old, transaction))
    before = _shape(old)
    assert "WITHOUT ROWID" in before["turns"]

    migrate(old)
    migrate(new)

    assert _rows(old, "SELECT * FROM turns") == [(*TURN, 0, 0)], (
        "it was no message that only came along, and nothing was possible"
    )
    assert _rows(old, "SELECT * FROM conversations") == [CONVERSATION]
    assert _shape(old) == _shape(new)
    assert set(before) <= set(_shape(new)), "no index is lost"
    assert "WITHOUT ROWID" not in _shape(new)["turns"]
    old.close()
    new.close()


def _as_of(version: int, database: Database, transaction: Transaction) -> None:
    """A file as an older release left it, with a turn in it."""
    transaction.execute("CREATE TABLE migrations (version INTEGER PRIMARY KEY)")
    for script in sorted((files("quitbutton.stores") / "migrations").iterdir(), key=lambda one: one.name):
        number = int(script.name[:4])
        if number <= version:
            for statement in statements(script.read_text("utf-8"), database.words):
                transaction.execute(statement)
            transaction.execute("INSERT INTO migrations (version) VALUES (:version)", {"version": number})
    for table, row in (("turns", TURN), ("conversations", CONVERSATION)):
        names = [f"v{place}" for place in range(len(row))]
        values = ", ".join(f":{name}" for name in names)
        transaction.execute(f"INSERT INTO {table} VALUES ({values})", dict(zip(names, row, strict=True)))


def _rows(database: SQLite, sql: str) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    database.migrate(lambda transaction: found.extend(tuple(row) for row in transaction.execute(sql)))
    return found


def _shape(database: SQLite) -> dict[str, str]:
    rows = _rows(database, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {str(name): " ".join(str(sql).replace('"', "").split()) for name, sql in rows}
