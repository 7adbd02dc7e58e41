"""The encoder: the packaged weights are read right, and a change of nothing changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from quitbutton.assessors.base import INNER, LAYERS, WIDTH, base, tensors
from quitbutton.assessors.encoder import LONGEST, PARTS, RANK, Encoder, weights_of

SIZES = {"attention": (4, WIDTH, WIDTH), "up": (1, WIDTH, INNER), "down": (1, INNER, WIDTH)}
NOTHING = {
    "norm": base().norm,
    "norms": base().norms,
    **{f"{name}_a": np.ones((LAYERS, n, rows, RANK), np.float16) for name, (n, rows, _) in SIZES.items()},
    **{f"{name}_b": np.zeros((LAYERS, n, RANK, columns), np.float16) for name, (n, _, columns) in SIZES.items()},
    "attention_bias": base().attention_bias,
    "up_bias": base().up_bias[:, None],
    "down_bias": base().down_bias[:, None],
    "heads_weights": np.eye(2 * WIDTH, dtype=np.float32),
    "heads_bias": np.zeros(2 * WIDTH, np.float32),
    "kinds_weights": np.zeros((2 * WIDTH, 2), np.float32),
    "kinds_bias": np.zeros(2, np.float32),
}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(NOTHING)


def test_a_change_of_nothing_leaves_the_packaged_matrices() -> None:
    weights = weights_of(base(), NOTHING)
    for place, (values, scale) in enumerate(base().matrices):
        name = f"{place // len(PARTS)}.{PARTS[place % len(PARTS)]}"
        near = weights[f"{name}.weights"] * weights[f"{name}.scale"]
        assert np.abs(near - values * scale).max() <= scale.max()


def likeness(encoder: Encoder, one: str, other: str) -> float:
    a, b = (encoder.logits(text)[0][:WIDTH] for text in (one, other))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_like_sentences_are_nearer_than_others(encoder: Encoder) -> None:
    near = likeness(encoder, "How do I bake bread?", "What is a good recipe for a loaf?")
    assert near > likeness(encoder, "How do I bake bread?", "The stock market fell on Monday.") + 0.2


def test_no_more_than_the_longest_is_read(encoder: Encoder) -> None:
    assert len(encoder.ids("word " * 1000)) == LONGEST
    assert np.isfinite(encoder.logits("word " * 1000)[0]).all()


def test_the_same_text_gives_the_same_numbers(encoder: Encoder) -> None:
    assert (encoder.logits("hello there")[0] == Encoder(NOTHING).logits("hello there")[0]).all()


@pytest.mark.parametrize("junk", [b"", b"\x3a\x02\x2a\x00"])
def test_a_model_without_weights_has_no_tensors(junk: bytes) -> None:
    assert tensors(junk) == {}


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises((ValueError, IndexError)):
        tensors(b"not a model at all")
