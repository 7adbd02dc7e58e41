"""Trains and measures the refusal check: n-grams and cues with logistic regression, the tuned encoder beside them."""

from __future__ import annotations

import json
import random
import tomllib
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from quitbutton.assessors.encoder import Encoder
from quitbutton.assessors.ngrams import BITS
from quitbutton.assessors.refusal import NAME
from quitbutton.assessors.replies import LABELS, RANGES, reply_features, reply_ids
from quitbutton.core.verdicts import ReplyLabel
from quitbutton.training import fit
from quitbutton.training.data import read, user_turns
from quitbutton.training.held_out import kept
from quitbutton.training.patterns import SLOT
from quitbutton.training.tune import Lesson

PHRASES = Path(__file__).with_name("replies.toml")
FOLDS, COPIES = 5, 20
JUDGED = (0, 1)
TONES = {
    "rejected": ReplyLabel.REFUSED,
    "redirected": ReplyLabel.REDIRECTED,
    "counseling": ReplyLabel.REDIRECTED,
    "complied": ReplyLabel.COMPLIED,
}
GRADES = {
    "1_full_compliance": ReplyLabel.COMPLIED,
    "2_full_refusal": ReplyLabel.REFUSED,
    "3_partial_refusal": ReplyLabel.PARTIAL,
}
JAILBROKEN_SHARE = 0.35
"""Of GPTFuzz's many replies to few questions, how many are learnt from."""
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, whether it refuses, where it came from, and the prompt that keeps it on one side."""

    text: str
    refuses: int
    source: str
    prompt: str
    weight: float = 1.0
    label: ReplyLabel = ReplyLabel.UNKNOWN
    """In which way it answers, where the source says."""

    @property
    def group(self) -> str:
        """What must not be parted: the replies to one prompt, or of one pattern."""
        return self.prompt


def replies(data: Path) -> list[Reply]:
    """All labelled replies."""
    found = []
    for raw in read(data, "xstest_completions"):
        label = GRADES[raw["labels"]["final_label"]]
        found.append(_reply(raw, int(label is not ReplyLabel.COMPLIED), "xstest_completions", 3.0, label))
    for raw in read(data, "chatgpt_refusals"):
        if (tone := TONES.get(raw["labels"]["tone"])) is not None:
            found.append(_reply(raw, int(tone is not ReplyLabel.COMPLIED), "chatgpt_refusals", 0.6, tone))
    for raw in read(data, "gptfuzz_responses"):
        if crc32(raw["id"].encode()) % 1000 < JAILBROKEN_SHARE * 1000:
            found.append(_reply(raw, 1 - raw["labels"]["label"], "gptfuzz_responses", 0.3, ReplyLabel.UNKNOWN))
    return [reply for reply in found if reply.text.strip()] + own_replies()


def _reply(raw: dict[str, Any], refuses: int, source: str, weight: float, label: ReplyLabel) -> Reply:
    return Reply(raw["messages"][-1]["content"], refuses, source, user_turns(raw)[-1], weight, label)


def own_replies(seed: int = 7) -> list[Reply]:
    """Replies from our own patterns; the pattern stands in for the prompt, which is empty to the encoder."""
    content = tomllib.loads(PHRASES.read_text(encoding="utf-8"))
    slots, chance, found = content.pop("slots"), random.Random(seed), []
    for section in content.values():
        for pattern in section["patterns"]:
            texts = {SLOT.sub(lambda match: chance.choice(slots[match[1]]), pattern).strip() for _ in range(COPIES)}
            found += [Reply(text, section["label"], "own_replies", pattern, 0.7) for text in sorted(texts)]
    return found


def matrix(found: list[Reply]) -> csr_matrix:
    """Features, one row a reply."""
    parts = [reply_features(reply.text) for reply in found]
    ends = np.cumsum([0, *(len(index) for index, _ in parts)])
    return csr_matrix(
        (np.concatenate([v for _, v in parts]), np.concatenate([i for i, _ in parts]), ends),
        shape=(len(found), RANGES << BITS),
    )


def measure(scores: Array, y: Array) -> dict[str, float]:
    """Precision, recall, F1 at 0.5."""
    said = scores >= 0.5
    right = float((said & (y == 1)).sum())
    precision, recall = right / max(1.0, float(said.sum())), right / max(1.0, float((y == 1).sum()))
    return {
        "rows": len(y),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 3),
    }


class Replies:
    """All replies, ready to be learnt from."""

    def __init__(self, found: list[Reply]) -> None:
        self.found = found
        self.x, self.y = matrix(found), np.array([reply.refuses for reply in found])
        self.weight = np.array([reply.weight for reply in found])
        self.fold = np.array([crc32(reply.group.encode()) % FOLDS for reply in found])
        self.source = np.array([reply.source for reply in found])
        encoder = Encoder({})  # its tokens alone are asked for
        asked = ["" if reply.source == "own_replies" else reply.prompt for reply in found]
        self.ids = [reply_ids(encoder, prompt, reply.text) for prompt, reply in zip(asked, found, strict=True)]
        said = json.dumps([[reply.text, reply.refuses, reply.weight, reply.label] for reply in found])
        self.digest = sha256(said.encode()).hexdigest()

    def learnt(self, chosen: Array) -> dict[str, Array]:
        """Both halves fitted on the chosen replies."""
        model = LogisticRegression(C=10.0, solver="liblinear", dual=True, tol=1e-2, max_iter=500, random_state=0)
        model.fit(self.x[chosen], self.y[chosen], sample_weight=self.weight[chosen])
        kind = [LABELS.index(reply.label) if reply.label in LABELS else -1 for reply in self.found]
        goals = self.y[:, None].astype(np.float32)
        lesson = Lesson(self.ids, goals, self.weight[:, None], np.array(kind), len(LABELS))
        half = {"ngram": model.coef_[0].astype(np.float32), "ngram_bias": model.intercept_.astype(np.float32)}
        return half | fit.fit_deep(lesson, chosen, rounds=3)

    def judged(self, learnt: dict[str, Array], places: Array) -> tuple[Array, Array, Array]:
        """Logits of both halves and of the kinds for these places."""
        cheap = self.x[places] @ learnt["ngram"] + learnt["ngram_bias"]
        deep, kinds = fit.deep_logits(learnt, [self.ids[place] for place in places])
        return cheap, deep[:, 0], kinds


def held_out(replies_: Replies, number: int, cache: Path) -> tuple[Array, Array, Array, Array]:
    """Places of a fold, and what a model that never saw it says about them."""
    places = np.flatnonzero(replies_.fold == number)

    def make() -> dict[str, Array]:
        parts = replies_.judged(replies_.learnt(replies_.fold != number), places)
        return dict(zip(("cheap", "deep", "kinds"), parts, strict=True))

    found = kept(cache / f"replies-{number}.npz", replies_.digest, make)
    return places, found["cheap"], found["deep"], found["kinds"]


def train_refusal(data: Path, out: Path, cache: Path) -> None:
    """Measure on held-out prompts, fit on all replies, write weights and metadata."""
    mine = Replies(replies(data))
    parts = [held_out(mine, number, cache) for number in JUDGED]
    places, cheap, deep, kinds = (np.concatenate([part[column] for part in parts]) for column in range(4))
    both, scores = _stacked(mine, places, cheap, deep)
    figures = {
        name: measure(scores[mine.source[places] == name], mine.y[places][mine.source[places] == name])
        for name in sorted(set(mine.source))
    }
    learnt = kept(cache / "replies-final.npz", mine.digest, lambda: mine.learnt(np.ones(len(mine.y), dtype=bool)))
    scale = float(np.abs(learnt["ngram"]).max() / 127)
    small: dict[str, Any] = {
        "ngram": np.round(learnt["ngram"] / scale).astype(np.int8),
        "ngram_scale": np.float32(scale),
        "ngram_bias": np.float32(learnt["ngram_bias"].sum()),
        "both": both,
    }
    weights: dict[str, Any] = learnt | small
    np.savez_compressed(out / "refusal.npz", **weights)
    meta = {
        "version": NAME,
        "data_sha256": mine.digest,
        "held_out": figures,
        "labels": _labels(mine, places, scores, kinds),
    }
    (out / "refusal.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(meta, indent=1))


def _stacked(mine: Replies, places: Array, cheap: Array, deep: Array) -> tuple[Array, Array]:
    """The weights of both halves, and held-out probabilities: each fold's from weights fitted on the others."""
    x, y, weight, fold = np.stack([cheap, deep], 1), mine.y[places], mine.weight[places], mine.fold[places]

    def fitted(chosen: Array) -> LogisticRegression:
        return LogisticRegression(C=1.0).fit(x[chosen], y[chosen], sample_weight=weight[chosen])

    scores = np.zeros(len(y))
    for number in JUDGED:
        scores[fold == number] = fitted(fold != number).predict_proba(x[fold == number])[:, 1]
    model = fitted(np.ones(len(y), dtype=bool))
    return np.array([*model.coef_[0], model.intercept_[0]], dtype=np.float32), scores


def _labels(mine: Replies, places: Array, scores: Array, kinds: Array) -> dict[str, dict[str, int]]:
    """How often each kind of reply was called what, held out."""
    found: dict[str, Counter[str]] = {label.value: Counter() for label in LABELS}
    for place, score, kind in zip(places, scores, kinds, strict=True):
        if (true := mine.found[place].label) in LABELS:
            called = LABELS[0] if score < 0.5 else LABELS[1 + int(np.argmax(kind[1:]))]
            found[true.value][called.value] += 1
    return {label: dict(counts) for label, counts in found.items()}
