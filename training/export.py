"""Writes the shipped weights: arrays in half precision, and what is known of them in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from quitbutton import __version__
from quitbutton.assessors.heads import FOLDER
from quitbutton.assessors.local import Thresholds
from training.cache import Arrays
from training.data.languages import FLOOR
from training.data.sources import REPLY_SOURCES, SOURCES, Source
from training.languages import Eyes

WHOLE = "branch_"
"""Arrays that stay in single precision, by how their names begin: they are small, and multiply large sums."""
WRITTEN = {"name": "conversations and replies written for this project", "licence": "Apache-2.0", "learned": True}


def learned_from(sources: Sequence[Source]) -> list[dict[str, object]]:
    """The sources with origin and licence, and whether they were learned from."""
    found = [
        {"name": one.name, "origin": one.origin, "licence": one.licence, "learned": one.is_learned} for one in sources
    ]
    return [*found, dict(WRITTEN)]


def write(name: str, arrays: Arrays, meta: dict[str, Any], folder: Path = FOLDER) -> None:
    """`NAME.npz` and `NAME.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {key: array.astype(np.float32 if key.startswith(WHOLE) else np.float16) for key, array in arrays.items()}
    np.savez_compressed(folder / f"{name}.npz", **half)  # type: ignore[arg-type]
    text = json.dumps(meta, indent=1, ensure_ascii=False) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


def reader_meta(digest: str, limits: Thresholds, eyes: Sequence[Eyes]) -> dict[str, Any]:
    """What is known of the reader of messages."""
    return {
        "version": __version__,
        "data_sha256": digest,
        "sources": learned_from(SOURCES),
        "thresholds": asdict(limits),
        "floor": FLOOR,
        "languages": {one.language: one.plain() for one in eyes},
    }


def replies_meta(digest: str, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """What is known of the reader of replies."""
    return {
        "version": __version__,
        "data_sha256": digest,
        "sources": learned_from(REPLY_SOURCES),
        "thresholds": dict(thresholds),
    }
