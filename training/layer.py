"""Fits the reader of the branch: a linear one beside a small hidden layer, the mean of a few that started elsewhere."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from quitbutton.assessors.branch import FARTHEST, Layer

Floats = NDArray[np.float32]
HIDDEN, SEEDS, SCORES = 16, 3, 4
EPOCHS, BATCH, RATE, DECAY, DROPPED = 20, 512, 4e-3, 0.3, 0.1


class Small(nn.Module):
    """Scaled features to scores."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(features, HIDDEN), nn.Linear(HIDDEN, SCORES)
        self.straight = nn.Linear(features, SCORES, bias=False)
        self.drop = nn.Dropout(DROPPED)

    def forward(self, scaled: Tensor) -> Tensor:
        """Shapes (messages, features) to (messages, 4)."""
        found: Tensor = self.out(self.drop(torch.relu(self.hidden(scaled)))) + self.straight(scaled)
        return found


def layer_of(features: Floats, truths: NDArray[np.int64], weights: Floats) -> Layer:
    """Fit on (messages, features), their truths (messages, 4) and how much each message counts."""
    middle, spread = features.mean(0), features.std(0) + 1e-6
    scaled = np.clip((features - middle) / spread, -FARTHEST, FARTHEST)
    several = [_learned(scaled, truths, weights, seed) for seed in range(SEEDS)]

    def arrays(name: str) -> list[Floats]:
        return [one.get_parameter(name).detach().numpy().T for one in several]

    return Layer(
        middle.astype(np.float32),
        spread.astype(np.float32),
        np.concatenate(arrays("hidden.weight"), axis=1),
        np.concatenate(arrays("hidden.bias")),
        np.concatenate(arrays("out.weight")) / np.float32(SEEDS),
        np.mean(arrays("straight.weight"), axis=0),
        np.mean(arrays("out.bias"), axis=0),
    )


def _learned(scaled: Floats, truths: NDArray[np.int64], weights: Floats, seed: int) -> Small:
    """One network, trained with AdamW on a rate that rises and falls once (Smith and Topin 2019)."""
    torch.manual_seed(seed)
    network = Small(scaled.shape[1])
    seen, true, counts = (torch.from_numpy(np.asarray(one, np.float32)) for one in (scaled, truths, weights))
    batch = min(BATCH, len(seen))
    steps = len(seen) // batch
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=EPOCHS * steps + 1)
    for _ in range(EPOCHS):
        order = torch.randperm(len(seen))
        for chosen in order[: steps * batch].split(batch):
            each = binary_cross_entropy_with_logits(network(seen[chosen]), true[chosen], reduction="none").mean(1)
            loss = (each * counts[chosen]).sum() / counts[chosen].sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            pace.step()
    return network.eval()
