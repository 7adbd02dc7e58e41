"""Encoder vectors of many texts, kept in a file so that a second training run is quick."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.encoder import WIDTH, Encoder


def digest(text: str) -> str:
    """A text's name in the cache."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def vectors(texts: list[str], cache: Path) -> NDArray[np.float32]:
    """One vector a text, in order."""
    known: dict[str, NDArray[np.float16]] = {}
    if cache.exists():
        with np.load(cache, allow_pickle=False) as file:
            known = dict(zip(file["names"].tolist(), file["vectors"], strict=True))
    missing = {digest(text): text for text in texts if digest(text) not in known}
    if missing:
        encoder = Encoder()
        for name, text in missing.items():
            known[name] = encoder.encode(text).astype(np.float16)
        cache.parent.mkdir(parents=True, exist_ok=True)
        names = sorted(known)
        np.savez(cache, names=np.array(names), vectors=np.stack([known[name] for name in names]))
    out = np.empty((len(texts), WIDTH), dtype=np.float32)
    for place, text in enumerate(texts):
        out[place] = known[digest(text)]
    return out
