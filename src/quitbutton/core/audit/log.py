"""The audit trail: what an event is as a leaf of the log, and what can be wrong with a trail, named.

An export is verified by `exports.py` with nothing but this file, `merkle.py` and `signed_note.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any

from quitbutton.core.audit.merkle import EMPTY, grown, leaf_hash, subtree_root
from quitbutton.core.audit.signed_note import Checkpoint, VerifierKey, cosigned_at, opened

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
    witnessed: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Of each witness asked for: how many events its newest cosignature covers, and when it was given."""

    @property
    def is_sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems

    def wrong(self, problem: str) -> None:
        """One more problem."""
        if len(self.problems) < MOST:
            self.problems.append(problem)

    def opened(self, note: str, key: VerifierKey, verify: Verify) -> Checkpoint | None:
        """The checkpoint of a note that this key signed; None, and one more problem, where it is none."""
        try:
            return Checkpoint.read(opened(note, key, lambda signature, data: verify(key, signature, data)))
        except ValueError as error:
            self.wrong(f"a checkpoint is forged or broken: {error}")
            return None

    def follows(self, one: Checkpoint, before: int) -> None:
        """A problem where a checkpoint does not come right after the one before it, of that size: one was removed."""
        if one.previous is not None and one.previous != before:
            self.wrong(f"the checkpoint of {one.size} events follows one of {one.previous}, which was removed")

    def cosigned(self, note: str, one: Checkpoint, witness: VerifierKey, verify: Verify) -> None:
        """Count a witness's cosignature, where the note has one."""
        if f" {witness.name} " not in note:
            return
        try:
            at = cosigned_at(note, witness, lambda signature, data: verify(witness, signature, data))
        except ValueError as error:
            self.wrong(f"the checkpoint of {one.size} events: {error}")
            return
        self.witnessed[witness.name] = max(self.witnessed.get(witness.name, (0, 0)), (one.size, at))
