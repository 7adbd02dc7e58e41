"""The audit trail of an installation: its signing key, and its newest checkpoint kept beside the database.

A database that was rolled back is sound by itself. The note beside it remembers how far it had come; better still, keep
exports or checkpoints where nobody who can change the database can change them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from quitbutton.settings import Settings
from quitbutton.signing import is_signed_by, signer_of
from quitbutton.stores.audit import AuditLog, NotSound
from quitbutton.stores.database import Database

KEY_FILE = "audit.key"
HEAD_FILE = "audit-head.note"

log = logging.getLogger("quitbutton.audit")


def audit_log_of(settings: Settings, database: Database) -> AuditLog:
    """The log over the settings' database, with its key. Raises `SettingsError`."""
    file = None if settings.store_path == ":memory:" else settings.data / KEY_FILE
    return AuditLog(database, signer_of(settings.audit_key, file, settings.audit_name))


def kept_head(settings: Settings) -> str | None:
    """The newest checkpoint that was kept beside the database."""
    file = _head_file(settings)
    return file.read_text("utf-8") if file is not None and file.exists() else None


async def keep_head(settings: Settings, trail: AuditLog) -> None:
    """Keep the newest checkpoint, of a log that goes on from the one kept before; the file is whole at any time.

    Raises `NotSound` where it does not: the old one is all that still shows it.
    """
    file, (_, note) = _head_file(settings), await trail.head()
    if file is None or note is None:
        return
    if problems := (await trail.check_heads(is_signed_by, kept_head(settings))).problems:
        raise NotSound(
            f"The audit log does not go on from the checkpoint in {file}, which is kept: {problems[0]}. "
            "See `quitbutton audit check`; if you restored a backup yourself, move that file to a safe place."
        )
    partial = file.with_suffix(".partial")
    partial.write_text(note, "utf-8")
    partial.replace(file)


def logging_job(settings: Settings, trail: AuditLog, now: Callable[[], float]) -> Callable[[], Awaitable[None]]:
    """Logs what happened since its last round, and keeps the checkpoint. What is not sound it says once."""
    told = set[str]()

    async def job() -> None:
        try:
            if await trail.append(now()) is not None:
                await keep_head(settings, trail)
        except NotSound as error:
            if str(error) not in told:
                told.add(str(error))
                log.error("%s", error)

    return job


async def warn_of_faults(settings: Settings, trail: AuditLog) -> list[str]:
    """At the start: what the newest checkpoints say is wrong. It is told in the log and stops nobody from chatting."""
    kept = kept_head(settings)
    problems = (await trail.check_heads(is_signed_by, kept)).problems
    for problem in problems:
        log.error("the audit trail is not sound: %s. Run `quitbutton audit check`.", problem)
    return problems


def _head_file(settings: Settings) -> Path | None:
    place = settings.store_path
    if place == ":memory:":
        return None
    return settings.data / HEAD_FILE if "://" in place else Path(place).parent / HEAD_FILE
