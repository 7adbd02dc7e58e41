"""The audit trail: write it out, verify it anywhere, check the database against it.

  quitbutton audit export > trail.jsonl      every event, with the signed checkpoints
  quitbutton audit verify trail.jsonl        offline: every hash computed anew, every signature checked
  quitbutton audit check                     the database itself against its log, and all its tables against the events
  quitbutton audit accept                    this database's log is the true one, whatever checkpoint was kept before
  quitbutton audit head                      the newest checkpoint, to be kept elsewhere or shown to a witness
  quitbutton audit key                       the public key, to be kept where the database's owner cannot change it

A trail that was made anew as a whole shows only beside something that was kept elsewhere: the public key (--key), and a
checkpoint from before (--since FILE; every export ends in one). A witness's cosignatures are checked with --witness KEY.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from quitbutton.audit.signer import is_signed_by
from quitbutton.audit.trail import accept, audit_log_of
from quitbutton.cli.rows import plainly
from quitbutton.core.audit.exports import verified
from quitbutton.core.audit.log import Findings
from quitbutton.core.audit.signed_note import COSIGNATURE, VerifierKey
from quitbutton.core.errors import SettingsError
from quitbutton.settings.installation import Settings, load
from quitbutton.stores.audit import AuditLog
from quitbutton.stores.checking import check_log
from quitbutton.stores.sql import SQLStore
from quitbutton.wiring import database_of

WHAT = ("export", "verify", "check", "accept", "head", "key")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=WHAT, metavar=f"{{{','.join(WHAT)}}}", help="what to do, see above")
    parser.add_argument("file", nargs="?", metavar="FILE", help="verify: an export, - for standard input")
    parser.add_argument("--out", type=Path, metavar="FILE", help="export: where to write (standard output)")
    parser.add_argument("--key", metavar="KEY", help="verify: the public key that the trail must be signed with")
    parser.add_argument("--since", type=Path, metavar="FILE", help="verify: a checkpoint that was kept from before")
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="KEY",
        help="verify: the key of a witness that must have cosigned it (more than once for several)",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (quitbutton.toml)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the database")


def run(given: argparse.Namespace) -> int:
    """Do it; 1 when something is wrong with the trail."""
    if (given.what == "verify") != (given.file is not None):
        raise SettingsError("`audit verify` takes a file; the others take none.")
    if given.what == "verify":
        return _verify(given)
    return asyncio.run(_with_database(given))


def _verify(given: argparse.Namespace) -> int:
    try:
        trusted = VerifierKey.read(given.key) if given.key else None
        since = given.since.read_text("utf-8") if given.since else None
        witnesses = [VerifierKey.read(one, COSIGNATURE) for one in given.witness]
        # StringIO ends a line at "\n" alone; a client's model name may hold U+2028, where str.splitlines() does too
        lines = sys.stdin if given.file == "-" else StringIO(Path(given.file).read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise SettingsError(f"Cannot verify: {plainly(error)}.") from error
    found = verified(lines, is_signed_by, trusted, since, witnesses)
    if trusted is None:
        print("the key is the one that the export names; --key KEY holds it against one you trust", file=sys.stderr)
    return _tell(found)


async def _with_database(given: argparse.Namespace) -> int:
    settings = load(given.config, data=given.data)
    database = database_of(settings)
    store = SQLStore(database)
    try:
        log = audit_log_of(settings, database)
        if given.what != "export":
            return await _told(given.what, settings, log)
        out = given.out.open("w", encoding="utf-8") if given.out else sys.stdout
        try:
            async for line in log.export():
                out.write(line)
        finally:
            if given.out:
                out.close()
        return 0
    finally:
        store.close()


async def _told(what: str, settings: Settings, log: AuditLog) -> int:
    match what:
        case "key":
            print(log.signer.key.text)
        case "head":
            print((await log.head())[1] or log.first(time.time()), end="")
        case "accept":
            size, aside = await accept(settings, log, time.time())
            print(f"accepted: the log goes on from {size} events" + (f"; the note before is {aside}" if aside else ""))
        case _:
            return _tell(await check_log(log, is_signed_by))
    return 0


def _tell(found: Findings) -> int:
    for problem in found.problems:
        print(f"WRONG  {problem}")
    verdict = "sound" if found.is_sound else "NOT sound"
    print(f"{verdict}: {found.events} events, {found.signed} of them signed, {found.checkpoints} valid checkpoints")
    for name, (size, at) in found.witnessed.items():
        when = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
        print(f"cosigned by {name}: the first {size} events, at {when}")
    if found.key:
        print(f"signed by {found.key}")
    return 0 if found.is_sound else 1
