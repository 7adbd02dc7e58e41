"""The audit log in the store: events become leaves in batches, each batch ends in a signed checkpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cache
from hmac import compare_digest
from typing import Protocol

from quitbutton.core.audit.exports import event_line, header_of, line_of
from quitbutton.core.audit.log import hash_of, leaf_of
from quitbutton.core.audit.merkle import EMPTY, Fetch, Place, grown, subtree_root
from quitbutton.core.audit.signed_note import Checkpoint, VerifierKey, opened, signed
from quitbutton.core.errors import QuitbuttonError
from quitbutton.stores.database import Row, Transaction
from quitbutton.stores.leaves import Leaves, logged_of, node_at
from quitbutton.stores.queries import QUERIES

BATCH = 250
"""Most events that go into the log in one transaction: requests wait for no more work of ours than that."""
LOCK = (b"audit log",)
"""One process at a time appends to the log."""

CURE = "Bring back the database, or the key, that belongs to it."


class NotSound(QuitbuttonError):
    """The trail is not what was signed before: nothing more is signed, or kept, until somebody has looked."""


class Memory(Protocol):
    """Remembers the newest checkpoint where nobody who can change the database can change it."""

    def read(self) -> str | None:
        """The note that is kept; None where there is none."""
        ...

    def keep(self, note: str) -> None:
        """Keep a newer note."""
        ...

    def begin(self, note: str) -> None:
        """Keep this note unless another process has kept one meanwhile."""
        ...


@dataclass(slots=True)
class Remembered:
    """A memory that lasts as long as the process, for a store in memory."""

    note: str | None = None

    def read(self) -> str | None:
        """The note that is kept; None where there is none."""
        return self.note

    def keep(self, note: str) -> None:
        """Keep a newer note."""
        self.note = note

    def begin(self, note: str) -> None:
        """Keep this note unless there is one."""
        self.note = self.note or note


class Signs(Protocol):
    """What signs checkpoints."""

    @property
    def key(self) -> VerifierKey:
        """Its public half."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature over bytes."""
        ...


@dataclass(slots=True)
class AuditLog(Leaves):
    """The log over the events of one database.

    Nothing is signed unless the log goes on from the newest checkpoint in the database *and* from the one that is kept
    outside of it: whoever can write to the database alone cannot have another past signed.
    """

    signer: Signs
    memory: Memory = field(default_factory=Remembered)
    trusts_store: bool = False
    """Where nothing is kept, begin from the store's newest checkpoint: for replicas without a lasting disk."""
    has_witnesses: bool = False
    """Where nothing is kept, wait for what a witness remembers."""
    doubt: str | None = None
    """What a witness holds against this log; nothing is signed as long as it does."""
    fault: str | None = None
    """Why nothing is signed, since the last look; None while all is well."""

    async def append(self, now: float) -> Checkpoint | None:
        """Log what happened since; the checkpoint that covers it, None where nothing did.

        Raises `NotSound` where the log is not the one that this key signed last: a signature would cover the tampering.
        """
        settled = await self.database.settled()
        try:
            last = None
            await self._require_end()
            while await self._waits(settled):
                kept = await self._kept(now)
                last = await self._log_batch(settled, kept, now) or last
        except NotSound as error:
            self.fault = str(error)
            raise
        if last is not None:
            self.fault = None
        return last

    async def _log_batch(self, settled: int, kept: str, now: float) -> Checkpoint | None:
        def work(transaction: Transaction) -> tuple[Checkpoint, str] | None:
            return self._append(transaction, settled, kept, now)

        if (done := await self.database.write(work, durable=True, locks=LOCK)) is None:
            return None
        try:
            self.memory.keep(done[1])  # never before it is on the disk: the note may lag behind the log, not lead it
        except OSError as error:
            raise NotSound(f"The newest checkpoint cannot be kept beside the database: {error.strerror}.") from error
        return done[0]

    async def _require_end(self) -> None:
        """Also where nothing seems to wait: where the last place was moved on, nothing ever would."""
        for n, _ in await self.database.read(QUERIES["log_end"]):
            fault = _fault_at_end(await self.database.read(QUERIES["logged"], {"start": n, "limit": 1}), n)
            if fault is not None:
                raise _unsigned(fault, CURE)

    async def _waits(self, settled: int) -> bool:
        end = await self.database.read(QUERIES["log_end"])
        given = {"seq": end[0][1] if end else 0, "settled": settled, "limit": 1}
        return bool(await self.database.read(QUERIES["events_to_log"], given))

    async def _kept(self, now: float) -> str:
        """The note that the log must go on from. Raises `NotSound` where there is none and nobody has said what holds."""
        newest = (await self.head())[1]
        is_empty = newest is None and not await self.database.read(QUERIES["log_end"])
        note = self.memory.read()  # after the look at the log: a process that began it has kept a note before
        if note is not None:
            return note
        if self.has_witnesses or not (is_empty or (self.trusts_store and newest is not None)):
            raise _unsigned(
                "no checkpoint of it is kept beside the database",
                "A witness must say how far it had come, and none has answered yet."
                if self.has_witnesses
                else "Bring back audit-head.note, or say that this log is the true one: `quitbutton audit accept`.",
            )
        self.memory.begin(newest or self.first(now))
        return self.memory.read() or self.first(now)

    def first(self, now: float) -> str:
        """The checkpoint of a log that has nothing in it yet."""
        return self._signed(Checkpoint(self.signer.key.name, 0, EMPTY, int(now)))

    def _signed(self, checkpoint: Checkpoint) -> str:
        return signed(checkpoint.text, self.signer.key, self.signer.sign)

    def _append(self, transaction: Transaction, settled: int, kept: str, now: float) -> tuple[Checkpoint, str] | None:
        end = transaction.execute(QUERIES["log_end"])
        size, seq = (end[0][0] + 1, end[0][1]) if end else (0, 0)
        rows = transaction.execute(QUERIES["events_to_log"], {"seq": seq, "settled": settled, "limit": BATCH})
        if not rows:
            return None
        made: dict[Place, bytes] = {}
        stored = cache(lambda place: node_at(transaction, place))
        self._require_signed(transaction, size, kept, stored)

        def node(place: Place) -> bytes:
            return made[place] if place in made else stored(place)

        before, leaves = size, [{"n": n, "seq": row[0]} for n, row in enumerate(rows, start=size)]
        for row in rows:
            made.update(grown(size, hash_of(leaf_of(row)), node))
            size += 1
        nodes = [{"level": level, "n": n, "hash": one} for (level, n), one in made.items()]
        transaction.insert(QUERIES["put_node"], nodes)
        transaction.insert(QUERIES["put_leaf"], leaves)
        checkpoint = Checkpoint(self.signer.key.name, size, subtree_root(0, size, node), int(now), before)
        note = self._signed(checkpoint)
        transaction.execute(QUERIES["put_checkpoint"], {"size": size, "note": note, "at": now})
        return checkpoint, note

    def _require_signed(self, transaction: Transaction, size: int, kept: str, node: Fetch) -> None:
        newest = transaction.execute(QUERIES["last_checkpoint"])
        fault = (
            self.doubt
            or self._fault(str(newest[0][1]) if newest else None, size, node)
            or self._fault_beside(kept, size, node)
        )
        if fault is not None:
            raise _unsigned(fault, CURE)

    def _fault(self, note: str | None, size: int, node: Fetch) -> str | None:
        if note is None:
            return f"none of its {size} events is signed by a checkpoint" if size else None
        try:
            last = Checkpoint.read(opened(note, self.signer.key, self._is_own))
        except ValueError as error:
            return f"its newest checkpoint is forged or broken: {error}"
        if last.size != size:
            return f"its newest checkpoint covers {last.size} events and it has {size}"
        return None if subtree_root(0, size, node) == last.root else f"its {size} events are not those that were signed"

    def _fault_beside(self, kept: str, size: int, node: Fetch) -> str | None:
        """What is wrong beside the checkpoint that is kept outside the database."""
        try:
            before = Checkpoint.read(opened(kept, self.signer.key, self._is_own))
        except ValueError as error:
            return f"the checkpoint that is kept beside the database is forged or broken: {error}"
        if before.size > size:
            return f"the database was rolled back: it had {before.size} events in its log and has {size} now"
        if subtree_root(0, before.size, node) != before.root:
            return f"the log was rewritten: its first {before.size} events are not those that were signed"
        return None

    def _is_own(self, signature: bytes, data: bytes) -> bool:
        return compare_digest(self.signer.sign(data), signature)  # Ed25519 signs the same text the same way

    async def export(self) -> AsyncIterator[str]:
        """The trail line by line, as `verified()` reads it. It may grow meanwhile."""
        known, _ = await self.head()
        yield header_of(self.signer.key)
        start = 0
        while page := await self.events(start):
            for one in page:
                yield event_line(one.n, one.hash, one.leaf or "")
            start = page[-1].n + 1
        for note in await self.checkpoints_to(max(known, start)):
            yield line_of({"checkpoint": note})


def _unsigned(fault: str, cure: str) -> NotSound:
    return NotSound(
        f"The audit log is signed no further, since {fault}. Events wait until it is sound again. "
        f"See `quitbutton audit check`. {cure}"
    )


def _fault_at_end(rows: list[Row], n: int) -> str | None:
    """What is wrong with the last event in the log: from its number on the next ones are taken."""
    return logged_of(rows[0]).fault if rows else f"event {n} has no hash"
