"""The audit log in the store: events become leaves in batches, each batch ends in a signed checkpoint."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from hmac import compare_digest
from typing import Any, Protocol

from quitbutton.core.audit import FIELDS, FORMAT, Findings, Tree, Verify, hash_of, leaf_of
from quitbutton.core.errors import BadRequest, NotFound, QuitbuttonError
from quitbutton.core.merkle import Fetch, Place, consistency_proof, grown, inclusion_proof, subtree_root
from quitbutton.core.signed_note import Checkpoint, VerifierKey, opened, signed
from quitbutton.stores.database import Database, Row, Transaction
from quitbutton.stores.queries import QUERIES

BATCH = 250
"""Most events that go into the log in one transaction: requests wait for no more work of ours than that."""
LOCK = (b"audit log",)
"""One process at a time appends to the log."""
PAGE = 1000


class NotSound(QuitbuttonError):
    """The trail is not what was signed before: nothing more is signed, or kept, until somebody has looked."""


class Signs(Protocol):
    """What signs checkpoints."""

    @property
    def key(self) -> VerifierKey:
        """Its public half."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The signature over bytes."""
        ...


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


class AuditLog:
    """The log over the events of one database."""

    def __init__(self, database: Database, signer: Signs) -> None:
        self._database = database
        self.signer = signer

    async def append(self, now: float) -> Checkpoint | None:
        """Log what happened since; the checkpoint that covers it, None where nothing did.

        Raises `NotSound` where the log is not the one that this key signed last: a signature would cover the tampering.
        """
        last, settled = None, await self._database.settled()

        def work(transaction: Transaction) -> Checkpoint | None:
            return self._append(transaction, settled, now)

        while await self._waits(settled):
            last = await self._database.write(work, durable=True, locks=LOCK)
        return last

    async def _waits(self, settled: int) -> bool:
        end = await self._database.read(QUERIES["log_end"])
        given = {"seq": end[0][1] if end else 0, "settled": settled, "limit": 1}
        return bool(await self._database.read(QUERIES["events_to_log"], given))

    def _append(self, transaction: Transaction, settled: int, now: float) -> Checkpoint | None:
        end = transaction.execute(QUERIES["log_end"])
        size, seq = (end[0][0] + 1, end[0][1]) if end else (0, 0)
        rows = transaction.execute(QUERIES["events_to_log"], {"seq": seq, "settled": settled, "limit": BATCH})
        if not rows:
            return None
        made: dict[Place, bytes] = {}
        stored = cache(lambda place: _node(transaction, place))
        self._require_signed(transaction.execute(QUERIES["last_checkpoint"]), size, stored)

        def node(place: Place) -> bytes:
            return made[place] if place in made else stored(place)

        leaves = [{"n": n, "seq": row[0]} for n, row in enumerate(rows, start=size)]
        for row in rows:
            made.update(grown(size, hash_of(leaf_of(row)), node))
            size += 1
        nodes = [{"level": level, "n": n, "hash": one} for (level, n), one in made.items()]
        transaction.insert(QUERIES["put_node"], nodes)
        transaction.insert(QUERIES["put_leaf"], leaves)
        root = subtree_root(0, size, node)
        checkpoint = Checkpoint(self.signer.key.name, size, root, int(now))
        note = signed(checkpoint.text, self.signer.key, self.signer.sign)
        transaction.execute(QUERIES["put_checkpoint"], {"size": size, "note": note, "at": now})
        return checkpoint

    def _require_signed(self, newest: list[Row], size: int, node: Fetch) -> None:
        fault = self._fault(str(newest[0][1]) if newest else None, size, node)
        if fault is not None:
            raise NotSound(
                f"The audit log is signed no further, since {fault}. Events wait until it is sound again. "
                "See `quitbutton audit check`, then bring back the database, or the key, that belongs to it."
            )

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

    def _is_own(self, signature: bytes, data: bytes) -> bool:
        return compare_digest(self.signer.sign(data), signature)  # Ed25519 signs the same text the same way

    async def head(self) -> tuple[int, str | None]:
        """Size and note of the newest checkpoint."""
        rows = await self._database.read(QUERIES["last_checkpoint"])
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, None)

    async def unlogged(self) -> int:
        """Events that wait for the next batch."""
        end = await self._database.read(QUERIES["log_end"])
        return int((await self._database.read(QUERIES["unlogged"], {"seq": end[0][1] if end else 0}))[0][0])

    async def events(self, start: int, limit: int = PAGE) -> list[Logged]:
        """Logged events from a place on."""
        return [_logged(row) for row in await self._database.read(QUERIES["logged"], {"start": start, "limit": limit})]

    async def newest(self, before: int, limit: int) -> list[Logged]:
        """Logged events before a place, newest first."""
        rows = await self._database.read(QUERIES["logged_before"], {"before": before, "limit": limit})
        return [_logged(row) for row in rows]

    async def checkpoints(self, after: int = 0, limit: int = PAGE) -> list[tuple[int, str, float]]:
        """Checkpoints over more than `after` events: size, note, time."""
        rows = await self._database.read(QUERIES["checkpoints"], {"after": after, "limit": limit})
        return [(int(size), str(note), float(at)) for size, note, at in rows]

    async def inclusion(self, seq: int) -> dict[str, Any]:
        """That an event is in the log that the newest checkpoint signs. Raises `NotFound`."""
        size, note = await self.head()

        def work(transaction: Transaction) -> dict[str, Any]:
            rows = transaction.execute(QUERIES["leaf_of"], {"seq": seq})
            if not rows or rows[0][0] >= size:
                raise NotFound("There is no such event in the log yet; new ones are logged within seconds.")
            n = int(rows[0][0])
            proof = inclusion_proof(n, size, lambda place: _node(transaction, place))
            leaf = _node(transaction, (0, n)).hex()
            return {"n": n, "size": size, "leaf_hash": leaf, "proof": [one.hex() for one in proof], "checkpoint": note}

        return await self._database.write(work)

    async def consistency(self, old: int, size: int) -> dict[str, Any]:
        """That an earlier log is the beginning of a later one. Raises `BadRequest`."""
        head, _ = await self.head()
        if not 0 < old <= size <= head:
            raise BadRequest(
                f"Both sizes must be over 0, the first no more than the second, that one no more than {head}."
            )

        def work(transaction: Transaction) -> dict[str, Any]:
            proof = consistency_proof(old, size, lambda place: _node(transaction, place))
            roots = [subtree_root(0, one, lambda place: _node(transaction, place)).hex() for one in (old, size)]
            return {"from": old, "to": size, "roots": roots, "proof": [one.hex() for one in proof]}

        return await self._database.write(work)

    async def export(self) -> AsyncIterator[str]:
        """The trail line by line, as `verified()` reads it. It may grow meanwhile."""
        known, _ = await self.head()
        yield _line({"format": FORMAT, "key": self.signer.key.text, "fields": list(FIELDS)})
        start = 0
        while page := await self.events(start):
            for one in page:
                leaf = one.leaf if one.leaf is not None else ""
                yield _line({"n": one.n, "hash": one.hash.hex(), "leaf": leaf})
            start = page[-1].n + 1
        for note in await self._checkpoints_to(max(known, start)):
            yield _line({"checkpoint": note})

    async def check(self, verify: Verify, kept: str | None = None) -> Findings:
        """Compare every event in the store with its leaf, the log with its checkpoints, and with a note kept elsewhere."""
        found, tree, start = Findings(key=self.signer.key.text), Tree(), 0
        known, _ = await self.head()
        while page := await self.events(start):
            for one in page:
                if one.fault is not None:
                    found.wrong(one.fault)
                tree.add(one.hash)
            start = page[-1].n + 1
        found.events = tree.size
        end = await self._database.read(QUERIES["log_end"])
        strays = (await self._database.read(QUERIES["strays"], {"seq": end[0][1] if end else 0}))[0][0]
        if strays:
            found.wrong(f"{strays} events were put in among those that were logged before")
        notes = await self._checkpoints_to(max(known, tree.size))
        for note in [*notes, *([kept] if kept else [])]:
            self._check_note(note, verify, tree, found, is_kept=note is kept)
        if found.signed < tree.size and found.is_sound:
            found.wrong(f"the last {tree.size - found.signed} events in the log are signed by no checkpoint")
        return found

    async def check_heads(self, verify: Verify, kept: str | None = None) -> Findings:
        """Compare the newest checkpoint, and a note kept elsewhere, with the tree as it stands: quick, for every start."""
        found = Findings(key=self.signer.key.text)
        _, newest = await self.head()  # first: another process may append meanwhile
        end = await self._database.read(QUERIES["log_end"])
        found.events = int(end[0][0]) + 1 if end else 0
        for note in filter(None, (newest, kept)):
            one = _opened(note, self.signer.key, verify, found)
            if one is None:
                continue
            if one.size > found.events:
                found.wrong(
                    f"the database was rolled back: it had {one.size} events in its log and has {found.events} now"
                )
            elif await self._root(one.size) != one.root:
                found.wrong(f"the log was rewritten: its first {one.size} events are not those that were signed")
        return found

    async def _root(self, size: int) -> bytes:
        return await self._database.write(
            lambda transaction: subtree_root(0, size, lambda place: _node(transaction, place))
        )

    async def _checkpoints_to(self, size: int) -> list[str]:
        """The notes of checkpoints, but for those that another process made after the events were read."""
        found: list[tuple[int, str, float]] = []
        while page := await self.checkpoints(found[-1][0] if found else 0):
            found += page
        return [note for covered, note, _ in found if covered <= size]

    def _check_note(self, note: str, verify: Verify, tree: Tree, found: Findings, is_kept: bool) -> None:
        one = _opened(note, self.signer.key, verify, found)
        if one is None:
            return
        if one.size > tree.size:
            what = "the database was rolled back" if is_kept else "the end of the log was cut off"
            found.wrong(f"{what}: a checkpoint covers {one.size} events, the log has {tree.size}")
        elif tree.root(one.size) != one.root:
            found.wrong(f"the log was rewritten: its first {one.size} events are not those that were signed")
        else:
            found.checkpoints += not is_kept
            found.signed = max(found.signed, one.size)


def _opened(note: str, key: VerifierKey, verify: Verify, found: Findings) -> Checkpoint | None:
    try:
        return Checkpoint.read(opened(note, key, lambda signature, data: verify(key, signature, data)))
    except ValueError as error:
        found.wrong(f"a checkpoint is forged or broken: {error}")
        return None


def _node(transaction: Transaction, place: tuple[int, int]) -> bytes:
    rows = transaction.execute(QUERIES["node"], {"level": place[0], "n": place[1]})
    return bytes(rows[0][0]) if rows else bytes(32)


def _logged(row: Row) -> Logged:
    n, leaf, seq, *event = row
    return Logged(int(n), bytes(leaf), int(seq), (seq, *event) if event[1] is not None else None)


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"
