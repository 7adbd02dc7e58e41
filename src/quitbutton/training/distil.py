"""Distils the tuned encoder into its student (Hinton et al. 2015): a small network learns its logits on many texts; seeded.

The texts are the rows, a piece cut out of each longer one, and sentences of replies: the teacher labels them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional

from quitbutton.assessors.base import WIDTH, base
from quitbutton.assessors.encoder import Encoder
from quitbutton.assessors.student import NAMES, PREFIX, REACH
from quitbutton.core.messages import Role
from quitbutton.training.data import read
from quitbutton.training.fit import read_as
from quitbutton.training.tune import padded

Array = NDArray[Any]

READ_ALONG = (
    "chatgpt_refusals",
    "convabuse",
    "counsel_chat",
    "diasafety",
    "dices_990",
    "gptfuzz_responses",
    "hh_rlhf_harmless_test",
    "jailbreakbench_artifacts",
)
"""Sources whose replies are read along, unlabelled: none of their sentences is a row."""
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
SENTENCES, WORDS = 100_000, range(3, 61)
"""How many sentences are read along, and how many words each may have."""
LENGTHS = range(3, 50)
"""Words of a piece that is cut out of a row."""
INSIDE, CHANNELS, HIDDEN = 64, 128, 64
GAIN = 10.0
"""Brings the word vectors to the size of one: they are near 0.1."""
BATCH, RATE, DECAY, WARM_UP, ROUNDS = 256, 3e-3, 1e-4, 0.1, 12
DROP, WORD_DROP = 0.1, 0.08
LOWEST, HIGHEST = -7.0, 5.0
"""Logits beyond these are as good as sure: the student need not tell them apart."""


@dataclass(frozen=True)
class Pool:
    """Every text that is learnt from as token ids, the rows first, and the row each comes from (-1: a reply)."""

    ids: list[list[int]]
    row: Array

    @classmethod
    def of(cls, folded: Sequence[str], data: Path, seed: int = 0) -> Pool:
        """From the rows as the assessor reads them, and the replies beside them."""
        chance, encoder = random.Random(seed), Encoder({})
        cut = [(place, _cut(text, chance)) for place, text in enumerate(folded) if len(text.split()) > LENGTHS[0]]
        replies = read_as(_sentences(data, chance))
        texts = [*folded, *(text for _, text in cut), *replies]
        rows = np.array([*range(len(folded)), *(place for place, _ in cut), *([-1] * len(replies))])
        return cls([encoder.ids(text) for text in texts], rows)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all token ids."""
        return sha256(np.concatenate([[-1, *mine] for mine in self.ids]).astype(np.int32).tobytes()).hexdigest()

    def without(self, held_out: Array) -> Array:
        """Which texts come from none of these rows (a mask over rows)."""
        return (self.row < 0) | ~held_out[self.row]


def _cut(text: str, chance: random.Random) -> str:
    words = text.split()
    length = min(chance.choice(LENGTHS), len(words) - 1)
    begin = chance.randrange(len(words) - length + 1)
    return " ".join(words[begin : begin + length])


def _sentences(data: Path, chance: random.Random) -> list[str]:
    found = {
        sentence
        for source in READ_ALONG
        for raw in read(data, source)
        for message in raw["messages"]
        if message["role"] == Role.ASSISTANT
        for sentence in SENTENCE.split(message["content"])
        if len(sentence.split()) in WORDS
    }
    return chance.sample(sorted(found), min(SENTENCES, len(found)))


def taught(learnt: dict[str, Array], ids: Sequence[list[int]]) -> Array:
    """The teacher's logits of its heads, one row a text: as it ships, int8."""
    encoder = Encoder(learnt)
    told = track(ids, description="asking the encoder", transient=True)
    return np.stack([encoder.logits_of(mine)[0] for mine in told])


class Network(nn.Module):
    """The student in PyTorch; `quitbutton.assessors.student` is the same in NumPy."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        known = base()
        self.register_buffer("vectors", torch.tensor(known.words * known.word_scale * GAIN, dtype=torch.float32))
        sizes = [(WIDTH, INSIDE), (3 * INSIDE, CHANNELS), *[(3 * CHANNELS, CHANNELS)] * (len(REACH) - 1)]
        sizes += [(2 * CHANNELS, HIDDEN), (HIDDEN, heads)]
        self.parts = nn.ModuleDict({name: nn.Linear(*size) for name, size in zip(NAMES, sizes, strict=True)})
        self.drop = nn.Dropout(DROP)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """One logit a head."""
        there = mask[:, :, None].float()
        x = self.vectors[ids]
        if self.training:
            x = x * (torch.rand(ids.shape) > WORD_DROP)[:, :, None]
        x = functional.relu(self.parts["words"](x)) * there
        for number, reach in enumerate(REACH):
            seen = functional.relu(self.parts[f"layer_{number}"](_with_neighbours(self.drop(x), reach))) * there
            x = x + seen if number else seen
        pooled = torch.cat([x.max(1)[0], x.sum(1) / there.sum(1)], 1)
        out: Tensor = self.parts["heads"](functional.relu(self.parts["hidden"](self.drop(pooled))))
        return out

    def arrays(self) -> dict[str, Array]:
        """What was learnt, as `Student` reads it: each matrix with its bias as the last row."""
        out = {}
        for name in NAMES:
            weight, bias = (part.detach().numpy() for part in (self.parts[name].weight, self.parts[name].bias))
            gain = GAIN if name == NAMES[0] else 1.0
            out[PREFIX + name] = np.vstack([weight.T * gain, bias]).astype(np.float16)
        return out


def _with_neighbours(x: Tensor, reach: int) -> Tensor:
    room = functional.pad(x, (0, 0, reach, reach))
    return torch.cat([room[:, : x.shape[1]], x, room[:, 2 * reach :]], 2)


def distil(ids: list[list[int]], said: Array, chosen: Array, seed: int = 0) -> dict[str, Array]:
    """The arrays of a student of the chosen texts (a mask) and what the teacher said of them."""
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    network, places = Network(said.shape[1]), np.flatnonzero(chosen)
    goal = torch.tensor(np.clip(said, LOWEST, HIGHEST))
    batches = [batch for _ in range(ROUNDS) for batch in _batches(ids, places, chance)]
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=len(batches), pct_start=WARM_UP)
    network.train()
    for batch in track(batches, description="distilling", transient=True):
        loss = functional.smooth_l1_loss(network(*padded([ids[place] for place in batch])), goal[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.arrays()


def _batches(ids: list[list[int]], places: Array, chance: np.random.Generator) -> list[Array]:
    """Batches of texts of similar length, in random order."""
    by_length = sorted(chance.permutation(places), key=lambda place: len(ids[place]) // 4)
    found = [np.array(by_length[begin : begin + BATCH]) for begin in range(0, len(by_length), BATCH)]
    return [found[place] for place in chance.permutation(len(found))]
