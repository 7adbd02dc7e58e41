"""Addresses: what a message, a conversation and a scope are known by. Documented as a contract, with test vectors."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from quitbutton.core.messages import Message

VERSION = "qb1"


def chain(key: bytes, root: bytes, users: Sequence[Message]) -> tuple[bytes, ...]:
    """The addresses of the user messages, in order."""
    addresses: list[bytes] = []
    parent = root
    blank = _hasher(key)
    for _, text, attachments in users:
        # As `field_of(canonical(text))`, in place: a history of a thousand messages would feel the calls.
        if text.isascii() and "\r" not in text:
            data = text.strip().encode()
        else:
            data = canonical(text).encode("utf-8", "surrogatepass")
        link = blank.copy()
        link.update(b"%b%b%b%b" % (parent, len(data).to_bytes(8, "big"), data, b"".join(attachments)))
        parent = link.digest()
        addresses.append(parent)
    return tuple(addresses)


@lru_cache(maxsize=8)
def _hasher(key: bytes) -> hashlib.blake2b:
    """`H` that has taken in what every message's address begins with."""
    return hashlib.blake2b(b"message", digest_size=32, key=key, person=VERSION.encode())


def canonical(text: str) -> str:
    """NFC, LF line ends, no outer white space."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


@lru_cache(maxsize=1024)
def message_id(address: bytes) -> str:
    """The public id of a user message; says nothing of its words to anybody without the key."""
    return "msg_" + _letters(address)


def address_start(message: str) -> bytes | None:
    """How the address begins that a message's public id names; None where it is no such id."""
    try:
        return base64.b32decode(message.removeprefix("msg_").upper())
    except ValueError:
        return None


def conversation_id(key: bytes, root: bytes, name: bytes) -> str:
    """The public id of a conversation: cannot be guessed without the key, differs between scopes."""
    return "conv_" + _letters(hashed(key, b"conversation", root, name))


def _letters(digest: bytes) -> str:
    number = int.from_bytes(digest[:15], "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(110, -1, -10)])


_PAIRS = tuple(a + b for a in "abcdefghijklmnopqrstuvwxyz234567" for b in "abcdefghijklmnopqrstuvwxyz234567")
"""Two letters of base 32 for each ten bits."""


def field_of(value: str | None) -> bytes:
    """Length and text, so that no two lists of texts are written alike."""
    if value is None:
        return b"\xff" * 8
    data = value.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(8, "big") + data


def hashed(key: bytes, *parts: bytes) -> bytes:
    """`H` of the contract."""
    return hashlib.blake2b(b"".join(parts), digest_size=32, key=key, person=VERSION.encode()).digest()


TAIL, PAIR = b"tail", b"pair"


def tails(key: bytes, root: bytes, conversation: str, users: Sequence[Message]) -> tuple[bytes, ...]:
    """What the messages of a history are known by that has lost its beginning: the first alone, the others in pairs.

    An address covers the whole path, so that a history without its first message has none that is known. These cover a
    message and the one right before it, within one conversation.
    """
    start = hashed(key, TAIL, root, conversation.encode())
    alone = [chain(key, start, [message])[0] for message in users]
    pairs = (hashed(key, PAIR, before, after) for before, after in pairwise(alone))
    return (*alone[:1], *pairs)
