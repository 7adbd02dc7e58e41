"""Witnesses: checkpoints go where whoever runs the database cannot take them back, so that anybody can prove a roll-back.

A witness of the C2SP protocol (tlog-witness, `add-checkpoint`) checks that the log goes on from what it saw last and
cosigns; its cosignature is kept with the checkpoint. A folder, on storage that only grows, is the simplest witness.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import aiohttp

from quitbutton.audit.signer import is_signed_by
from quitbutton.core.audit.merkle import EMPTY
from quitbutton.core.audit.signed_note import (
    COSIGNATURE,
    DASH,
    Checkpoint,
    VerifierKey,
    cosigned_at,
    opened,
    submission,
)
from quitbutton.core.audit.witnesses import WitnessSettings
from quitbutton.settings.files import private_folder, write_private
from quitbutton.stores.audit import LOCK, AuditLog
from quitbutton.stores.database import Transaction
from quitbutton.stores.queries import QUERIES

EVERY = 30.0
"""Seconds between two rounds: as long may what happened last be unseen by the witnesses."""
TIMEOUT = 10.0
"""Seconds that a witness has to answer."""
LARGEST = 64 * 1024
"""Bytes of an answer that are read."""
TRIES = 4
"""Most submissions to a witness in a round: another replica may have been faster."""

log = logging.getLogger("quitbutton.audit")


class Doubt(Exception):
    """What a witness remembers contradicts the log."""


class Silent(Exception):
    """A witness did not answer as it should."""


class Witness(Protocol):
    """Who remembers how far a log had come."""

    async def see(self, trail: AuditLog, now: float) -> str:
        """Show it the newest checkpoint; that checkpoint. Raises `Doubt` or `Silent`."""
        ...


async def newest_of(trail: AuditLog, now: float) -> tuple[int, str]:
    """The newest checkpoint; of a log with nothing in it one that says so."""
    size, note = await trail.head()
    return size, note or trail.first(now)


@dataclass(slots=True)
class Cosigner:
    """A witness of the C2SP protocol."""

    name: str
    url: str
    key: VerifierKey
    seen: int = 0
    """What it cosigned last, as far as is known here."""
    done: int = -1

    async def see(self, trail: AuditLog, now: float) -> str:
        """Show it the newest checkpoint; that checkpoint. Raises `Doubt` or `Silent`."""
        for _ in range(TRIES):
            size, note = await newest_of(trail, now)
            if size == self.done:
                return note
            if self.seen > size:
                raise Doubt(f"the witness {self.name} has cosigned {self.seen} events, and the log has {size}")
            proof = (
                [bytes.fromhex(one) for one in (await trail.consistency(self.seen, size))["proof"]] if self.seen else []
            )
            status, body = await self._post(submission(self.seen, proof, note))
            if status == 200:
                await self._keep(trail, size, note, body)
                self.seen = self.done = size
                return note
            if status == 409 and body.strip().isdigit():
                self.seen = int(body)
            elif status == 422:
                raise Doubt(f"the witness {self.name} saw another log: its first {self.seen} events were not these")
            else:
                raise Silent(f"it answered {status}: {body.strip()[:80]!r}")
        raise Silent("others were faster; the next round asks again")

    async def _post(self, body: bytes) -> tuple[int, str]:
        try:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.url.rstrip("/") + "/add-checkpoint", data=body, allow_redirects=False) as answer,
            ):
                return answer.status, (await answer.content.read(LARGEST)).decode("utf-8", "replace")
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            raise Silent(f"it cannot be reached: {type(error).__name__}") from error

    async def _keep(self, trail: AuditLog, size: int, note: str, answer: str) -> None:
        """Put its cosignature beside ours, once it is known to be valid."""
        head = note.rpartition("\n\n")[0] + "\n\n"
        lines = [line + "\n" for line in answer.split("\n") if line.startswith(f"{DASH} {self.key.name} ")]
        for line in lines:
            try:
                cosigned_at(head + line, self.key, lambda signature, data: is_signed_by(self.key, signature, data))
            except ValueError:
                continue  # of another key with this name
            await trail.database.write(partial(_add, size, line), durable=True, locks=LOCK)
            return
        raise Silent("its answer holds no valid cosignature of its key")


def _add(size: int, line: str, transaction: Transaction) -> None:
    rows = transaction.execute(QUERIES["checkpoint"], {"size": size})
    if rows and line not in rows[0][0]:
        transaction.execute(QUERIES["cosign_checkpoint"], {"size": size, "note": rows[0][0] + line})


@dataclass(slots=True)
class Folder:
    """A folder that gets every checkpoint that it is shown as a file of its own, `SIZE.note`, and never loses one."""

    name: str
    path: Path

    async def see(self, trail: AuditLog, now: float) -> str:
        """Keep the newest checkpoint there; that checkpoint. Raises `Doubt` or `Silent`."""
        try:
            private_folder(self.path)
            size, note = await newest_of(trail, now)
            kept = max((int(one.stem) for one in self.path.glob("*.note") if one.stem.isdigit()), default=0)
            if kept > (await trail.head())[0]:
                raise Doubt(f"{self.path} holds a checkpoint of {kept} events, and the log has {size}")
            if kept:
                await self._compare(trail, (self.path / f"{kept}.note").read_text("utf-8"))
            if size > kept:
                write_private(self.path / f"{size}.note", note, is_new=True)
        except OSError as error:
            raise Silent(f"the folder cannot be written: {error.strerror}") from error
        return note

    async def _compare(self, trail: AuditLog, note: str) -> None:
        key = trail.signer.key
        try:
            one = Checkpoint.read(opened(note, key, lambda signature, data: is_signed_by(key, signature, data)))
        except ValueError as error:
            raise Doubt(f"{self.path} holds a checkpoint that is not this log's: {error}") from error
        if one.root != (await trail.root(one.size) if one.size else EMPTY):
            raise Doubt(f"{self.path} remembers another log: its first {one.size} events were not these")


def witnesses_of(tables: dict[str, WitnessSettings]) -> list[Cosigner | Folder]:
    """The witnesses of the settings."""
    return [
        Folder(name, Path(one.folder))
        if one.folder is not None
        else Cosigner(name, one.url, VerifierKey.read(one.key or "", COSIGNATURE))
        for name, one in tables.items()
    ]


@dataclass(slots=True)
class Witnesses:
    """Shows the log to all witnesses. One that contradicts it stops the signing; one that is silent does not."""

    trail: AuditLog
    witnesses: list[Cosigner | Folder]
    now: Callable[[], float]
    _told: set[str] = field(default_factory=set)

    async def round(self) -> None:
        """Ask each once."""
        doubts, seen = [], []
        for one in self.witnesses:
            try:
                seen.append(await one.see(self.trail, self.now()))
            except Doubt as doubt:
                doubts.append(str(doubt))
                self._tell(log.error, f"{doubt}: the audit log was rolled back or rewritten, or the witness is wrong")
            except Silent as reason:
                self._tell(log.warning, f"the witness {one.name} has not seen the audit log: {reason}")
        self.trail.doubt = doubts[0] if doubts else None
        if doubts:
            self.trail.fault = doubts[0]
        elif seen and self.trail.memory.read() is None:
            self.trail.memory.begin(seen[0])  # nothing was kept here: what a witness let pass is where we go on from

    def _tell(self, how: Callable[[str], None], text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            how(text)
