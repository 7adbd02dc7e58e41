"""One training loop for both readers: AdamW (Loshchilov and Hutter 2019), warm-up and cosine, batches of like length."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.network import Network, Shape
from training.progress import bar, say
from training.store import Store

Places = NDArray[np.int64]
Loss = Callable[[Network, Places, Tensor, Tensor], Tensor]
"""The loss of a batch: the network, the places of its texts, their features and mask."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast is learned."""

    epochs: int
    rate: float
    tuned_rate: float
    """Rate of the encoder's second half; 0 leaves it as it is."""
    batch: int
    decay: float = 0.05
    warm_up: int = 150
    most_gradient: float = 2.0
    blanked: float = 0.1
    """Share of the pieces that every second batch does without."""


def seeded(shape: Shape, recipe: Recipe, seed: int) -> Network:
    """A fresh network."""
    torch.manual_seed(seed)
    network = Network(shape)
    network.upper.requires_grad_(recipe.tuned_rate > 0)
    return network


def train(
    network: Network,
    store: Store,
    texts: Sequence[str],
    places: Places,
    loss: Loss,
    recipe: Recipe,
    seed: int,
    before_epoch: Callable[[Network], None] = lambda network: None,
) -> Network:
    """Train on the texts at these places; `before_epoch` may prepare what the loss needs."""
    dice = np.random.default_rng(seed)
    tuned = list(network.upper.parameters())
    own = [weight for name, weight in network.named_parameters() if not name.startswith("upper.")]
    optimiser = torch.optim.AdamW(
        [{"params": own, "weight_decay": recipe.decay}, {"params": tuned, "weight_decay": 0.0}], lr=recipe.rate
    )
    lengths = np.array([store.length(texts[place]) for place in places])
    steps, step = recipe.epochs * math.ceil(len(places) / recipe.batch), 0
    for epoch in range(recipe.epochs):
        network.eval()
        before_epoch(network)
        network.train()
        total = 0.0
        batches = _batches(places, lengths, recipe.batch, dice)
        for batch in bar(batches, f"epoch {epoch + 1} of {recipe.epochs}"):
            features, mask = store.batch([texts[place] for place in batch])
            found = loss(network, batch, features, _blanked(mask, recipe.blanked, dice))
            optimiser.zero_grad()
            found.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.most_gradient)
            pace = min(1, step / recipe.warm_up) * (0.5 * (1 + math.cos(math.pi * step / steps)) + 0.01)
            for group, rate in zip(optimiser.param_groups, (recipe.rate, recipe.tuned_rate), strict=True):
                group["lr"] = rate * pace
            optimiser.step()
            step, total = step + 1, total + float(found.detach())
        say(f"epoch {epoch + 1} of {recipe.epochs}, {len(places)} texts: loss {total / len(batches):.4f}")
    network.eval()
    return network


def _batches(places: Places, lengths: Places, size: int, dice: np.random.Generator) -> list[Places]:
    """Batches of texts of about the same length, in random order."""
    order = np.argsort(lengths + dice.random(len(lengths)) * 6)
    batches = [places[order[start : start + size]] for start in range(0, len(places), size)]
    return [batches[number] for number in dice.permutation(len(batches))]


def _blanked(mask: Tensor, share: float, dice: np.random.Generator) -> Tensor:
    """In every second batch the mask without some pieces; the first one always stays."""
    if dice.random() >= 0.5:
        return mask
    return mask * ((torch.rand(mask.shape) > share) | (mask.cumsum(1) == 1))


@torch.no_grad()
def scored(network: Network, store: Store, texts: Sequence[str], size: int = 256) -> NDArray[np.float32]:
    """The logits of all texts, without a context."""
    order = sorted(range(len(texts)), key=lambda place: store.length(texts[place]))
    found = np.zeros((len(texts), network.shape.outputs), np.float32)
    for start in bar(range(0, len(order), size), "scores"):
        several = order[start : start + size]
        found[several] = network(*store.batch([texts[place] for place in several])).numpy()
    return found
