"""Tunes the encoder's low-rank changes and its heads on labelled texts; seeded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR

from quitbutton.training.network import Network

Array = NDArray[Any]
BATCH = 64
RATE, HEAD_RATE, DECAY = 5e-4, 1e-3, 0.01
WARM_UP = 0.06
"""Share of the steps in which the rate rises; then it falls in a straight line."""
KIND_WEIGHT = 0.4


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learnt from: token ids, targets (NaN: nothing to learn) and their weights, a kind or -1 a row."""

    ids: list[list[int]]
    y: Array
    weight: Array
    kind: Array
    kinds: int


def tune(lesson: Lesson, chosen: Array, rounds: int = 3, seed: int = 0) -> Network:
    """A network tuned on the chosen rows (a mask)."""
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    network = Network(lesson.y.shape[1], lesson.kinds)
    pool = np.flatnonzero(chosen)
    steps = rounds * -(-len(pool) // BATCH)
    optimizer = torch.optim.AdamW(_groups(network), lr=RATE)
    schedule = LambdaLR(optimizer, lambda step: min(1.0, step / (WARM_UP * steps)) * max(0.02, 1 - step / steps))
    network.train()
    batches = (batch for _ in range(rounds) for batch in _batches(lesson.ids, pool, chance))
    for batch in track(batches, total=steps, description="tuning", transient=True):
        loss = _loss(network, lesson, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return network.eval()


def _groups(network: Network) -> list[dict[str, Any]]:
    heads = [*network.heads.parameters(), *network.kinds.parameters()]
    own = {id(parameter) for parameter in heads}
    rest = [parameter for parameter in network.parameters() if id(parameter) not in own]
    return [
        {"params": [parameter for parameter in rest if parameter.ndim == 2], "weight_decay": DECAY},
        {"params": [parameter for parameter in rest if parameter.ndim < 2], "weight_decay": 0.0},
        {"params": heads, "weight_decay": DECAY, "lr": HEAD_RATE},
    ]


def _batches(ids: list[list[int]], pool: Array, chance: np.random.Generator) -> Iterator[Array]:
    """Batches of texts of similar length, in random order."""
    pool = chance.permutation(pool)
    found = []
    for begin in range(0, len(pool), BATCH * 50):
        part = pool[begin : begin + BATCH * 50]
        part = part[np.argsort([len(ids[place]) for place in part], kind="stable")]
        found += [part[start : start + BATCH] for start in range(0, len(part), BATCH)]
    for place in chance.permutation(len(found)):
        yield found[place]


def padded(ids: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Ids as one array, and where there are any."""
    longest = max(map(len, ids))
    out, mask = np.zeros((len(ids), longest), np.int64), np.zeros((len(ids), longest), bool)
    for row, mine in enumerate(ids):
        out[row, : len(mine)], mask[row, : len(mine)] = mine, True
    return torch.tensor(out), torch.tensor(mask)


def _loss(network: Network, lesson: Lesson, batch: Array) -> Tensor:
    y = lesson.y[batch]
    mask = torch.tensor(~np.isnan(y) * lesson.weight[batch], dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        heads, kinds = network(*padded([lesson.ids[place] for place in batch]))
    wrong = functional.binary_cross_entropy_with_logits(
        heads.float(), torch.tensor(np.nan_to_num(y), dtype=torch.float32), reduction="none"
    )
    loss: Tensor = (wrong * mask).sum() / len(batch)
    kind = torch.tensor(lesson.kind[batch])
    if (known := kind >= 0).any():
        among = functional.cross_entropy(kinds.float()[known], kind[known])
        loss = loss + KIND_WEIGHT * among * known.float().mean()
    return loss
