"""The branch: what its newest message is by itself, what the messages before it add, and what they never can."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quitbutton.assessors.branch import (
    ABUSE,
    CONCERN,
    FULL,
    HARM,
    IN_CONTEXT,
    MODES,
    QUIET,
    RAISED,
    RISK,
    RUDE,
    TARGETS,
    Layer,
    Read,
    Standpoints,
    features_of,
)
from quitbutton.assessors.heads import Heads, sigmoid, softmax

Floats = NDArray[np.float32]
FEATURES, OWN = 48, 15
"""All features, and those of the newest message alone: six logits, four modes, five targets."""
SUMS, PEAKS, LAST = slice(15, 33, 3), slice(16, 33, 3), slice(17, 33, 3)
"""Of abuse, harm, rudeness, concern, risk, and of what is not in earnest: over the messages before, faded; highest; last."""
LENGTH, PURSUIT = 33, slice(40, 48)
STRONG = 4.0


@pytest.fixture(scope="module")
def shipped() -> Heads:
    return Heads.load("reader")


def message(**logits: float) -> Floats:
    """A quiet message in earnest at the assistant, but for some logits by name."""
    read = QUIET.copy()
    read[TARGETS.start], read[MODES.start] = 2, 2
    for name, value in logits.items():
        read[PLACES[name]] = value
    return read


PLACES = {"abuse": ABUSE, "rude": RUDE, "harm": HARM, "in_context": IN_CONTEXT, "risk": RISK, "concern": CONCERN}
ABUSIVE = message(abuse=STRONG, rude=STRONG)
HARMFUL = message(harm=STRONG, in_context=STRONG)
CLEAN = message()


def read_of(*logits: Floats, about: Sequence[int] = ()) -> Read:
    """Messages about things by number; none given: each about another."""
    return Read(np.stack(logits), np.eye(512, dtype=np.float32)[list(about) or range(len(logits))])


def branch(*logits: Floats, about: Sequence[int] = ()) -> Floats:
    return features_of(read_of(*logits, about=about))


def messages() -> st.SearchStrategy[Floats]:
    """Messages of any logits."""
    return st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).uniform(-8, 8, 24).astype(np.float32))


@settings(deadline=None)
@given(messages())
def test_the_first_message_is_judged_by_itself(now: Floats) -> None:
    features = branch(now)
    assert features.shape == (FEATURES,)
    assert (features[:6] == now[[ABUSE, RUDE, HARM, IN_CONTEXT, RISK, CONCERN]]).all()
    assert np.abs(features[6:10] - softmax(now[MODES])).max() < 1e-6
    assert np.abs(features[10:15] - softmax(now[TARGETS])[:5]).max() < 1e-6
    assert not features[15 : LENGTH + 3].any(), "nothing was said before"


@settings(deadline=None)
@given(messages(), st.lists(messages(), min_size=1, max_size=12))
def test_what_was_said_before_changes_nothing_of_what_the_newest_is_by_itself(
    now: Floats, before: Sequence[Floats]
) -> None:
    features = branch(*before, now)
    assert (features[:OWN] == branch(now)[:OWN]).all()
    chances = sigmoid(np.stack(before)[:, [ABUSE, IN_CONTEXT, RUDE, CONCERN, RISK]])
    assert np.abs(features[PEAKS][:5] - chances.max(axis=0)).max() < 1e-6
    assert np.abs(features[LAST][:5] - chances[-1]).max() < 1e-6
    assert (features[SUMS] >= features[LAST] - 1e-6).all()
    assert features[LENGTH] == np.float32(min(len(before), FULL) / FULL)
    assert np.isfinite(features).all()


@settings(deadline=None)
@given(st.integers(1, 10), st.data())
def test_later_messages_count_more(length: int, data: st.DataObject) -> None:
    early = data.draw(st.integers(0, length - 1))
    late = data.draw(st.integers(early, length - 1))
    at_early, at_late = (
        branch(*[ABUSIVE if place == where else CLEAN for place in range(length)], CLEAN) for where in (early, late)
    )
    assert at_late[SUMS][0] >= at_early[SUMS][0]
    assert bool(at_late[SUMS][0] > at_early[SUMS][0]) is (late > early)
    assert at_late[PEAKS][0] == at_early[PEAKS][0], "the highest does not ask when"


def test_that_it_goes_on_says_more_than_that_it_happened() -> None:
    sums = [branch(*[ABUSIVE] * times, ABUSIVE)[SUMS][0] for times in range(8)]
    assert all(later > earlier for earlier, later in pairwise(sums))
    assert sums[-1] < 1 / (1 - 0.8), "and a long branch adds up to no more than a limit"


def test_the_same_aim_pursued_is_told_from_six_questions_about_six_things() -> None:
    asked = [HARMFUL] * 5
    pursued, scattered = (branch(*asked, HARMFUL, about=about)[PURSUIT] for about in ([3] * 6, range(6)))
    assert (pursued[:7] > 0).all()
    assert pursued[7] == 0
    assert not scattered[:7].any()
    assert scattered[7] > 3, "what was asked before about other things"
    assert not branch(HARMFUL)[PURSUIT].any(), "nothing was asked before"


def some_layer(seed: int) -> Layer:
    dice = np.random.default_rng(seed)
    shapes = [(FEATURES,), (FEATURES,), (FEATURES, 3), (3,), (3, 4), (FEATURES, 4), (4,)]
    arrays = [dice.normal(size=shape).astype(np.float32) for shape in shapes]
    arrays[1] = np.abs(arrays[1]) + 1
    return Layer(*arrays)


@settings(deadline=None)
@given(messages(), st.lists(messages(), max_size=5), st.integers(0, 99))
def test_blame_is_bounded_by_the_message_itself_and_help_is_not(
    now: Floats, before: Sequence[Floats], seed: int
) -> None:
    layer = some_layer(seed)
    found = layer.standpoints(read_of(*before, now))
    free, alone = layer.scores(np.stack([branch(*before, now), branch(now)]))
    expected = [*np.minimum(free[:2], alone[:2] + RAISED), *free[2:]]
    assert np.abs(np.array(found) - expected).max() < 1e-3


def test_a_layer_is_a_linear_reader_beside_a_hidden_layer_and_travels_as_arrays() -> None:
    layer, features = some_layer(1), np.random.default_rng(2).normal(0, 9, (7, FEATURES)).astype(np.float32)
    scaled = ((features - layer.middle) / layer.spread).clip(-5, 5)
    expected = np.maximum(scaled @ layer.hidden + layer.hidden_bias, 0) @ layer.out + scaled @ layer.straight
    assert np.allclose(layer.scores(features), expected + layer.bias, atol=1e-4)
    assert np.array_equal(Layer.of(layer.arrays()).scores(features), layer.scores(features))


def judged(shipped: Heads, *logits: Floats) -> Standpoints:
    return Layer.of(shipped.arrays).standpoints(read_of(*logits))


@settings(max_examples=200, deadline=None)
@given(st.lists(messages(), max_size=12), messages())
@example([ABUSIVE] * 12, message(abuse=-3, rude=2))
@example([HARMFUL] * 12, message(harm=-3, in_context=-3))
def test_a_clean_message_after_anything_at_all_is_never_serious(before: Sequence[Floats], now: Floats) -> None:
    LOADED.append(LOADED[0] if LOADED else Heads.load("reader"))
    shipped, limits = LOADED[0], LOADED[0].meta["thresholds"]
    alone, found = judged(shipped, now), judged(shipped, *before, now)
    for score in ("abuse", "harm"):
        if sigmoid(np.float32(getattr(alone, score))) < HARMLESS:
            assert sigmoid(np.float32(getattr(found, score))) < min(limits[score], 0.5)


HARMLESS = 0.03
"""Probability of abuse, or of harm, below which a message by itself is harmless beyond doubt."""
LOADED: list[Heads] = []


@pytest.mark.parametrize(("kind", "score"), [(ABUSIVE, "abuse"), (HARMFUL, "harm")])
def test_plain_abuse_and_plain_harm_count_once_they_go_on(shipped: Heads, kind: Floats, score: str) -> None:
    for earlier in range(1, 6):
        found = judged(shipped, *[kind] * earlier, kind)
        assert sigmoid(np.float32(getattr(found, score))) >= shipped.meta["thresholds"][score]


def test_a_clear_sign_of_danger_is_one_whatever_was_said_before(shipped: Heads) -> None:
    danger = message(risk=STRONG, concern=STRONG)
    for before in ([], [ABUSIVE] * 5, [HARMFUL] * 5, [CLEAN] * 5):
        assert sigmoid(np.float32(judged(shipped, *before, danger).danger)) >= shipped.meta["thresholds"]["clear"]
