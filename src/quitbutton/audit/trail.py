"""The audit trail of an installation: its signing key, and its newest checkpoint kept beside the database.

A database that was rolled back, or rewritten as a whole, is sound by itself. The note beside it remembers how far it had
come, and nothing is signed that does not go on from there; better still, a witness remembers it elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from quitbutton.audit.signer import is_signed_by, signer_of
from quitbutton.core.audit.signed_note import Checkpoint
from quitbutton.core.errors import SettingsError
from quitbutton.settings.files import private_folder, tighten, write_private
from quitbutton.settings.installation import Settings
from quitbutton.stores.audit import AuditLog, Memory, NotSound, Remembered
from quitbutton.stores.checking import check_heads, check_log
from quitbutton.stores.database import Database

KEY_FILE = "audit.key"
HEAD_FILE = "audit-head.note"

log = logging.getLogger("quitbutton.audit")


@dataclass(frozen=True, slots=True)
class HeadFile:
    """The newest checkpoint in a file beside the database; whole at any time, and never an older one than before."""

    file: Path

    def read(self) -> str | None:
        """The note that is kept; None where there is none."""
        with suppress(FileNotFoundError):
            return self.file.read_text("utf-8")
        return None

    def keep(self, note: str) -> None:
        """Keep a newer note; an older one, of a process that came late, is passed over."""
        kept = self.read()
        if kept is None or _size_of(note) > _size_of(kept):
            private_folder(self.file.parent)
            write_private(self.file, note)

    def begin(self, note: str) -> None:
        """Keep this note unless another process has kept one meanwhile."""
        private_folder(self.file.parent)
        write_private(self.file, note, is_new=True)

    def put_aside(self, now: float) -> Path | None:
        """Move the note that is kept to a name with the time, where there is one."""
        if self.read() is None:
            return None
        return self.file.replace(self.file.with_name(f"{HEAD_FILE}.{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"))


def audit_log_of(settings: Settings, database: Database) -> AuditLog:
    """The log over the settings' database, with its key and its memory. Raises `SettingsError`."""
    file = None if settings.store_path == ":memory:" else settings.data / KEY_FILE
    signer = signer_of(settings.audit_key, file, settings.audit_name)
    return AuditLog(database, signer, memory_of(settings), settings.audit_trust_store, bool(settings.witnesses))


def memory_of(settings: Settings) -> Memory:
    """Where the newest checkpoint is kept."""
    head = head_file(settings)
    if head is None:
        return Remembered()
    tighten(head.file)
    return head


def head_file(settings: Settings) -> HeadFile | None:
    """The file of the newest checkpoint; None for a store in memory."""
    place = settings.store_path
    if place == ":memory:":
        return None
    return HeadFile(settings.data / HEAD_FILE if "://" in place else Path(place).parent / HEAD_FILE)


def logging_job(trail: AuditLog, now: Callable[[], float]) -> Callable[[], Awaitable[None]]:
    """Logs what happened since its last round. What is not sound it says once."""
    told = set[str]()

    async def job() -> None:
        try:
            await trail.append(now())
        except NotSound as error:
            if str(error) not in told:
                told.add(str(error))
                log.error("%s", error)

    return job


async def warn_of_faults(trail: AuditLog) -> list[str]:
    """At the start: what the newest checkpoints say is wrong. It is told in the log and stops nobody from chatting."""
    problems = (await check_heads(trail, is_signed_by)).problems
    for problem in problems:
        log.error("the audit trail is not sound: %s. Run `quitbutton audit check`.", problem)
    trail.fault = problems[0] if problems else None
    return problems


async def accept(settings: Settings, trail: AuditLog, now: float) -> tuple[int, Path | None]:
    """An operator's word that the database's log is the true one: its newest checkpoint is kept from now on.

    The note that was kept before is put aside. How many events it covers, and where the old note is. Raises `SettingsError`
    where the log is not sound in itself: no word makes that good.
    """
    head = head_file(settings)
    if head is None:
        raise SettingsError("A store in memory has nothing to be kept.")
    alone = AuditLog(trail.database, trail.signer, Remembered((await trail.head())[1]))
    found = await check_log(alone, is_signed_by, beside=False)
    if found.problems:
        raise SettingsError(f"The log is not sound in itself, so it cannot be accepted: {found.problems[0]}.")
    size, note = await trail.head()
    aside = head.put_aside(now)
    head.begin(note or trail.first(now))
    return size, aside


def _size_of(note: str) -> int:
    """How many events a note says that it covers; -1 where it is no checkpoint, which any replaces."""
    try:
        return Checkpoint.read(note.rpartition("\n\n")[0] + "\n").size
    except ValueError:
        return -1
