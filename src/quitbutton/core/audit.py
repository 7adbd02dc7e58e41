"""The audit trail: what an event is as a leaf of the log, and what can be wrong with a trail, named.

The trail of an export is verified with nothing but this file, `merkle.py` and `signed_note.py`: every hash is computed anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any

from quitbutton.core.merkle import EMPTY, grown, leaf_hash, subtree_root
from quitbutton.core.signed_note import Checkpoint, VerifierKey, opened

FORMAT = "quitbutton audit 1"
FIELDS = ("seq", "at", "kind", "tenant", "conversation", "message", "body")
"""What stands in a leaf, in this order."""
MOST = 20
"""Most problems that are listed; a trail with more is wrong enough."""

Verify = Callable[[VerifierKey, bytes, bytes], bool]
"""True when the signature (second) over the text (third) is this key's."""


def leaf_of(event: Sequence[Any]) -> str:
    """An event's leaf: its fields as a JSON array without spaces, the exact bytes that are hashed.

    Of whatever kind a field has become in the store: what was changed has another leaf.
    """
    seq, at, *texts = event
    return f"[{seq},{at!r},{','.join([encode_basestring(str(text)) for text in texts])}]"


def hash_of(leaf: str) -> bytes:
    """The leaf's hash in the log."""
    return leaf_hash(leaf.encode("utf-8", "surrogatepass"))


@dataclass(slots=True)
class Tree:
    """A log that grows leaf by leaf and remembers its whole subtrees."""

    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    size: int = 0

    def add(self, leaf: bytes) -> None:
        """One more leaf hash."""
        self.nodes |= dict(grown(self.size, leaf, self.nodes.__getitem__))
        self.size += 1

    def root(self, size: int) -> bytes:
        """The root over the first leaves."""
        return subtree_root(0, size, self.nodes.__getitem__) if size else EMPTY


@dataclass(slots=True)
class Findings:
    """What a verification found."""

    events: int = 0
    checkpoints: int = 0
    signed: int = 0
    """Events that the newest valid checkpoint covers."""
    key: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems

    def wrong(self, problem: str) -> None:
        """One more problem."""
        if len(self.problems) < MOST:
            self.problems.append(problem)


def verified(
    lines: Iterable[str], verify: Verify, trusted: VerifierKey | None = None, since: str | None = None
) -> Findings:
    """Check an export, line by line, whatever was done to it.

    `trusted` is the key that the trail must be signed with; without one it is the key that the export names, so that only
    changes by others than the log's owner are found. `since` is a checkpoint that was kept from before: the trail must go on
    from it. Never raises: what is wrong is in the findings.
    """
    found, tree, last_seq = Findings(), Tree(), 0
    notes: list[str] = []
    key = trusted
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict):
                raise ValueError
        except (ValueError, RecursionError):
            found.wrong(f"line {number} cannot be read")
            continue
        if "format" in entry:
            key = _key(entry, trusted, found)
        elif "checkpoint" in entry:
            notes.append(str(entry["checkpoint"]))
        else:
            last_seq = _check_event(entry, tree, last_seq, found)
    found.events = tree.size
    if key is None:
        found.wrong("there is no key: the first line of an export names it, or give one")
        return found
    found.key = key.text
    for note in notes:
        _check_checkpoint(note, key, tree, verify, found)
    if not notes:
        found.wrong("there is no checkpoint: nothing of the trail is signed")
    elif found.signed < tree.size and found.is_sound:
        found.wrong(f"the last {tree.size - found.signed} events are signed by no checkpoint")
    if since is not None:
        _check_since(since, key, tree, verify, found)
    return found


def _key(entry: dict[str, Any], trusted: VerifierKey | None, found: Findings) -> VerifierKey | None:
    if entry["format"] != FORMAT:
        found.wrong(f"this is no export of this version: {str(entry['format'])[:40]!r}")
    try:
        named = VerifierKey.read(str(entry.get("key", "")))
    except ValueError as error:
        found.wrong(f"the export's key cannot be read: {error}")
        return trusted
    if trusted is not None and named != trusted:
        found.wrong("the export names another key than the trusted one")
    return trusted or named


def _check_event(entry: dict[str, Any], tree: Tree, last_seq: int, found: Findings) -> int:
    place, leaf = entry.get("n"), entry.get("leaf")
    if not isinstance(place, int) or not isinstance(leaf, str):
        found.wrong(f"a line is neither an event nor a checkpoint: {str(entry)[:60]!r}")
        return last_seq
    try:
        seq = int(json.loads(leaf)[0])
    except (ValueError, TypeError, LookupError, RecursionError):
        seq = -1
    if place > tree.size:
        found.wrong(f"events {tree.size} to {place - 1} were removed")
    elif place < tree.size:
        found.wrong(f"event {place} stands after event {tree.size - 1}: it was moved, or put in")
    if seq <= last_seq:
        found.wrong(
            f"event {place} has the number {seq}, which is not after {last_seq}: it was moved, put in or changed"
        )
    if entry.get("hash") != hash_of(leaf).hex():
        found.wrong(f"event {place} was changed: its content has another hash")
    tree.add(hash_of(leaf))
    return max(seq, last_seq)


def _check_checkpoint(note: str, key: VerifierKey, tree: Tree, verify: Verify, found: Findings) -> None:
    checkpoint = _opened(note, key, verify, found)
    if checkpoint is None:
        return
    found.checkpoints += 1
    if checkpoint.size > tree.size:
        found.wrong(f"the checkpoint of {checkpoint.size} events covers more than there are: the end was cut off")
    elif tree.root(checkpoint.size) != checkpoint.root:
        begin = found.signed
        found.wrong(f"the events up to {checkpoint.size} are not those that were signed: look from event {begin} on")
    else:
        found.signed = max(found.signed, checkpoint.size)


def _opened(note: str, key: VerifierKey, verify: Verify, found: Findings) -> Checkpoint | None:
    try:
        text = opened(note, key, lambda signature, data: verify(key, signature, data))
        return Checkpoint.read(text)
    except ValueError as error:
        found.wrong(f"a checkpoint is forged or broken: {error}")
        return None


def _check_since(since: str, key: VerifierKey, tree: Tree, verify: Verify, found: Findings) -> None:
    before = _opened(since, key, verify, found)
    if before is None:
        return
    if before.size > tree.size:
        found.wrong(f"the trail was rolled back: it had {before.size} events once and has {tree.size} now")
    elif tree.root(before.size) != before.root:
        found.wrong(f"the trail was rewritten: its first {before.size} events are not those of the checkpoint kept")
