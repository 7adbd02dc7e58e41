"""Writes the encoder's ONNX graph without its weights: those are made at load time from the package and an adapter."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from quitbutton.assessors.base import HEADS, INNER, LAYERS, WIDTH

FUSED = "com.microsoft"
"""ONNX Runtime's own operators: int8 products with activations quantised on the fly, fused attention and sums."""


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, kind: int, *shape: int) -> str:
        tensor = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", "adapter"
        self.weights.append(tensor)
        return name

    def add(self, operator: str, inputs: list[str], output: str, domain: str = FUSED, **more: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **more))
        return output

    def product(self, x: str, name: str, rows: int, columns: int) -> str:
        parts = [
            self.weight(f"{name}.weights", TensorProto.INT8, rows, columns),
            self.weight(f"{name}.scale", TensorProto.FLOAT, columns),
            "",
            self.weight(f"{name}.bias", TensorProto.FLOAT, columns),
        ]
        return self.add("DynamicQuantizeMatMul", [x, *parts], name)

    def norm(self, x: str, added: str, name: str) -> str:
        parts = [self.weight(f"{name}.{part}", TensorProto.FLOAT, WIDTH) for part in ("weight", "bias")]
        return self.add("SkipLayerNormalization", [x, added, *parts], name, epsilon=1e-12)


def encoder_graph() -> bytes:
    """The model: embedded tokens (1, tokens, 384) to their mean and maximum (1, 768)."""
    graph = _Graph()
    start = [graph.weight(f"start.{part}", TensorProto.FLOAT, WIDTH) for part in ("weight", "bias")]
    x = graph.add("LayerNormalization", ["tokens", *start], "start", domain="", epsilon=1e-12)
    for number in range(LAYERS):
        inputs = [graph.product(x, f"{number}.{part}", WIDTH, WIDTH) for part in ("query", "key", "value")]
        seen = graph.add("MultiHeadAttention", inputs, f"{number}.seen", num_heads=HEADS)
        x = graph.norm(graph.product(seen, f"{number}.out", WIDTH, WIDTH), x, f"{number}.first")
        inside = graph.add("Gelu", [graph.product(x, f"{number}.up", WIDTH, INNER)], f"{number}.inside")
        x = graph.norm(graph.product(inside, f"{number}.down", INNER, WIDTH), x, f"{number}.second")
    pooled = [
        graph.add(operator, [x], operator, domain="", axes=[1], keepdims=0) for operator in ("ReduceMean", "ReduceMax")
    ]
    graph.add("Concat", pooled, "vector", domain="", axis=1)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "encoder",
            [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [1, "length", WIDTH])],
            [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 2 * WIDTH])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)],
        ir_version=9,
        producer_name="quitbutton",
    )
    return bytes(model.SerializeToString())


def write_graph(path: Path) -> None:
    """Write the graph file."""
    path.write_bytes(encoder_graph())
