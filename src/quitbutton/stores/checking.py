"""The database held against its own log: every event, every checkpoint, and what stands beside the events."""

from __future__ import annotations

from quitbutton.core.audit.log import Findings, Tree, Verify
from quitbutton.stores.audit import AuditLog
from quitbutton.stores.beside import differences
from quitbutton.stores.queries import QUERIES


async def check_log(log: AuditLog, verify: Verify, beside: bool = True) -> Findings:
    """Compare every event in the store with its leaf, the log with its checkpoints and with the note that is kept elsewhere,
    and, with `beside`, the other tables with the events.
    """
    found, tree, start = Findings(key=log.signer.key.text), Tree(), 0
    (known, _), kept = await log.head(), log.memory.read()
    while page := await log.events(start):
        for one in page:
            if one.fault is not None:
                found.wrong(one.fault)
            tree.add(one.hash)
        start = page[-1].n + 1
    found.events = tree.size
    end = await log.database.read(QUERIES["log_end"])
    strays = (await log.database.read(QUERIES["strays"], {"seq": end[0][1] if end else 0}))[0][0]
    if strays:
        found.wrong(f"{strays} events were put in among those that were logged before")
    before = 0
    for note in await log.checkpoints_to(max(known, tree.size)):
        before = _check_note(log, note, verify, tree, found, before)
    if found.signed < tree.size and found.is_sound:
        found.wrong(f"the last {tree.size - found.signed} events in the log are signed by no checkpoint")
    _check_kept(log, kept, verify, tree, found)
    for problem in await differences(log.database) if beside else ():
        found.wrong(problem)
    return found


async def check_heads(log: AuditLog, verify: Verify) -> Findings:
    """Compare the newest checkpoint, and the note kept elsewhere, with the tree as it stands: quick, for every start."""
    found = Findings(key=log.signer.key.text)
    _, newest = await log.head()  # first: another process may append meanwhile
    kept = log.memory.read()
    end = await log.database.read(QUERIES["log_end"])
    found.events = int(end[0][0]) + 1 if end else 0
    if found.events and newest is None:
        found.wrong(f"none of its {found.events} events is signed by a checkpoint")
    if kept is None and (found.events or newest) and not (log.trusts_store or log.has_witnesses):
        found.wrong(MISSING)
    for note in filter(None, (newest, kept)):
        one = found.opened(note, log.signer.key, verify)
        if one is None:
            continue
        if one.size > found.events:
            found.wrong(f"the database was rolled back: it had {one.size} events in its log and has {found.events} now")
        elif await log.root(one.size) != one.root:
            found.wrong(f"the log was rewritten: its first {one.size} events are not those that were signed")
    return found


MISSING = "no checkpoint of this log is kept beside the database (audit-head.note): how far it had come is not known"


def _check_note(log: AuditLog, note: str, verify: Verify, tree: Tree, found: Findings, before: int) -> int:
    one = found.opened(note, log.signer.key, verify)
    if one is None:
        return before
    found.follows(one, before)
    if one.size > tree.size:
        found.wrong(f"the end of the log was cut off: a checkpoint covers {one.size} events, the log has {tree.size}")
    elif tree.root(one.size) != one.root:
        found.wrong(f"the log was rewritten: its first {one.size} events are not those that were signed")
    else:
        found.checkpoints += 1
        found.signed = max(found.signed, one.size)
    return one.size


def _check_kept(log: AuditLog, kept: str | None, verify: Verify, tree: Tree, found: Findings) -> None:
    if kept is None:
        if tree.size and not (log.trusts_store or log.has_witnesses):
            found.wrong(MISSING)
        return
    one = found.opened(kept, log.signer.key, verify)
    if one is None:
        return
    if one.size > tree.size:
        found.wrong(f"the database was rolled back: a checkpoint covers {one.size} events, the log has {tree.size}")
    elif tree.root(one.size) != one.root:
        found.wrong(f"the log was rewritten: its first {one.size} events are not those that were signed")
