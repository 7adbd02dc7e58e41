"""Keeps the encoder's first layer of every text: it stays as it is, so it is computed once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from quitbutton.assessors.encoder import FEATURES, LONGEST, Encoder
from training.network import FirstLayer
from training.progress import bar

BATCH = 96


class Store:
    """First-layer features by text, half precision, on disk. Of a long text the first `LONGEST` pieces are kept."""

    def __init__(self, path: Path) -> None:
        index = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        self.offsets = np.asarray(index["offsets"], dtype=np.int64)
        self.places = {text: place for place, text in enumerate(index["texts"])}
        self._rows: Any = np.memmap(path.with_suffix(".f16"), np.float16, "r").reshape(-1, FEATURES)

    def length(self, text: str) -> int:
        """How many pieces are kept of a text."""
        place = self.places[text]
        return int(self.offsets[place + 1] - self.offsets[place])

    def batch(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Features (texts, pieces, `FEATURES`) and the mask of the pieces that are there."""
        lengths = [self.length(text) for text in texts]
        found = np.zeros((len(texts), max(lengths), FEATURES), np.float16)
        mask = np.zeros(found.shape[:2], np.float32)
        for number, (text, length) in enumerate(zip(texts, lengths, strict=True)):
            start = self.offsets[self.places[text]]
            found[number, :length] = self._rows[start : start + length]
            mask[number, :length] = 1
        return torch.from_numpy(found).float(), torch.from_numpy(mask)


def store_of(path: Path, texts: Iterable[str]) -> Store:
    """The store at a path, made anew where it lacks one of the texts."""
    wanted = set(texts)
    if path.with_suffix(".json").exists():
        store = Store(path)
        if wanted <= set(store.places):
            return store
    write(path, sorted(wanted))
    return Store(path)


@torch.no_grad()
def write(path: Path, texts: Sequence[str]) -> None:
    """Compute the features of all texts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encoder, layer = Encoder(), FirstLayer()
    ids = {text: encoder.ids(text)[:LONGEST] for text in bar(texts, "word pieces")}
    ordered = sorted(ids, key=lambda text: len(ids[text]))
    offsets = np.cumsum([0, *(len(ids[text]) for text in ordered)])
    rows = np.memmap(path.with_suffix(".f16"), np.float16, "w+", shape=(int(offsets[-1]), FEATURES))
    for start in bar(range(0, len(ordered), BATCH), "first layer"):
        several = [ids[text] for text in ordered[start : start + BATCH]]
        longest = max(map(len, several))
        padded = torch.tensor([[*one, *[0] * (longest - len(one))] for one in several])
        mask = torch.tensor([[1.0] * len(one) + [0.0] * (longest - len(one)) for one in several])
        found = layer(padded, mask).half().numpy()
        for number, one in enumerate(several):
            rows[offsets[start + number] : offsets[start + number + 1]] = found[number, : len(one)]
    rows.flush()
    index = {"texts": ordered, "offsets": offsets.tolist()}
    path.with_suffix(".json").write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
