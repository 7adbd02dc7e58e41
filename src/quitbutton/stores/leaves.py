"""The log as it stands in the store: its leaves with their events, its checkpoints, its proofs. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quitbutton.core.audit.log import hash_of, leaf_of
from quitbutton.core.audit.merkle import Place, consistency_proof, inclusion_proof, subtree_root
from quitbutton.core.errors import BadRequest, NotFound
from quitbutton.stores.database import Database, Row, Transaction
from quitbutton.stores.queries import QUERIES

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Logged:
    """One event in the log: its place, its leaf's hash, and the event as it stands now; None where it is gone."""

    n: int
    hash: bytes
    seq: int
    event: tuple[Any, ...] | None

    @property
    def leaf(self) -> str | None:
        """The event's leaf as it is now."""
        return None if self.event is None else leaf_of(self.event)

    @property
    def fault(self) -> str | None:
        """What is wrong with it, if anything."""
        if self.leaf is None:
            return f"event {self.n} (number {self.seq}) was removed"
        return None if hash_of(self.leaf) == self.hash else f"event {self.n} (number {self.seq}) was changed"


@dataclass(slots=True)
class Leaves:
    """What can be read of the log over the events of one database."""

    database: Database

    async def head(self) -> tuple[int, str | None]:
        """Size and note of the newest checkpoint."""
        rows = await self.database.read(QUERIES["last_checkpoint"])
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, None)

    async def unlogged(self) -> int:
        """Events that wait for the next batch."""
        end = await self.database.read(QUERIES["log_end"])
        return int((await self.database.read(QUERIES["unlogged"], {"seq": end[0][1] if end else 0}))[0][0])

    async def events(self, start: int, limit: int = PAGE) -> list[Logged]:
        """Logged events from a place on."""
        return [logged_of(row) for row in await self.database.read(QUERIES["logged"], {"start": start, "limit": limit})]

    async def newest(self, before: int, limit: int) -> list[Logged]:
        """Logged events before a place, newest first."""
        rows = await self.database.read(QUERIES["logged_before"], {"before": before, "limit": limit})
        return [logged_of(row) for row in rows]

    async def checkpoints(self, after: int = 0, limit: int = PAGE) -> list[tuple[int, str, float]]:
        """Checkpoints over more than `after` events: size, note, time."""
        rows = await self.database.read(QUERIES["checkpoints"], {"after": after, "limit": limit})
        return [(int(size), str(note), float(at)) for size, note, at in rows]

    async def inclusion(self, seq: int) -> dict[str, Any]:
        """That an event is in the log that the newest checkpoint signs. Raises `NotFound`."""
        size, note = await self.head()

        def work(transaction: Transaction) -> dict[str, Any]:
            rows = transaction.execute(QUERIES["leaf_of"], {"seq": seq})
            if not rows or rows[0][0] >= size:
                raise NotFound("There is no such event in the log yet; new ones are logged within seconds.")
            n = int(rows[0][0])
            proof = inclusion_proof(n, size, lambda place: node_at(transaction, place))
            leaf = node_at(transaction, (0, n)).hex()
            return {"n": n, "size": size, "leaf_hash": leaf, "proof": [one.hex() for one in proof], "checkpoint": note}

        return await self.database.write(work)

    async def consistency(self, old: int, size: int) -> dict[str, Any]:
        """That an earlier log is the beginning of a later one. Raises `BadRequest`."""
        head, _ = await self.head()
        if not 0 < old <= size <= head:
            raise BadRequest(
                f"Both sizes must be over 0, the first no more than the second, that one no more than {head}."
            )

        def work(transaction: Transaction) -> dict[str, Any]:
            proof = consistency_proof(old, size, lambda place: node_at(transaction, place))
            roots = [subtree_root(0, one, lambda place: node_at(transaction, place)).hex() for one in (old, size)]
            return {"from": old, "to": size, "roots": roots, "proof": [one.hex() for one in proof]}

        return await self.database.write(work)

    async def checkpoints_to(self, size: int) -> list[str]:
        """The notes of checkpoints, but for those that another process made after the events were read."""
        found: list[tuple[int, str, float]] = []
        while page := await self.checkpoints(found[-1][0] if found else 0):
            found += page
        return [note for covered, note, _ in found if covered <= size]

    async def root(self, size: int) -> bytes:
        """The root over the first events, from the hashes that are in the store."""
        return await self.database.write(
            lambda transaction: subtree_root(0, size, lambda place: node_at(transaction, place))
        )


def node_at(transaction: Transaction, place: Place) -> bytes:
    """The hash of a whole subtree, as it stands in the store; zeros where there is none."""
    rows = transaction.execute(QUERIES["node"], {"level": place[0], "n": place[1]})
    return bytes(rows[0][0]) if rows else bytes(32)


def logged_of(row: Row) -> Logged:
    """A logged event from its row."""
    n, leaf, seq, *event = row
    return Logged(int(n), bytes(leaf), int(seq), (seq, *event) if event[1] is not None else None)
