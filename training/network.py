"""The network in PyTorch: the encoder in two halves, pieces pooled by attention, one hidden layer. Served in NumPy.

The first half (word pieces, first convolution) stays as Google trained it; the second (second convolution, norm, deep layers)
is tuned. `quitbutton.assessors.encoder` and `heads` compute the same from the exported arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from quitbutton.assessors.encoder import BRANCH, CHUNKS, FEATURES, ORDERS, WIDTH, checked, folder

FAR_BELOW = -1e4


def pretrained() -> dict[str, np.ndarray[Any, Any]]:
    """The encoder's arrays, from its package."""
    with np.load(checked(folder() / "weights.npz"), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _tensor(array: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def neighbours(rows: Tensor, order: int, left: int, mask: Tensor) -> Tensor:
    """Each piece beside those around it, zeros where there are none: (texts, pieces, order * width)."""
    padded = functional.pad(rows * mask[..., None], (0, 0, left, order - 1 - left))
    return torch.cat([padded[:, place : place + rows.shape[1]] for place in range(order)], dim=-1)


class FirstLayer(nn.Module):
    """Word pieces to features: the table, its projection and the first convolution. Nothing of it is tuned."""

    def __init__(self, arrays: dict[str, np.ndarray[Any, Any]] | None = None) -> None:
        super().__init__()
        z = arrays or pretrained()
        chunks = [z[f"q{number + 1}"] for number in range(CHUNKS)]
        table = np.empty((sum(map(len, chunks)), WIDTH), dtype=np.uint8)
        for number, chunk in enumerate(chunks):
            table[number::CHUNKS] = chunk
        self.table, self.scale, self.low = torch.from_numpy(table), _tensor(z["scale"]), _tensor(z["lo"])
        self.parts = [
            (
                *(_tensor(z[f"{name}{order}"]) for name in ("proj", "proj_b", "ln_g", "ln_b")),
                *(_tensor(z[f"{name}_{order}"]) for name in ("w1", "b1")),
            )
            for order, _ in ORDERS
        ]
        self.eps = float(z["eps"])

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Shapes (texts, pieces) to (texts, pieces, `FEATURES`)."""
        chunk = ids % CHUNKS
        words = self.table[ids].float() * self.scale[chunk][..., None] + self.low[chunk][..., None]
        # All neighbourhoods share one norm over the joined projection.
        joined = torch.cat([words @ project + bias for project, bias, *_ in self.parts], dim=-1)
        gain, shift = (torch.cat([part[place] for part in self.parts]) for place in (2, 3))
        base = functional.layer_norm(joined, joined.shape[-1:], gain, shift, self.eps)
        found = [words]
        for number, ((order, left), part) in enumerate(zip(ORDERS, self.parts, strict=True)):
            x = base[..., number * BRANCH : (number + 1) * BRANCH]
            found.append(functional.relu(neighbours(x, order, left, mask) @ part[4] + part[5]) + x)
        return torch.cat(found, dim=-1)


class SecondHalf(nn.Module):
    """First-layer features to the pieces' and the whole text's: the layers that are tuned."""

    NAMES = (
        *(f"{kind}2_{order}" for order, _ in ORDERS for kind in ("w", "b")),
        *("ln_g", "ln_b", "cnn_W", "cnn_b", "d0", "d1", "d2", "d3", "p1", "p3"),
    )

    def __init__(self, arrays: dict[str, np.ndarray[Any, Any]] | None = None) -> None:
        super().__init__()
        z = arrays or pretrained()
        self.weights = nn.ParameterDict({name: nn.Parameter(_tensor(z[name])) for name in self.NAMES})
        self.eps = float(z["eps"])

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Pieces (texts, pieces, `FEATURES`) and vectors (texts, 512) of length one."""
        w = self.weights
        found = [features[..., :WIDTH]]
        for number, (order, left) in enumerate(ORDERS):
            x = features[..., WIDTH + number * BRANCH : WIDTH + (number + 1) * BRANCH]
            around = neighbours(x, order, left, mask) @ w[f"w2_{order}"] + w[f"b2_{order}"]
            found.append(functional.relu(around) + x)
        pieces = functional.layer_norm(torch.cat(found, dim=-1), (FEATURES,), w["ln_g"], w["ln_b"], self.eps)
        size = mask.sum(1, keepdim=True)
        mean = ((pieces * mask[..., None]).sum(1) @ w["cnn_W"] + size * w["cnn_b"]) * torch.rsqrt(size)
        second = functional.relu(mean @ w["p1"] + functional.relu(mean @ w["d0"]) @ w["d1"])
        vector = torch.tanh(second @ w["p3"] + functional.relu(second @ w["d2"]) @ w["d3"])
        return pieces, vector * torch.rsqrt((vector * vector).sum(-1, keepdim=True).clamp_min(self.eps))


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the layers above the encoder."""

    outputs: int
    queries: int = 8
    values: int = 48
    peaks: int = 128
    hidden: int = 256
    dropout: float = 0.35
    hears_context: bool = True
    """Whether one more output hears what was said before."""


class Network(nn.Module):
    """Encoder's second half and heads: first-layer features to logits."""

    def __init__(self, shape: Shape, arrays: dict[str, np.ndarray[Any, Any]] | None = None) -> None:
        super().__init__()
        self.shape, self.upper = shape, SecondHalf(arrays)
        pooled = shape.queries * shape.values
        self.query, self.value = nn.Linear(FEATURES, shape.queries), nn.Linear(FEATURES, shape.values)
        self.peak = nn.Linear(FEATURES, shape.peaks)
        self.vector_norm, self.pooled_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(pooled)
        self.peak_norm = nn.LayerNorm(shape.peaks)
        self.hidden = nn.Linear(WIDTH + pooled + shape.peaks, shape.hidden)
        self.context = nn.Linear(WIDTH, shape.hidden, bias=False)
        self.out, self.out_context = nn.Linear(shape.hidden, shape.outputs), nn.Linear(shape.hidden, 1)
        self.drop_in, self.drop = nn.Dropout(0.2), nn.Dropout(shape.dropout)
        nn.init.normal_(self.query.weight, std=0.02)

    def forward(self, features: Tensor, mask: Tensor, context: Tensor | None = None) -> Tensor:
        """Logits (texts, outputs), and one more column where a context is heard."""
        hidden = self.hidden(self.drop_in(self._seen(features, mask)))
        out: Tensor = self.out(self.drop(functional.gelu(hidden)))
        if context is None:
            return out
        heard = self.out_context(self.drop(functional.gelu(hidden + self.context(context))))
        return torch.cat([out, heard], dim=1)

    def _seen(self, features: Tensor, mask: Tensor) -> Tensor:
        pieces, vector = self.upper(features, mask)
        missing = mask[..., None] == 0
        attention = self.query(pieces).masked_fill(missing, FAR_BELOW).softmax(1)
        pooled = torch.einsum("btk,btv->bkv", attention, self.value(pieces)).flatten(1)
        strongest = self.peak(pieces).masked_fill(missing, FAR_BELOW).amax(1)
        return torch.cat([self.vector_norm(vector), self.pooled_norm(pooled), self.peak_norm(strongest)], dim=-1)

    def exported(self) -> dict[str, np.ndarray[Any, Any]]:
        """The arrays that the served reader loads, by its names, in half precision."""
        layers = {"query": self.query, "value": self.value, "peak": self.peak, "hidden": self.hidden, "out": self.out}
        arrays: dict[str, Tensor] = {}
        for name, layer in layers.items():
            arrays |= {name: layer.weight.T, f"{name}_bias": layer.bias}
        for name, norm in (("vector", self.vector_norm), ("pooled", self.pooled_norm), ("peak", self.peak_norm)):
            arrays |= {f"{name}_gain": norm.weight, f"{name}_shift": norm.bias}
        if self.shape.hears_context:
            arrays |= {"context": self.context.weight.T, "out_context": self.out_context.weight.T}
            arrays["out_context_bias"] = self.out_context.bias
        if any(weight.requires_grad for weight in self.upper.parameters()):
            arrays |= {f"tuned_{name}": weight for name, weight in self.upper.weights.items()}
        return {name: array.detach().numpy().astype(np.float16) for name, array in arrays.items()}
