"""Whole tables in and out of PostgreSQL, by `COPY` and a cursor on the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from quitbutton.core.errors import StoreFailed
from quitbutton.stores.bulk import BATCH, Bulk
from quitbutton.stores.database import Row
from quitbutton.stores.postgres_session import conninfo_of
from quitbutton.stores.postgres_text import given, kept

COLUMNS = """SELECT c.table_name, c.column_name FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position"""
COUNTERS = """SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND is_identity = 'YES'"""


class PostgresTables:
    """Satisfies `Bulk` over a PostgreSQL connection."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table."""
        found: dict[str, tuple[str, ...]] = {}
        for table, column in self._connection.execute(COLUMNS):
            found[table] = (*found.get(table, ()), column)
        return found

    def count(self, table: str) -> int:
        """How many rows it has."""
        rows = self._connection.execute(f"SELECT COUNT(*) FROM {table}".encode()).fetchall()  # noqa: S608 - our tables
        return int(rows[0][0])

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[Row]]:
        """All rows, in batches."""
        with self._connection.cursor("rows") as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table}".encode())  # noqa: S608
            while batch := cursor.fetchmany(BATCH):
                yield given(batch)

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows."""
        into = f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()
        with self._connection.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows:
                copy.write_row(tuple(kept(dict(zip(columns, row, strict=True))).values()))

    def clear(self, table: str) -> None:
        """Remove all rows."""
        self._connection.execute(f"DELETE FROM {table}".encode())  # noqa: S608

    def finish(self) -> None:
        """Numbers that the database counts go on after the highest; the planner learns what there is."""
        for table, column in self._connection.execute(COUNTERS).fetchall():
            highest = f"(SELECT MAX({column}) FROM {table})"  # noqa: S608
            counter = f"pg_get_serial_sequence('{table}', '{column}')"
            self._connection.execute(f"SELECT setval({counter}, {highest}) WHERE {highest} IS NOT NULL".encode())
        self._connection.execute("ANALYZE")


@contextmanager
def postgres_tables(url: str, write: bool = False) -> Iterator[Bulk]:
    """A PostgreSQL database in one transaction, which is committed at the end of a `write`. Raises `StoreFailed`."""
    try:
        with psycopg.connect(conninfo_of(url), autocommit=True) as connection:
            how = "" if write else "ISOLATION LEVEL REPEATABLE READ READ ONLY"
            connection.execute(f"BEGIN {how}; SET LOCAL statement_timeout = 0".encode())
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield PostgresTables(connection)
            connection.execute("COMMIT")
    except psycopg.Error as error:
        what = error.diag.message_primary or str(error).strip().replace("\n", " ")
        raise StoreFailed(f"The PostgreSQL store cannot be {'written' if write else 'read'}: {what}.") from error
