"""Chooses thresholds by a stated cost on held-out rows: a false end costs a hundred missed ones, a missed crisis most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.heads import HEADS
from quitbutton.assessors.local import weighed
from quitbutton.training.data import Row

Array = NDArray[Any]

ORDINARY = (
    "own_ordinary",
    "own_tasks",
    "own_requests",
    "chatgpt_refusals",
    "bailstudy_nonbail_wildchat",
    "openai_moderation",
    "diasafety",
)
CHAT = ("own_ordinary", "chatgpt_refusals", "bailstudy_nonbail_wildchat", "xstest_prompts")
REQUESTS = ("bailbench", "harmbench", "strongreject")
CHEAP_LOSS = dict.fromkeys(HEADS, 0.005)
"""The share of what the encoder would find that the cheap half may lose by not asking it."""
STUDENT_LOSS = dict.fromkeys(HEADS, 0.004) | {"selfharm": 0.002, "distress": 0.002}
"""The share that its student may lose beyond that: least where somebody may be in danger from themselves."""
LIMITS: dict[str, tuple[tuple[tuple[str, ...], float], ...]] = {
    "insult": ((("convabuse",), 0.0268), (CHAT, 0.004)),
    "hate": ((("convabuse",), 0.004), (ORDINARY, 0.0075), (("xstest_prompts",), 0.05), (("hatecheck",), 0.22)),
    "harm": ((("mlc_v05_typical",), 0.049), (("xstest_prompts",), 0.10), (CHAT, 0.035)),
    "selfharm": ((CHAT, 0.008), (("mlc_v05_typical",), 0.020), (("own_everyday",), 0.025), (("own_world",), 0.08)),
    "distress": ((CHAT, 0.010), (("mlc_v05_typical",), 0.020), (("own_everyday",), 0.012), (("convabuse",), 0.013)),
    "threat": ((CHAT, 0.005), (("mlc_v05_typical",), 0.012), (("convabuse",), 0.007), (REQUESTS, 0.012)),
}
"""The share of clean rows that each head may claim, by group of sources; the strictest limit sets the threshold."""


def doubted(scores: Array, folded: Sequence[str]) -> Array:
    """Scores as the assessor weighs them."""
    return np.stack([weighed(text, row) for text, row in zip(folded, scores, strict=True)])


def choose(scores: Array, rows: list[Row]) -> dict[str, float]:
    """One threshold a head."""
    sources = np.array([row.source for row in rows])
    chosen: dict[str, float] = {}
    for number, head in enumerate(HEADS):
        clean = np.array([row.targets.get(head) == 0 for row in rows])
        bounds = []
        for names, share in LIMITS[head]:
            mine = scores[clean & np.isin(sources, names), number]
            if len(mine):
                bounds.append(float(np.quantile(mine, 1 - share)))
        chosen[head] = round(float(np.clip(max(bounds) + 1e-3, 0.05, 0.98)), 3)
    return chosen


def gate(said: Array, scores: Array, rows: list[Row], limits: dict[str, float], loss: Mapping[str, float]) -> Array:
    """What each head must be below to be called clean without the encoder: it costs `loss` of what that would find."""
    out = np.zeros(len(HEADS), dtype=np.float32)
    for number, head in enumerate(HEADS):
        found = np.array([row.targets.get(head) == 1 for row in rows]) & (scores[:, number] >= limits[head])
        out[number] = np.quantile(said[found, number], loss[head])
    return out
