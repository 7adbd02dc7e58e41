"""The heads: what they compute is what the formulas say, over any window, and a file of theirs holds arrays alone."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quitbutton.assessors.encoder import FEATURES, Encoded
from quitbutton.assessors.heads import Heads, gelu, sigmoid, softmax
from tests.assessors.tiny import HIDDEN, LOGITS, QUERIES, VECTOR, tiny_heads


def window(pieces: int, seed: int = 1) -> Encoded:
    dice = np.random.default_rng(seed)
    vector = dice.normal(size=VECTOR).astype(np.float32)
    return Encoded(dice.normal(size=(pieces, FEATURES)).astype(np.float32), vector / np.linalg.norm(vector))


@given(st.floats(-12, 12))
def test_gelu_is_the_gaussian_one(value: float) -> None:
    exact = value * 0.5 * (1 + math.erf(value / math.sqrt(2)))
    assert abs(float(gelu(np.float32(value))) - exact) < 2e-6 * max(1, abs(value))


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=9))
def test_probabilities_are_some_for_any_logits(logits: list[float]) -> None:
    given_ = np.array(logits, np.float32)
    assert math.isclose(float(softmax(given_).sum()), 1, rel_tol=1e-5)
    assert ((sigmoid(given_) >= 0) & (sigmoid(given_) <= 1)).all()
    assert (np.argsort(given_, kind="stable") == np.argsort(softmax(given_), kind="stable")).all() or len(
        set(softmax(given_).tolist())
    ) < len(logits)


@pytest.mark.parametrize("pieces", [1, 2, 50, 112])
def test_the_hidden_layer_is_attention_and_peaks_beside_the_vector(pieces: int) -> None:
    heads, seen = tiny_heads(), window(pieces)
    a = heads.arrays

    def normed(values: np.ndarray) -> np.ndarray:
        return (values - values.mean()) / np.sqrt(values.var() + 1e-5)

    pooled = []
    for query in range(QUERIES):
        raw = np.array([piece @ a["query"][:, query] + a["query_bias"][query] for piece in seen.pieces])
        weight = np.exp(raw - raw.max()) / np.exp(raw - raw.max()).sum()
        pooled.append(
            sum(w * (piece @ a["value"] + a["value_bias"]) for w, piece in zip(weight, seen.pieces, strict=True))
        )
    peaks = np.max([piece @ a["peak"] + a["peak_bias"] for piece in seen.pieces], axis=0)
    parts = np.concatenate([normed(seen.vector), normed(np.concatenate(pooled)), normed(peaks)])
    expected = parts @ a["hidden"] + a["hidden_bias"]
    assert heads.hidden(seen).shape == (HIDDEN,)
    assert np.abs(heads.hidden(seen) - expected).max() < 1e-3
    assert heads.out(heads.hidden(seen)).shape == (LOGITS,)


def test_the_order_of_the_pieces_is_the_encoders_to_see_not_the_heads() -> None:
    seen = window(30)
    turned = Encoded(seen.pieces[::-1], seen.vector)
    assert np.abs(tiny_heads().hidden(seen) - tiny_heads().hidden(turned)).max() < 1e-4


def test_one_piece_among_many_is_heard() -> None:
    heads, seen = tiny_heads(), window(112)
    pieces = seen.pieces.copy()
    pieces[57] = heads.arrays["peak"][:, 0] * 100
    assert np.abs(heads.hidden(Encoded(pieces, seen.vector)) - heads.hidden(seen)).max() > 0.1


def test_what_was_said_before_moves_the_head_that_hears_it_and_no_other() -> None:
    heads = tiny_heads()
    hidden = heads.hidden(window(20))
    nothing, context = np.zeros(VECTOR, np.float32), window(1, seed=5).vector
    before = heads.out(hidden)
    assert heads.in_context(hidden, context) != heads.in_context(hidden, nothing)
    assert (heads.out(hidden) == before).all()


def written(folder: Path, heads: Heads) -> None:
    np.savez(folder / "tiny.npz", **{name: values.astype(np.float16) for name, values in heads.arrays.items()})
    (folder / "tiny.json").write_text(json.dumps(heads.meta), encoding="utf-8")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    heads = tiny_heads(version="x")
    written(tmp_path, heads)
    read = Heads.load("tiny", tmp_path)
    assert read.meta == heads.meta
    assert {values.dtype for values in read.arrays.values()} == {np.dtype(np.float32)}
    assert np.abs(read.hidden(window(9)) - heads.hidden(window(9))).max() < 0.05


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("a file of weights ran code",)


def test_a_file_with_anything_but_arrays_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, tiny_heads())
    np.savez(tmp_path / "tiny.npz", hidden=np.array([Trap()], dtype=object))
    with pytest.raises((ValueError, pickle.UnpicklingError)):
        Heads.load("tiny", tmp_path)
    assert "ran code" not in capsys.readouterr().out
