"""One connection to PostgreSQL: how it is opened, a transaction on it, which failures may be tried again."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from quitbutton.core.errors import RecordRefused, SettingsError, StoreFailed
from quitbutton.stores.database import Params, Row, T
from quitbutton.stores.postgres_transaction import MoreLocks, PostgresTransaction

STATEMENT_SECONDS = 10
"""Most that one statement may take."""
LOCK_SECONDS = 5
"""Most that a transaction waits for another."""
IDLE_SECONDS = 15
"""After this time the server ends a transaction whose gateway stands still, with its locks."""
CONNECT_SECONDS = 5
MIGRATIONS = 0x71756975
"""The lock of migrations."""

IN_THE_WAY = frozenset({"40001", "40P01", "23505"})
"""Two transactions got in each other's way, and this one left no trace: run again it sees what the other did."""
GONE = frozenset({"57P01", "57P02", "57P03", "25006", "25P03", "0A000"})
"""The server goes away, became a replica, gave this connection up, or its prepared statements are out of date."""

REFUSED = ("22", "23", "54", "55P03")
"""Something is wrong with this record, or another transaction stands in its way: others can still be taken."""
NOT_LET_IN = ("28", "3D")
"""No such user, password or database: trying again does not help."""
INSIST = "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
"""On the disk before it is answered, also where the server is set to answer sooner."""


def conninfo_of(url: str) -> str:
    """Our settings for a connection, below those of the URL. Raises `SettingsError`, never with the URL in it."""
    try:
        named = conninfo_to_dict(url)
    except psycopg.Error:
        named = None
    if named is None:  # not in the handler: psycopg's own message may hold the password
        raise SettingsError("`store` is no URL that PostgreSQL takes: postgresql://USER:PASSWORD@HOST:5432/DATABASE")
    limits = {
        "statement_timeout": STATEMENT_SECONDS,
        "lock_timeout": LOCK_SECONDS,
        "idle_in_transaction_session_timeout": IDLE_SECONDS,
    }
    options = " ".join(f"-c {name}={seconds}s" for name, seconds in limits.items())
    own: dict[str, Any] = {
        "application_name": "quitbutton",
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": IDLE_SECONDS,
        "tcp_user_timeout": IDLE_SECONDS * 1000,
        "target_session_attrs": "read-write",
    }
    return make_conninfo(**{**own, **named, "options": f"{options} {named.get('options', '')}".strip()})


class Session:
    """A connection that is opened when it is needed, and opened again when it was lost."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self.connection: psycopg.Connection | None = None
        self.is_committing = False
        """True from the moment that a COMMIT may have reached the server: whether it counts is then known to it alone."""

    def opened(self) -> psycopg.Connection:
        """The connection. Raises `psycopg.Error`."""
        if self.connection is None or self.connection.closed:
            self.connection = psycopg.connect(self._conninfo, autocommit=True)
        return self.connection

    def read(self, sql: str, params: Params) -> list[Row]:
        """The rows of one query."""
        self.is_committing = False
        return PostgresTransaction(self.opened()).execute(sql, params)

    def write(
        self, work: Callable[[PostgresTransaction], T], durable: bool = False, locks: Collection[bytes] | None = None
    ) -> T:
        """Run `work` in a transaction and commit it."""
        wanted = None if locks is None else set(locks)
        while True:
            try:
                return self._write(work, durable, wanted)
            except MoreLocks as more:
                wanted = (wanted or set()) | more.keys

    def _write(self, work: Callable[[PostgresTransaction], T], durable: bool, locks: set[bytes] | None) -> T:
        self.is_committing = False
        transaction = PostgresTransaction(self.opened(), locks)
        try:
            transaction.begin()
            result = work(transaction)
            self.is_committing = True
            transaction.run([INSIST, "COMMIT"] if durable else ["COMMIT"])
        except BaseException:
            self._roll_back()
            raise
        self.is_committing = False
        return result

    def migrate(self, work: Callable[[PostgresTransaction], None]) -> None:
        """Run `work` in a transaction that excludes other migrations, however long its statements take."""
        transaction = PostgresTransaction(self.opened())
        try:
            patient = ["SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = 0"]
            transaction.run(["BEGIN", *patient, f"SELECT pg_advisory_xact_lock({MIGRATIONS})"])
            transaction.run([f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"])
            work(transaction)
            transaction.run(["COMMIT"])
        except BaseException:
            self._roll_back()
            raise

    def cut(self) -> None:
        """Wake up whoever waits on this connection, from another thread: it fails there as if the network had."""
        connection = self.connection
        if connection is None or connection.closed:
            return
        try:
            with socket.socket(fileno=socket.dup(connection.fileno())) as one:
                one.shutdown(socket.SHUT_RDWR)
        except (OSError, psycopg.Error):
            return

    def close(self) -> None:
        """Let go of the connection."""
        if self.connection is not None:
            self.connection.close()

    def _roll_back(self) -> None:
        connection = self.connection
        if connection is None or connection.closed:
            return
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()


def is_lost(session: Session, error: psycopg.Error) -> bool:
    """Whether the connection is of no more use, or there is none."""
    if session.connection is None or session.connection.closed or error.sqlstate in GONE:
        return True
    return error.sqlstate is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def may_try_again(session: Session, error: psycopg.Error) -> bool:
    """Whether what failed left no trace, so that doing it again does it once."""
    if error.sqlstate in IN_THE_WAY:
        return True
    refused = (error.sqlstate or "").startswith(NOT_LET_IN)
    return is_lost(session, error) and not session.is_committing and not refused


def failure_of(session: Session, error: psycopg.Error, is_read: bool) -> StoreFailed:
    """What to tell of a failure. Never its details, which hold what people said, nor where the database is."""
    what = error.diag.message_primary or "the connection failed"
    if is_read:
        return StoreFailed(f"The store cannot be read: {what}. Nothing was counted; try again.")
    if session.is_committing and is_lost(session, error):
        return StoreFailed(f"The store went away as it took the record: {what}. It may have been counted; try again.")
    kind = RecordRefused if (error.sqlstate or "").startswith(REFUSED) else StoreFailed
    return kind(f"The store did not take the record: {what}. Nothing was counted; try again.")
