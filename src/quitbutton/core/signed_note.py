"""Signed notes and checkpoints in the forms of C2SP (signed-note, tlog-checkpoint), with Ed25519.

A note is its text, an empty line, and a line for each signature: `— NAME BASE64(key hash || signature)`. A checkpoint is a
note whose text names its log, its size and the Merkle root, one a line; a further line of ours is the time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

ED25519 = b"\x01"
"""The signature type of plain Ed25519 in a key's hash."""
NAME = re.compile(r"[^\s+]{1,200}")
"""A key's name: no white space, no plus."""
DASH = "\u2014"
"""Every signature line begins with an em dash and a space."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name. Raises `ValueError` for a name or key that is none."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or len(self.public) != 32:
            raise ValueError("a verifier key is a name without spaces or plus signs, and 32 bytes")

    @property
    def hash(self) -> bytes:
        """The first four bytes of SHA-256 over name, line end, type and key."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """As signed notes write it: `NAME+HASH+BASE64(type || key)`."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> VerifierKey:
        """From its text. Raises `ValueError`."""
        name, _, rest = text.strip().partition("+")
        hashed, _, encoded = rest.partition("+")
        data = _decoded(encoded)
        if data[:1] != ED25519:
            raise ValueError("only Ed25519 keys (type 1) are known")
        key = cls(name, data[1:])
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

    @property
    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\ntime {self.at}\n"

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """From a note's text. Raises `ValueError`."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0] or not re.fullmatch(r"0|[1-9]\d{0,18}", lines[1]):
            raise ValueError("a checkpoint has a line each for its log, its size and its root")
        root = _decoded(lines[2])
        if len(root) != 32:
            raise ValueError("a checkpoint's root has 32 bytes")
        times = [int(line[5:]) for line in lines[3:] if re.fullmatch(r"time \d{1,15}", line)]
        return cls(lines[0], int(lines[1]), root, times[0] if times else 0)


def signed(text: str, key: VerifierKey, sign: Callable[[bytes], bytes]) -> str:
    """A note with its signature. `text` ends with a line end."""
    line = base64.b64encode(key.hash + sign(text.encode())).decode()
    return f"{text}\n{DASH} {key.name} {line}\n"


def opened(note: str, key: VerifierKey, verify: Callable[[bytes, bytes], bool]) -> str:
    """The text of a note that this key signed. Raises `ValueError` with what is wrong."""
    text, found, lines = note.rpartition("\n\n")
    if not found or not lines.endswith("\n"):
        raise ValueError("a note has a text, an empty line, and signatures")
    text += "\n"
    for line in lines.removesuffix("\n").split("\n"):
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if mark != DASH:
            raise ValueError("a signature line begins with an em dash")
        data = _decoded(encoded)
        if name == key.name and data[:4] == key.hash:
            if not verify(data[4:], text.encode()):
                raise ValueError(f"the signature of {name} is not valid")
            return text
    raise ValueError(f"it is not signed by {key.name}")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("it is not base64") from error
