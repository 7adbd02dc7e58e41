"""SQLite: connect, transact, place parameters; one writer thread that commits turns in groups."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from quitbutton.core.errors import QuitbuttonError, RecordRefused, StoreFailed
from quitbutton.settings.files import private_file, private_folder, tighten
from quitbutton.stores.database import EVERYTHING, NOTHING, Load, Params, Row, T, Transaction

MAX_GROUP = 256
"""Most transactions that share one commit."""
PAGE_BYTES = 2048
"""Of a new file. A turn touches a handful of pages at random places, and each is written as a whole."""
CACHE_KIB, JOBS_CACHE_KIB = 16 * 1024, 6 * 1024
"""Pages kept in memory: where turns are looked up and written, and on the thread, whose jobs go through the file in order."""
CHECKPOINT_SECONDS = 2.0
"""How often the log of what was written is brought into the file, by a thread of its own: no turn waits for that."""
LARGE_LOG = 16_000
"""Pages of the log at which that thread lets nobody write until it begins anew, which else it never does under load."""
LARGEST_LOG = 16 * LARGE_LOG
"""Pages at which whoever writes next does it, where that thread does not keep up."""
RESTART_SECONDS = 0.05
"""How long writers wait for that, where somebody reads from the log; then it grows on."""
BUSY_SECONDS = 10
"""How long a write waits for another process."""
MIGRATE_SECONDS = 600
"""How long the start of a process waits for another one that brings a big file forward."""

WORDS = {"database": "sqlite", "blob": "BLOB", "rowid": "INTEGER PRIMARY KEY AUTOINCREMENT", "tail": "WITHOUT ROWID"}


_NAME = re.compile(r":([a-z_]\w*)")


@dataclass(slots=True)
class _Job:
    work: Callable[[Transaction], Any]
    durable: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class _Connection:
    is_alone = True

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, sql: str, params: Params = NOTHING, /) -> list[Row]:
        return _rows(self.connection, sql, params)

    def insert(self, sql: str, rows: Sequence[Params], /) -> None:
        """A statement for each row: one with many rows keeps what it may have to take back, from 64 KB on in a file."""
        if rows:
            statement, in_order = _in_order(sql)
            self.connection.executemany(statement, map(in_order, rows))

    def lock(self, keys: Iterable[bytes], /) -> None:
        """Nothing to do: there is one writer."""


def _identity(path: str) -> tuple[int, int] | None:
    """What the system knows the file by that is at this path now."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _wait_for(connection: sqlite3.Connection, seconds: float) -> None:
    """How long its statements wait for other connections from now on."""
    connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


def _rows(connection: sqlite3.Connection, sql: str, params: Params) -> list[Row]:
    statement, in_order = _in_order(sql)
    return connection.execute(statement, in_order(params)).fetchall()


@lru_cache(maxsize=512)
def _in_order(sql: str) -> tuple[str, Callable[[Params], Sequence[object]]]:
    """A statement and what puts its parameters in their order: SQLite finds each by its name among all the others."""
    names, statement = _NAME.findall(sql), _NAME.sub("?", sql)
    match names:
        case []:
            return statement, lambda params: ()
        case [name]:
            return statement, lambda params: (params[name],)
        case _:
            return statement, itemgetter(*names)


class SQLite:
    """A SQLite file in WAL mode. Reads and most writes run where they are asked for (microseconds), others on one thread.

    A write is one transaction. On the thread those that wait at the same time share a commit; each is a savepoint, so that
    one that fails takes no other with it. A `durable` write is on the disk, not only with the operating system, before it is
    answered: it goes there, and so does one that is not `quick` or finds the file locked. The event loop waits for no disk,
    and for no lock.
    """

    words = WORDS
    is_in_process = True
    at_once = 1

    def __init__(self, path: Path | str) -> None:
        self._path = str(path)
        self._in_memory = self._path == ":memory:"
        if not self._in_memory:
            _keep_private(Path(path))
        self._writer = self._connect()
        self._near = self._writer if self._in_memory else self._connect(patience=0, cache=CACHE_KIB)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="quitbutton-sqlite-writer", daemon=True)
        self._thread.start()
        self._closing = threading.Event()
        self._checkpoints = threading.Thread(target=self._checkpoint, name="quitbutton-sqlite-checkpoints", daemon=True)
        self._files: dict[str, tuple[int, int]] = {}
        """The file and its log, each with what the system knows it by: it may be deleted or replaced while it is open."""
        if not self._in_memory:
            self._checkpoints.start()

    def _connect(self, patience: float = BUSY_SECONDS, cache: int = JOBS_CACHE_KIB) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS, cached_statements=256
            )
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode = WAL")
            _wait_for(connection, patience)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA cache_size = -{cache}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LARGEST_LOG}")
        except sqlite3.Error as error:
            raise StoreFailed(
                f"Cannot open the SQLite file {self._path}: {error}. Check its path and rights."
            ) from error
        return connection

    @property
    def load(self) -> Load:
        """What waits and what works, at this moment."""
        return Load(self._jobs.qsize(), int(self._writer.in_transaction), 1 + (self._near is not self._writer))

    async def ping(self) -> None:
        """Raises `StoreFailed` where it cannot be read, or what is written now would be lost."""
        self._check_files()
        await self.read("SELECT 1")

    def _check_files(self) -> None:
        """Raises `StoreFailed` where the files that are open are no longer those at their paths: whatever is written goes
        into what nobody finds after a restart."""
        for path, known in self._files.items():
            if _identity(path) != known:
                raise StoreFailed(
                    f"The SQLite file {path} was deleted or replaced while it was in use. What is written now would be lost: "
                    "stop the gateway, put the file back from a backup, start again."
                )

    async def read(self, sql: str, params: Params = NOTHING, /) -> list[Row]:
        """The rows of one query."""
        if self._in_memory:
            return await self.write(lambda transaction: transaction.execute(sql, params))
        try:
            return _rows(self._near, sql, params)
        except sqlite3.OperationalError as error:
            if is_locked(error):
                return await self.write(lambda transaction: transaction.execute(sql, params))
            raise StoreFailed(f"The store cannot be read: {error}. Nothing was counted; try again.") from error
        except sqlite3.Error as error:
            raise StoreFailed(f"The store cannot be read: {error}. Nothing was counted; try again.") from error

    async def write(
        self,
        work: Callable[[Transaction], T],
        durable: bool = False,
        locks: Collection[bytes] | None = None,
        quick: bool = False,
    ) -> T:
        """Run `work` in a transaction; its result once that is committed. All of it happens, or nothing.

        `work` may run a statement after another, nothing else. It always runs alone.
        """
        self._check_files()
        if quick and not (durable or self._in_memory) and self._begin():
            return self._written(work)
        loop = asyncio.get_running_loop()
        job = _Job(work, durable, loop, loop.create_future())
        self._jobs.put(job)
        result: T = await asyncio.shield(job.future)
        return result

    def _begin(self) -> bool:
        """Open a transaction here and now, unless somebody else has one."""
        if not self._jobs.empty():
            return False  # what came before goes before
        try:
            self._near.execute("BEGIN IMMEDIATE")
            return True
        except sqlite3.OperationalError:
            return False  # the thread waits for the lock, or says what is wrong

    def _written(self, work: Callable[[Transaction], T]) -> T:
        try:
            result = work(_Connection(self._near))
            self._near.execute("COMMIT")
            return result
        except Exception as error:
            if self._near.in_transaction:
                self._near.execute("ROLLBACK")
            raise failure_of(error) from error

    async def settled(self) -> int:
        """Every number: with one writer, events appear in the order of their numbers."""
        return EVERYTHING

    def migrate(self, work: Callable[[Transaction], None]) -> None:
        """Run `work` in a transaction that excludes every other process. For migrations, before the first turn."""
        _wait_for(self._writer, MIGRATE_SECONDS)
        try:
            self._writer.execute("BEGIN EXCLUSIVE")
            _wait_for(self._writer, BUSY_SECONDS)
            work(_Connection(self._writer))
            self._writer.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise StoreFailed(
                f"Cannot write to the SQLite file {self._path}: {error}. Check its rights, its folder's, and the disk."
            ) from error
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            _wait_for(self._writer, BUSY_SECONDS)
        if not self._in_memory:
            self._files = {path: found for path in (self._path, f"{self._path}-wal") if (found := _identity(path))}

    def close(self) -> None:
        """Finish the writes that wait, then close."""
        self._closing.set()
        self._jobs.put(None)
        self._thread.join(timeout=BUSY_SECONDS)
        if self._checkpoints.is_alive():
            self._checkpoints.join(timeout=BUSY_SECONDS)
        if self._near is not self._writer:
            self._near.close()
        self._writer.close()

    def _checkpoint(self) -> None:
        connection = self._connect(RESTART_SECONDS)
        while not self._closing.wait(CHECKPOINT_SECONDS):
            with suppress(sqlite3.Error):  # the next one, or the writer, does it
                [(_, pages, done)] = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                if pages >= LARGE_LOG and done > pages // 2:  # unless somebody still reads an old state of the file
                    connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        connection.close()

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            group = [job]
            last = False
            while len(group) < MAX_GROUP and not self._jobs.empty():
                more = self._jobs.get()
                if more is None:
                    last = True
                    break
                group.append(more)
            self._commit(group)
            for done in group:
                done.loop.call_soon_threadsafe(_answer, done)
            if last:
                return

    def _commit(self, group: list[_Job]) -> None:
        transaction = _Connection(self._writer)
        durable = any(job.durable for job in group)
        try:
            if durable:
                self._writer.execute("PRAGMA synchronous = FULL")
            self._writer.execute("BEGIN IMMEDIATE")
            for job in group:
                self._attempt(job, transaction)
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            for job in group:
                job.error = job.error or error
            with suppress(sqlite3.Error):  # a connection that fails here too answers the next group with its error
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
        if durable:
            with suppress(sqlite3.Error):
                self._writer.execute("PRAGMA synchronous = NORMAL")

    def _attempt(self, job: _Job, transaction: Transaction) -> None:
        self._writer.execute("SAVEPOINT turn")
        try:
            job.result = job.work(transaction)
        except Exception as error:
            job.error = error
            self._writer.execute("ROLLBACK TO turn")
        self._writer.execute("RELEASE turn")


def _keep_private(path: Path) -> None:
    """For the owner alone: the file holds words, secrets and digests of keys. Its log beside it gets the file's rights."""
    private_folder(path.parent)
    private_file(path)
    for end in ("-wal", "-shm"):
        tighten(path.with_name(path.name + end))


def _answer(job: _Job) -> None:
    if job.future.done():
        return
    if job.error is None:
        job.future.set_result(job.result)
    else:
        job.future.set_exception(failure_of(job.error))


def failure_of(error: BaseException) -> QuitbuttonError:
    """What to tell of a write that failed: of ours what it says; else whether it was the work's fault or the file's."""
    if isinstance(error, QuitbuttonError):
        return error
    kind = StoreFailed if isinstance(error, sqlite3.OperationalError) else RecordRefused
    failure = kind(f"The store did not take the record: {error}. Nothing was counted; try again.")
    failure.__cause__ = error
    return failure


def is_locked(error: sqlite3.OperationalError) -> bool:
    """True where another connection stands in the way."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
