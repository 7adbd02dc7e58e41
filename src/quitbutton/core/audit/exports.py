"""An exported trail, verified: every hash computed anew, every signature checked, every line as the export writes it.

A line is refused that is not byte for byte what was exported: a second member of the same name, one more, or another order
would be read one way here and another way elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from quitbutton.core.audit.log import FIELDS, FORMAT, Findings, Tree, Verify, hash_of
from quitbutton.core.audit.signed_note import Checkpoint, VerifierKey

EVENT, CHECKPOINT, HEADER = ["n", "hash", "leaf"], ["checkpoint"], ["format", "key", "fields"]
"""The members of each kind of line, in their order."""


def line_of(entry: dict[str, Any]) -> str:
    """A line of an export, with its end."""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"


def header_of(key: VerifierKey) -> str:
    """The first line of an export: what it is, who signs it, what stands in a leaf."""
    return line_of({"format": FORMAT, "key": key.text, "fields": list(FIELDS)})


def event_line(n: int, leaf_hash: bytes, leaf: str) -> str:
    """The line of an event."""
    return line_of({"n": n, "hash": leaf_hash.hex(), "leaf": leaf})


def verified(
    lines: Iterable[str],
    verify: Verify,
    trusted: VerifierKey | None = None,
    since: str | None = None,
    witnesses: Sequence[VerifierKey] = (),
) -> Findings:
    """Check an export, line by line, whatever was done to it.

    `trusted` is the key that the trail must be signed with; without one it is the key that the export names, so that only
    changes by others than the log's owner are found. `since` is a checkpoint that was kept from before: the trail must go on
    from it. Each of the `witnesses` must have cosigned a checkpoint. Never raises: what is wrong is in the findings.
    """
    reading = _Reading(verify, trusted, tuple(witnesses))
    for number, line in enumerate(lines, 1):
        reading.take(number, line)
    return reading.findings(since)


@dataclass(slots=True)
class _Reading:
    verify: Verify
    trusted: VerifierKey | None
    witnesses: tuple[VerifierKey, ...]
    found: Findings = field(default_factory=Findings)
    tree: Tree = field(default_factory=Tree)
    last_seq: int = 0
    notes: list[str] = field(default_factory=list)
    key: VerifierKey | None = None

    def take(self, number: int, line: str) -> None:
        """One more line."""
        try:
            entry = json.loads(line)
            members = list(entry) if isinstance(entry, dict) else []
            is_exact = line_of(entry) == line.removesuffix("\n") + "\n"
        except (ValueError, RecursionError):
            self.found.wrong(f"line {number} cannot be read")
            return
        if members not in (EVENT, CHECKPOINT, HEADER):
            self.found.wrong(f"line {number} is neither the header, an event nor a checkpoint: {line[:60]!r}")
            return
        if not is_exact:
            self.found.wrong(f"line {number} is not as it was exported: doubled members, or another spelling")
        if (members == HEADER) != (number == 1):
            self.found.wrong(f"line {number}: an export has one header, in its first line")
        if members == HEADER:
            self._take_header(entry)
        elif members == CHECKPOINT:
            self.notes.append(str(entry["checkpoint"]))
        else:
            self._take_event(number, entry["n"], entry["hash"], entry["leaf"])

    def _take_header(self, entry: dict[str, Any]) -> None:
        if entry["format"] != FORMAT:
            self.found.wrong(f"this is no export of this version: {str(entry['format'])[:40]!r}")
        if entry["fields"] != list(FIELDS):
            self.found.wrong("the header names other fields, or another order of them, than an event has")
        try:
            named = VerifierKey.read(str(entry["key"]))
        except ValueError as error:
            self.found.wrong(f"the export's key cannot be read: {error}")
            return
        if self.trusted is not None and named != self.trusted:
            self.found.wrong("the export names another key than the trusted one")
        self.key = named

    def _take_event(self, number: int, place: Any, digest: Any, leaf: Any) -> None:
        found, tree = self.found, self.tree
        if type(place) is not int or not isinstance(leaf, str):
            found.wrong(f"line {number} is neither an event nor a checkpoint")
            return
        if self.notes:
            found.wrong(f"event {place} stands after a checkpoint: it was moved, or put in")
        if place > tree.size:
            found.wrong(f"events {tree.size} to {place - 1} were removed")
        elif place < tree.size:
            found.wrong(f"event {place} stands after event {tree.size - 1}: it was moved, or put in")
        seq = _number_of(leaf)
        if seq <= self.last_seq:
            found.wrong(
                f"event {place} has the number {seq}, which is not after {self.last_seq}: it was moved, put in or changed"
            )
        if digest != hash_of(leaf).hex():
            found.wrong(f"event {place} was changed: its content has another hash")
        tree.add(hash_of(leaf))
        self.last_seq = max(seq, self.last_seq)

    def findings(self, since: str | None) -> Findings:
        """What was found, once all lines were taken."""
        found, tree = self.found, self.tree
        found.events = tree.size
        key = self.trusted or self.key
        if key is None:
            found.wrong("there is no key: the first line of an export names it, or give one")
            return found
        found.key = key.text
        before = 0
        for note in self.notes:
            checkpoint = found.opened(note, key, self.verify)
            if checkpoint is not None:
                found.follows(checkpoint, before)
                self._check(checkpoint, note)
                before = checkpoint.size
        if not self.notes:
            found.wrong("there is no checkpoint: nothing of the trail is signed")
        elif found.signed < tree.size and found.is_sound:
            found.wrong(f"the last {tree.size - found.signed} events are signed by no checkpoint")
        if since is not None:
            self._check_since(since, key)
        for one in self.witnesses:
            if one.name not in found.witnessed:
                found.wrong(f"the witness {one.name} has cosigned no checkpoint of it")
        return found

    def _check(self, checkpoint: Checkpoint, note: str) -> None:
        found, tree = self.found, self.tree
        found.checkpoints += 1
        if checkpoint.size > tree.size:
            found.wrong(f"the checkpoint of {checkpoint.size} events covers more than there are: the end was cut off")
        elif tree.root(checkpoint.size) != checkpoint.root:
            found.wrong(
                f"the events up to {checkpoint.size} are not those that were signed: look from event {found.signed} on"
            )
        else:
            found.signed = max(found.signed, checkpoint.size)
            for one in self.witnesses:
                found.cosigned(note, checkpoint, one, self.verify)

    def _check_since(self, since: str, key: VerifierKey) -> None:
        found, tree = self.found, self.tree
        before = found.opened(since, key, self.verify)
        if before is None:
            return
        if before.size > tree.size:
            found.wrong(f"the trail was rolled back: it had {before.size} events once and has {tree.size} now")
        elif tree.root(before.size) != before.root:
            found.wrong(f"the trail was rewritten: its first {before.size} events are not those of the checkpoint kept")


def _number_of(leaf: str) -> int:
    """The number of an event, from its leaf; -1 where it is no leaf."""
    try:
        fields = json.loads(leaf)
        return int(fields[0]) if len(fields) == len(FIELDS) else -1
    except (ValueError, TypeError, LookupError, RecursionError):
        return -1
