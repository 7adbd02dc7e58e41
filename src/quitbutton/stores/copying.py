"""Moves an installation from one database to another, and proves that nothing changed on the way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import blake2b

from quitbutton.core.errors import StoreFailed
from quitbutton.stores.bulk import Bulk
from quitbutton.stores.database import Row

Opens = Callable[[bool], AbstractContextManager[Bulk]]
"""Opens a database to read it, or with True to write it."""
Tells = Callable[[str, int, int], None]
"""Is told of progress: a table, rows done, rows in all."""
VERSIONS = "migrations"
SIZE = 2**256


@dataclass(frozen=True, slots=True)
class Copied:
    """A table that is the same in both."""

    table: str
    rows: int
    digest: str


@dataclass(slots=True)
class Sum:
    """Rows counted and digested, in whatever order they come."""

    rows: int = 0
    total: int = 0

    def add(self, rows: list[Row]) -> None:
        """Count these in."""
        self.rows += len(rows)
        for row in rows:
            self.total += int.from_bytes(blake2b(repr(tuple(row)).encode(), digest_size=32).digest(), "big")

    @property
    def digest(self) -> str:
        """Sixty-four digits over all rows."""
        return f"{self.total % SIZE:064x}"


def copy(source: Opens, target: Opens, tells: Tells = lambda table, done, rows: None) -> list[Copied]:
    """Copy every table in one transaction, then read the target again and compare. Both are of this version already.

    Raises `StoreFailed` where the target holds anything, the versions differ, or a table came out another; the target
    then has nothing of the copy in the first two cases.
    """
    with source(False) as given:
        sums = _copied(given, target, tells)
    with target(False) as after:
        columns = after.tables()
        for name, one in sums.items():
            if _sum_of(after, name, columns[name], tells) != one:
                raise StoreFailed(
                    f"The copy of `{name}` is not what was copied. Do not use the target; empty it first."
                )
    return [Copied(name, one.rows, one.digest) for name, one in sums.items()]


def _copied(source: Bulk, target: Opens, tells: Tells) -> dict[str, Sum]:
    sums: dict[str, Sum] = {}
    with target(True) as into:
        for name, columns in _tables(source, into).items():
            into.clear(name)
            sums[name], size = Sum(), source.count(name)
            for batch in source.rows(name, columns):
                into.put(name, columns, batch)
                sums[name].add(batch)
                tells(name, sums[name].rows, size)
        into.finish()
    return sums


def _sum_of(database: Bulk, table: str, columns: tuple[str, ...], tells: Tells) -> Sum:
    found, size = Sum(), database.count(table)
    for batch in database.rows(table, columns):
        found.add(batch)
        tells(f"{table}, read again", found.rows, size)
    return found


def _tables(source: Bulk, target: Bulk) -> dict[str, tuple[str, ...]]:
    """What is to be copied; what else a database may hold is not ours."""
    there, here = source.tables(), target.tables()
    if VERSIONS not in there:
        raise StoreFailed("There is no quitbutton store to copy from.")
    if _versions(source) != _versions(target):
        raise StoreFailed("The store is of another version. Start this quitbutton on it once, then copy.")
    ours = {name: columns for name, columns in here.items() if name in there and name != VERSIONS}
    if any(set(columns) != set(there[name]) for name, columns in ours.items()):
        raise StoreFailed("The two stores have tables of the same name and other columns; one was changed by hand.")
    keys = [row[0] for batch in target.rows("meta", ("name",)) for row in batch]
    if "address_key" in keys or any(name != "meta" and target.count(name) for name in ours):
        raise StoreFailed("The target is not empty: it is an installation of its own. Name a new database.")
    return ours


def _versions(database: Bulk) -> list[int]:
    return sorted(row[0] for batch in database.rows(VERSIONS, ("version",)) for row in batch)
