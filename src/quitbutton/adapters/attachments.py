"""Digests of what a message brings besides words: images, audio, files, documents."""

from __future__ import annotations

import hashlib

import msgspec

HINTS = ("cache_control", "citations", "detail")
"""Members of a part that say how to treat it, not what it is."""


def digest_of(raw: bytes) -> bytes:
    """BLAKE2b-256 of a part, whatever the order of its members; hints do not count."""
    part = msgspec.json.decode(raw)
    for hint in HINTS:
        part.pop(hint, None)
    return hashlib.blake2b(msgspec.json.encode(part, order="sorted"), digest_size=32).digest()
