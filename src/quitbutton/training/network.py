"""The encoder in PyTorch: the packaged weights stay, low-rank changes beside each matrix are learnt (Hu et al. 2021)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from quitbutton.assessors.base import HEADS, LAYERS, WIDTH, base
from quitbutton.assessors.encoder import GAIN, RANK

Array = NDArray[Any]
DROP = 0.1


def _tensor(values: Array) -> Tensor:
    return torch.tensor(np.array(values, dtype=np.float32))


class Changed(nn.Module):
    """A matrix that stays, a low-rank change that learns, a bias that learns."""

    def __init__(self, matrix: tuple[Array, Array], bias: Array) -> None:
        super().__init__()
        weights = _tensor(matrix[0] * matrix[1])
        self.register_buffer("weights", weights)
        self.bias = nn.Parameter(_tensor(bias))
        self.a = nn.Parameter(torch.randn(weights.shape[0], RANK) / math.sqrt(weights.shape[0]))
        self.b = nn.Parameter(torch.zeros(RANK, weights.shape[1]))

    def forward(self, x: Tensor) -> Tensor:
        """The matrix with its change, applied."""
        return x @ self.weights + (x @ self.a) @ self.b * GAIN + self.bias


def _norm(values: Array) -> nn.LayerNorm:
    norm = nn.LayerNorm(WIDTH, eps=1e-12)
    norm.weight.data, norm.bias.data = _tensor(values[0]), _tensor(values[1])
    return norm


class Layer(nn.Module):
    """Attention, then a feed-forward half, each normalised after its sum (BERT's order)."""

    def __init__(self, number: int) -> None:
        super().__init__()
        known = base()
        six = known.matrices[6 * number : 6 * number + 6]
        biases = (*known.attention_bias[number], known.up_bias[number], known.down_bias[number])
        self.parts = nn.ModuleList(Changed(matrix, bias) for matrix, bias in zip(six, biases, strict=True))
        self.norms = nn.ModuleList(_norm(values) for values in known.norms[number])
        self.drop = nn.Dropout(DROP)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """One layer on."""
        query, key, value, out, up, down = self.parts
        rows, length, _ = x.shape

        def split(y: Tensor) -> Tensor:
            return y.view(rows, length, HEADS, WIDTH // HEADS).transpose(1, 2)

        seen = functional.scaled_dot_product_attention(
            split(query(x)), split(key(x)), split(value(x)), attn_mask=mask[:, None, None, :]
        )
        x = self.norms[0](x + self.drop(out(seen.transpose(1, 2).reshape(rows, length, WIDTH))))
        return self.norms[1](x + self.drop(down(functional.gelu(up(x)))))


class Network(nn.Module):
    """Token ids to logits: one a head, and one a kind (softmax among those)."""

    def __init__(self, heads: int, kinds: int) -> None:
        super().__init__()
        known = base()
        self.register_buffer("words", _tensor(known.words * known.word_scale))
        self.register_buffer("places", _tensor(known.places))
        self.norm = _norm(known.norm)
        self.layers = nn.ModuleList(Layer(number) for number in range(LAYERS))
        self.drop = nn.Dropout(DROP)
        self.heads = nn.Linear(2 * WIDTH, heads)
        self.kinds = nn.Linear(2 * WIDTH, max(1, kinds))
        for head in (self.heads, self.kinds):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the heads and of the kinds."""
        x = self.drop(self.norm(self.words[ids] + self.places[: ids.shape[1]]))
        for layer in self.layers:
            x = layer(x, mask)
        x, there = x.float(), mask[:, :, None]
        mean = (x * there).sum(1) / there.sum(1)
        top = x.masked_fill(~there, -1e9).max(1)[0]
        pooled = self.drop(torch.cat([mean, top], 1))
        return self.heads(pooled), self.kinds(pooled)

    def arrays(self) -> dict[str, Array]:
        """What was learnt, as `encoder.Adapter` reads it."""

        def stacked(parts: slice, name: str) -> Array:
            values = [[getattr(part, name).detach().numpy() for part in layer.parts[parts]] for layer in self.layers]
            return np.array(values)

        attention, up, down = slice(0, 4), slice(4, 5), slice(5, 6)
        out: dict[str, Array] = {}
        for group, parts in (("attention", attention), ("up", up), ("down", down)):
            for name in ("a", "b", "bias"):
                out[f"{group}_{name}"] = stacked(parts, name).astype(np.float32 if name == "bias" else np.float16)
        norms = [[[norm.weight, norm.bias] for norm in layer.norms] for layer in self.layers]
        out["norms"] = np.array([[[part.detach().numpy() for part in norm] for norm in pair] for pair in norms])
        out["norm"] = np.stack([self.norm.weight.detach().numpy(), self.norm.bias.detach().numpy()])
        for name, head in (("heads", self.heads), ("kinds", self.kinds)):
            out[f"{name}_weights"] = head.weight.detach().numpy().T.astype(np.float32)
            out[f"{name}_bias"] = head.bias.detach().numpy().astype(np.float32)
        return out
