"""What the reader of messages learns: five heads, whom it is aimed at, how it is meant, its language, its kind of harm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from quitbutton.assessors.encoder import WIDTH
from training.data.languages import COVERED
from training.data.rows import HAZARDS, HEADS, MODES, TARGETS, Row
from training.fit import Places, Recipe, seeded, train
from training.network import Network, Shape
from training.progress import bar
from training.store import Store, store_of

HARM, ELSEWHERE = HEADS.index("harm"), len(HEADS) + len(TARGETS) + len(MODES)
OUTPUTS = ELSEWHERE + 1 + len(HAZARDS)
SHAPE = Shape(OUTPUTS)
RECIPE = Recipe(epochs=4, rate=1e-3, tuned_rate=2e-4, batch=96)
AUTHORED = 2.0
"""How much more a written conversation's row counts than a public one."""
POSITIVE = {"abuse": 1.0, "rude": 1.0, "harm": 1.0, "risk": 2.0, "concern": 1.5}
"""How much more a head's positive rows count: a crisis that is missed costs most."""
SMOOTH = 0.98
"""Labels are taken for true to this degree (Szegedy et al. 2016): readers disagree."""
HEARD = 0.7
"""Share of the rows that hear their context while learning: the head must also do without."""


def store(cache: Path, rows: Sequence[Row]) -> Store:
    """First-layer features of all rows and of their contexts."""
    return store_of(cache / "messages", {text for row in rows for text in (row.text, *row.context)})


class Contexts:
    """The mean vector of the messages before each row, by the encoder as it is tuned so far: so it is served too."""

    def __init__(self, rows: Sequence[Row], store: Store) -> None:
        self.store = store
        self.texts = sorted({text for row in rows for text in row.context}, key=store.length)
        place = {text: number for number, text in enumerate(self.texts)}
        blank = len(self.texts)
        self.places = torch.tensor([[*(place[text] for text in row.context), blank, blank][:2] for row in rows])
        self.sizes = torch.tensor([max(1, len(row.context)) for row in rows])[:, None]
        self.vectors = torch.zeros(blank + 1, WIDTH)

    @torch.no_grad()
    def refresh(self, network: Network, size: int = 256) -> None:
        """Encode the contexts anew."""
        for start in bar(range(0, len(self.texts), size), "contexts"):
            several = self.texts[start : start + size]
            self.vectors[start : start + len(several)] = network.upper(*self.store.batch(several))[1]

    def of(self, places: Places) -> Tensor:
        """Those of the rows at these places; zeros where nothing was said before."""
        chosen = torch.from_numpy(places)
        return self.vectors[self.places[chosen]].sum(1) / self.sizes[chosen]


class MessageLoss:
    """The rows' targets as tensors, and the loss of a batch of them."""

    def __init__(self, rows: Sequence[Row], contexts: Contexts) -> None:
        self.contexts = contexts
        self.truth, self.weight = torch.zeros(len(rows), len(HEADS)), torch.zeros(len(rows), len(HEADS))
        for place, row in enumerate(rows):
            for head, value in row.targets.items():
                number = HEADS.index(head)
                self.truth[place, number] = value
                counts = row.weight * (AUTHORED if row.is_authored else 1) * (POSITIVE[head] if value else 1)
                self.weight[place, number] = counts
        self.target = torch.tensor([row.target for row in rows])
        self.mode = torch.tensor([row.mode for row in rows])
        self.hazard = torch.tensor([row.hazard for row in rows])
        self.elsewhere = torch.tensor([float(row.language not in COVERED) for row in rows])

    @property
    def learned(self) -> Places:
        """The places of the rows that teach anything."""
        return np.flatnonzero(self.weight.sum(1).numpy() > 0)

    def __call__(self, network: Network, batch: Places, features: Tensor, mask: Tensor) -> Tensor:
        """The loss of the rows at the places `batch`."""
        chosen = torch.from_numpy(batch)
        heard = self.contexts.of(batch) * (torch.rand(len(batch), 1) < HEARD)
        out = network(features, mask, heard)
        truth, weight = self.truth[chosen] * SMOOTH + (1 - SMOOTH) / 2, self.weight[chosen]
        targets, modes = out[:, len(HEADS) :], out[:, len(HEADS) + len(TARGETS) :]
        return (
            len(HEADS) * _mean(out[:, : len(HEADS)], truth, weight)
            + _mean(out[:, OUTPUTS], truth[:, HARM], weight[:, HARM])
            + 0.3 * _one_of(targets[:, : len(TARGETS)], self.target[chosen])
            + 0.3 * _one_of(modes[:, : len(MODES)], self.mode[chosen])
            + 0.2 * binary_cross_entropy_with_logits(out[:, ELSEWHERE], self.elsewhere[chosen])
            + 0.1 * _one_of(out[:, ELSEWHERE + 1 : OUTPUTS], self.hazard[chosen])
        )


def _mean(logits: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    each = binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return (each * weight).sum() / weight.sum().clamp_min(1)


def _one_of(logits: Tensor, chosen: Tensor) -> Tensor:
    """Cross entropy over the rows of which it is known."""
    return cross_entropy(logits, chosen, ignore_index=-1, reduction="sum") / (chosen >= 0).sum().clamp_min(1)


def fitted(rows: Sequence[Row], store: Store, places: Places, seed: int) -> Network:
    """A network trained on those of the rows at these places that may be learned from."""
    contexts = Contexts(rows, store)
    loss = MessageLoss(rows, contexts)
    network = seeded(SHAPE, RECIPE, seed)
    texts = [row.text for row in rows]
    return train(network, store, texts, np.intersect1d(places, loss.learned), loss, RECIPE, seed, contexts.refresh)
