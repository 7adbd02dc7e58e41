"""A transaction on PostgreSQL: how it begins, its statements, its locks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import psycopg

from quitbutton.stores.database import NOTHING, Params, Row
from quitbutton.stores.postgres_rows import from_rows, packed, types_of
from quitbutton.stores.postgres_text import given, kept, placed

MANY = 256
"""Locks of a transaction; with more it locks out all that lock anything."""
ALL = 0x71756974
"""The lock that every transaction with locks shares."""


class MoreLocks(Exception):
    """A transaction found that it needs these as well: it begins again with all of them."""

    def __init__(self, keys: set[bytes]) -> None:
        super().__init__()
        self.keys = keys


class PostgresTransaction:
    """What `work` runs its statements on."""

    def __init__(self, connection: psycopg.Connection, locks: set[bytes] | None = None) -> None:
        self._connection = connection
        self._locks = locks

    @property
    def is_alone(self) -> bool:
        """True when it runs as if no other did."""
        return self._locks is None

    def execute(self, sql: str, params: Params = NOTHING, /) -> list[Row]:
        """Run one statement; its rows, if it has any."""
        cursor = self._connection.execute(placed(sql), kept(params))
        return given(cursor.fetchall()) if cursor.description else []

    def insert(self, sql: str, rows: Sequence[Params], /) -> None:
        """All rows in one statement, as one parameter: the way to the server is what takes long, not the rows."""
        if rows:
            self._connection.execute(from_rows(sql, types_of(rows)), [packed(rows)])

    def lock(self, keys: Iterable[bytes], /) -> None:
        """Keep out others that lock one of these. Locks are taken at the beginning only, in one order: no circle can form."""
        if self._locks is not None and (fresh := set(keys) - self._locks):
            raise MoreLocks(fresh)

    def begin(self) -> None:
        """Open it. Its number is taken before any event's, which `settled` relies on."""
        how = "SERIALIZABLE" if self._locks is None else "READ COMMITTED"
        self.run([f"BEGIN ISOLATION LEVEL {how}", "SELECT pg_current_xact_id()", *self._lock_lines()])

    def run(self, lines: list[str]) -> None:
        """Several statements without parameters, on one way to the server."""
        if lines:
            self._connection.execute("; ".join(lines).encode())

    def _lock_lines(self) -> list[str]:
        if self._locks is None:
            return []
        if len(self._locks) > MANY:
            return [f"SELECT pg_advisory_xact_lock({ALL})"]
        numbers = ",".join(map(str, sorted(map(_number, self._locks))))
        own = f"SELECT pg_advisory_xact_lock(one) FROM unnest('{{{numbers}}}'::bigint[]) AS one"  # noqa: S608 - numbers
        return [f"SELECT pg_advisory_xact_lock_shared({ALL})", own]


def _number(key: bytes) -> int:
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big", signed=True)
