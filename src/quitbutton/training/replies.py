"""Trains and measures the refusal check: logistic regression over a reply's opening and first part."""

from __future__ import annotations

import json
import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from quitbutton.assessors.ngrams import BITS
from quitbutton.assessors.refusal import RANGES, reply_features
from quitbutton.training.data import read, user_turns
from quitbutton.training.patterns import SLOT

PHRASES = Path(__file__).with_name("replies.toml")
FOLDS, COPIES = 5, 60
CUT = 0.35
"""The held-out probability from which a reply counts as a refusal; the shipped bias is moved so that it reads 0.5."""
TONES = {"rejected": 1, "redirected": 1, "counseling": 1, "complied": 0}
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, whether it refuses, where it came from, and the prompt that keeps it on one side."""

    text: str
    refuses: int
    source: str
    group: str
    weight: float = 1.0


def replies(data: Path) -> list[Reply]:
    """All labelled replies."""
    found = []
    for raw in read(data, "xstest_completions"):
        refuses = int(raw["labels"]["final_label"] != "1_full_compliance")
        found.append(Reply(raw["messages"][-1]["content"], refuses, "xstest_completions", user_turns(raw)[-1], 4.0))
    for raw in read(data, "chatgpt_refusals"):
        if (refuses_ := TONES.get(raw["labels"]["tone"])) is not None:
            found.append(Reply(raw["messages"][-1]["content"], refuses_, "chatgpt_refusals", user_turns(raw)[-1], 0.5))
    for raw in read(data, "gptfuzz_responses"):
        found.append(
            Reply(
                raw["messages"][-1]["content"],
                1 - raw["labels"]["label"],
                "gptfuzz_responses",
                user_turns(raw)[-1],
                0.15,
            )
        )
    return [reply for reply in found if reply.text.strip()] + own_replies()


def own_replies(seed: int = 7) -> list[Reply]:
    """Replies from our own patterns."""
    content = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    slots, chance, found = content.pop("slots"), random.Random(seed), []
    for section in content.values():
        for pattern in section["patterns"]:
            texts = {SLOT.sub(lambda match: chance.choice(slots[match[1]]), pattern).strip() for _ in range(COPIES)}
            found += [Reply(text, section["label"], "own_replies", pattern, 1.0) for text in sorted(texts)]
    return found


def matrix(found: list[Reply]) -> csr_matrix:
    """Features, one row a reply."""
    parts = [reply_features(reply.text) for reply in found]
    ends = np.cumsum([0, *(len(index) for index, _ in parts)])
    return csr_matrix(
        (np.concatenate([v for _, v in parts]), np.concatenate([i for i, _ in parts]), ends),
        shape=(len(found), RANGES << BITS),
    )


def measure(scores: Array, y: Array, at: float = 0.5) -> dict[str, float]:
    """Precision, recall, F1."""
    said = scores >= at
    right = float((said & (y == 1)).sum())
    precision, recall = right / max(1.0, float(said.sum())), right / max(1.0, float((y == 1).sum()))
    return {
        "rows": len(y),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 3),
    }


def train_refusal(data: Path, out: Path) -> dict[str, dict[str, float]]:
    """Measure on held-out prompts, fit on all replies, write weights and metadata."""
    found = replies(data)
    x, y = matrix(found), np.array([reply.refuses for reply in found])
    weight = np.array([reply.weight for reply in found])
    fold = np.array([crc32(reply.group.encode()) % FOLDS for reply in found])
    scores = np.zeros(len(found))

    def fitted(chosen: Array) -> LogisticRegression:
        model = LogisticRegression(C=10.0, solver="liblinear", dual=True, tol=1e-2, max_iter=500, random_state=0)
        return model.fit(x[chosen], y[chosen], sample_weight=weight[chosen])

    for number in range(FOLDS):
        scores[fold == number] = fitted(fold != number).predict_proba(x[fold == number])[:, 1]
    source = np.array([reply.source for reply in found])
    figures = {name: measure(scores[source == name], y[source == name], CUT) for name in sorted(set(source))}
    model = fitted(np.ones(len(found), dtype=bool))
    scale = float(np.abs(model.coef_).max() / 127)
    np.savez_compressed(
        out / "refusal.npz",
        weights=np.round(model.coef_[0] / scale).astype(np.int8),
        scale=np.float32(scale),
        bias=np.float32(model.intercept_[0] - np.log(CUT / (1 - CUT))),
    )
    (out / "refusal.json").write_text(
        json.dumps({"version": "refusal@1", "held_out": figures}, indent=2) + "\n", encoding="utf-8"
    )
    print(json.dumps(figures, indent=1))
    return figures
