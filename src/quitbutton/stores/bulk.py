"""Whole tables in and out of a database, for moving an installation; and the same for SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from quitbutton.core.errors import StoreFailed
from quitbutton.stores.database import Row

BATCH = 1000
"""Rows at a time."""


class Bulk(Protocol):
    """A database as tables, within one transaction."""

    def tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table."""
        ...

    def count(self, table: str) -> int:
        """How many rows it has."""
        ...

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[Row]]:
        """All rows, in batches."""
        ...

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows."""
        ...

    def clear(self, table: str) -> None:
        """Remove all rows."""
        ...

    def finish(self) -> None:
        """After the last row: numbers that the database counts go on after the highest."""
        ...


class SQLiteTables:
    """Satisfies `Bulk` over a SQLite connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table."""
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        return {
            name: tuple(row[1] for row in self._connection.execute(f"PRAGMA table_info({name})"))
            for (name,) in self._connection.execute(names).fetchall()
        }

    def count(self, table: str) -> int:
        """How many rows it has."""
        return int(self._connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608 - our tables

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[Row]]:
        """All rows, in batches."""
        cursor = self._connection.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608
        while batch := cursor.fetchmany(BATCH):
            yield batch

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows."""
        places = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)  # noqa: S608

    def clear(self, table: str) -> None:
        """Remove all rows."""
        self._connection.execute(f"DELETE FROM {table}")  # noqa: S608

    def finish(self) -> None:
        """Nothing to do: SQLite counts on from the highest by itself."""


@contextmanager
def sqlite_tables(path: str, write: bool = False) -> Iterator[Bulk]:
    """A SQLite file in one transaction, which is committed at the end of a `write`. Raises `StoreFailed`."""
    if not write and not Path(path).is_file():
        raise StoreFailed(f"There is no SQLite file {path}.")
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            yield SQLiteTables(connection)
            connection.execute("COMMIT" if write else "ROLLBACK")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreFailed(f"The SQLite file {path} cannot be {'written' if write else 'read'}: {error}.") from error
