"""Signed notes and checkpoints in the forms of C2SP (signed-note, tlog-checkpoint), with Ed25519.

A note is its text, an empty line, and a line for each signature: `— NAME BASE64(key hash || signature)`. A checkpoint is a
note whose text names its log, its size and the Merkle root, one a line; further lines of ours are the time and the size of
the checkpoint before it, so that one that was deleted is missed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

ED25519, COSIGNATURE = b"\x01", b"\x04"
"""Signature types in a key's hash: plain Ed25519 of a log, and a witness's over the text and a time (tlog-cosignature)."""
NAME = re.compile(r"[^\s+]{1,200}")
"""A key's name: no white space, no plus."""
EXTENSION = re.compile(r"(time|previous) \d{1,19}")
DASH = "\u2014"
"""Every signature line begins with an em dash and a space."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name. Raises `ValueError` for a name or key that is none."""

    name: str
    public: bytes
    kind: bytes = ED25519

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or len(self.public) != 32:
            raise ValueError("a verifier key is a name without spaces or plus signs, and 32 bytes")

    @property
    def hash(self) -> bytes:
        """The first four bytes of SHA-256 over name, line end, type and key."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """As signed notes write it: `NAME+HASH+BASE64(type || key)`."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(self.kind + self.public).decode()}"

    @classmethod
    def read(cls, text: str, kind: bytes = ED25519) -> VerifierKey:
        """From its text; the key of a log, or of a witness with the other `kind`. Raises `ValueError`."""
        name, _, rest = text.strip().partition("+")
        hashed, _, encoded = rest.partition("+")
        data = _decoded(encoded)
        if data[:1] != kind:
            whose = "a log's (type 1)" if kind == ED25519 else "a witness's (type 4)"
            raise ValueError(f"it is not {whose} Ed25519 key")
        key = cls(name, data[1:], kind)
        if key.hash.hex() != hashed:
            raise ValueError("the key's hash does not fit its name and bytes")
        return key


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself at a moment: its size and root."""

    origin: str
    size: int
    root: bytes
    at: int = 0
    """Seconds since 1970, UTC."""
    previous: int | None = None
    """The size that the checkpoint before it covers, 0 for the first; None where it was made before this was said."""

    @property
    def text(self) -> str:
        """The note's text."""
        text = f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\ntime {self.at}\n"
        return text if self.previous is None else f"{text}previous {self.previous}\n"

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """From a note's text. Raises `ValueError`."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0] or not re.fullmatch(r"0|[1-9]\d{0,18}", lines[1]):
            raise ValueError("a checkpoint has a line each for its log, its size and its root")
        root = _decoded(lines[2])
        if len(root) != 32:
            raise ValueError("a checkpoint's root has 32 bytes")
        told = {line.partition(" ")[0]: line.partition(" ")[2] for line in lines[3:] if EXTENSION.fullmatch(line)}
        previous = int(told["previous"]) if "previous" in told else None
        return cls(lines[0], int(lines[1]), root, int(told.get("time", 0)), previous)


def signed(text: str, key: VerifierKey, sign: Callable[[bytes], bytes]) -> str:
    """A note with its signature. `text` ends with a line end."""
    line = base64.b64encode(key.hash + sign(text.encode())).decode()
    return f"{text}\n{DASH} {key.name} {line}\n"


def opened(note: str, key: VerifierKey, verify: Callable[[bytes, bytes], bool]) -> str:
    """The text of a note that this key signed. Raises `ValueError` with what is wrong."""
    text, signature = signature_of(note, key)
    if not verify(signature, text.encode()):
        raise ValueError(f"the signature of {key.name} is not valid")
    return text


def cosigned_at(note: str, key: VerifierKey, verify: Callable[[bytes, bytes], bool]) -> int:
    """When this witness cosigned a checkpoint, in seconds since 1970. Raises `ValueError` with what is wrong."""
    text, data = signature_of(note, key)
    at = int.from_bytes(data[:8], "big")
    if len(data) != 72 or not 0 < at < 1 << 63 or not verify(data[8:], f"cosignature/v1\ntime {at}\n{text}".encode()):
        raise ValueError(f"the cosignature of {key.name} is not valid")
    return at


def signature_of(note: str, key: VerifierKey) -> tuple[str, bytes]:
    """A note's text, and this key's signature as it stands there, unchecked. Raises `ValueError`."""
    text, found, lines = note.rpartition("\n\n")
    if not found or not lines.endswith("\n"):
        raise ValueError("a note has a text, an empty line, and signatures")
    for line in lines.removesuffix("\n").split("\n"):
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if mark != DASH:
            raise ValueError("a signature line begins with an em dash")
        data = _decoded(encoded)
        if name == key.name and data[:4] == key.hash:
            return text + "\n", data[4:]
    raise ValueError(f"it is not signed by {key.name}")


def submission(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """What a witness is sent: the size that it cosigned last, a proof that the log goes on from there, the checkpoint."""
    lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof)]
    return ("\n".join(lines) + "\n\n" + note).encode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("it is not base64") from error
