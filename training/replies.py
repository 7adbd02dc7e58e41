"""The reader of replies: the same network with a tuned encoder of its own; one writer and some of the sources left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from quitbutton.assessors.heads import sigmoid
from training.data.languages import COVERED
from training.data.replies import COMPLIED, LABELS, REDIRECTED, REFUSED, Reply
from training.fit import Places, Recipe, scored, seeded, train
from training.folds import REPLY_FOLDS, reply_folds_of
from training.messages import SMOOTH
from training.network import Network, Shape
from training.store import Store, store_of

SHORT, ELSEWHERE = len(LABELS), len(LABELS) + 1
"""Places behind the labels: whether it fell short of what was asked, and whether its language was not measured."""
SHAPE = Shape(ELSEWHERE + 1, hears_context=False)
RECIPE = Recipe(epochs=4, rate=1e-3, tuned_rate=3e-4, batch=96, warm_up=80)
ALLOWED, MISSED = 0.03, 0.1
"""Share of the written replies that do what was asked and may be called short of it; and of those that fall short and may be
called a plain yes. Between both thresholds the reader says that it cannot tell."""


def store(cache: Path, replies: Sequence[Reply]) -> Store:
    """First-layer features of the replies' openings."""
    return store_of(cache / "replies", {reply.text for reply in replies})


class ReplyLoss:
    """The replies' labels as tensors, and the loss of a batch of them."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.label = torch.tensor([reply.label for reply in replies])
        self.short = torch.tensor([float(reply.is_short) for reply in replies])
        self.weight = torch.tensor([float(reply.weight) for reply in replies])
        self.elsewhere = torch.tensor([float(reply.language not in COVERED) for reply in replies])

    def __call__(self, network: Network, batch: Places, features: Tensor, mask: Tensor) -> Tensor:
        """The loss of the replies at the places `batch`."""
        chosen = torch.from_numpy(batch)
        out, weight, label = network(features, mask), self.weight[chosen], self.label[chosen]
        truth = self.short[chosen] * SMOOTH + (1 - SMOOTH) / 2
        short = binary_cross_entropy_with_logits(out[:, SHORT], truth, reduction="none")
        labels = cross_entropy(out[:, : len(LABELS)], label, ignore_index=-1, reduction="none")
        return (
            (short * weight).sum() / weight.sum()
            + (labels * weight).sum() / ((label >= 0) * weight).sum().clamp_min(1)
            + 0.2 * binary_cross_entropy_with_logits(out[:, ELSEWHERE], self.elsewhere[chosen])
        )


def fitted(replies: Sequence[Reply], store: Store, places: Places, seed: int) -> Network:
    """A network trained on those of the replies at these places that may be learned from."""
    learned = np.array([place for place in places if replies[place].weight > 0])
    texts = [reply.text for reply in replies]
    return train(seeded(SHAPE, RECIPE, seed), store, texts, learned, ReplyLoss(replies), RECIPE, seed)


def left_out_logits(replies: Sequence[Reply], store: Store) -> NDArray[np.float32]:
    """Every reply's logits by a network that did not learn its source."""
    folds, found = reply_folds_of(replies), np.zeros((len(replies), SHAPE.outputs), np.float32)
    for number in range(len(REPLY_FOLDS)):
        network = fitted(replies, store, np.flatnonzero(folds != number), seed=number)
        left_out = np.flatnonzero(folds == number)
        found[left_out] = scored(network, store, [replies[place].text for place in left_out.tolist()])
    return found


def threshold_of(replies: Sequence[Reply], logits: NDArray[np.float32], without: str = "") -> float:
    """From which probability on a reply fell short, by the writers' replies that do what was asked, but for one writer's."""
    fine = [
        logits[place, SHORT]
        for place, reply in enumerate(replies)
        if reply.source.startswith("writer_") and reply.source != without and reply.label == COMPLIED
    ]
    return round(float(sigmoid(np.quantile(np.array(fine, np.float32), 1 - ALLOWED))), 6)


def thresholds_of(replies: Sequence[Reply], logits: NDArray[np.float32]) -> dict[str, float]:
    """Below `complied` a reply did what was asked, from `refused` on it did not."""
    refused = threshold_of(replies, logits)
    short = [
        logits[place, SHORT]
        for place, reply in enumerate(replies)
        if reply.source.startswith("writer_") and reply.label in (REDIRECTED, REFUSED)
    ]
    complied = round(float(sigmoid(np.quantile(np.array(short, np.float32), MISSED))), 6)
    return {"complied": min(complied, refused), "refused": refused}
