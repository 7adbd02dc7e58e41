"""What the stores ask of a database: read, write in transactions, migrate. SQLite and PostgreSQL answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
Row = Sequence[Any]
Params = Mapping[str, object]
NOTHING: Params = {}
EVERYTHING = 2**62
"""Over every number that an event can have."""


class Load(NamedTuple):
    """What a database has to do, in this process."""

    waiting: int
    """Reads and writes that nobody has taken up."""
    busy: int
    """Connections that are at work."""
    connections: int


class Transaction(Protocol):
    """What a transaction can do."""

    @property
    def is_alone(self) -> bool:
        """True when no other transaction runs, so that there is nothing to lock."""
        ...

    def execute(self, sql: str, params: Params = NOTHING, /) -> list[Row]:
        """Run one statement; its rows, if it has any."""
        ...

    def insert(self, sql: str, rows: Sequence[Params], /) -> None:
        """Run a statement `INSERT ... VALUES (...)` for each of these, in few ways to the database."""
        ...

    def lock(self, keys: Iterable[bytes], /) -> None:
        """Keep out other transactions that lock one of these, until this one is over. It may begin again for that."""
        ...


class Database(Protocol):
    """One database, shared with any number of processes."""

    @property
    def words(self) -> Mapping[str, str]:
        """Its own words for what migrations leave open, `blob`, `rowid`, `tail`; and which it is, `database`."""
        ...

    @property
    def is_in_process(self) -> bool:
        """True where a read takes microseconds, so that nothing is won by several together."""
        ...

    @property
    def at_once(self) -> int:
        """Transactions worth having under way at the same time."""
        ...

    @property
    def load(self) -> Load:
        """What waits and what works, at this moment."""
        ...

    async def read(self, sql: str, params: Params = NOTHING, /) -> list[Row]:
        """The rows of one query. Raises `StoreFailed`."""
        ...

    async def write(
        self,
        work: Callable[[Transaction], T],
        durable: bool = False,
        locks: Collection[bytes] | None = None,
        quick: bool = False,
    ) -> T:
        """Run `work` in a transaction; its result once that is committed. All of it happens, or nothing.

        Without `locks` it is as if no other transaction ran meanwhile. With them only those are kept out that lock one of
        the same keys; what others commit is seen from one statement to the next. `work` runs on another thread, may run
        statements, nothing else, and may be run again from its beginning where it got in another's way. A `durable` one is
        on the disk before it is answered. A `quick` one takes a moment, and somebody waits for it. Raises `StoreFailed`, and
        what `work` raises.
        """
        ...

    async def ping(self) -> None:
        """Raises `StoreFailed` where it cannot be read, or what is written now would be lost."""
        ...

    async def settled(self) -> int:
        """An event's number up to which the record is final: none can still appear below it."""
        ...

    def migrate(self, work: Callable[[Transaction], None]) -> None:
        """Run `work` in a transaction that excludes every other migration. Raises `StoreFailed`."""
        ...

    def close(self) -> None:
        """Finish the writes that wait, then close."""
        ...
