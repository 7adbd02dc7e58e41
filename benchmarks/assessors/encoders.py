"""Measures encoders, each frozen under the same logistic heads on the same rows, beside ours that is tuned."""

from __future__ import annotations

import statistics
import time
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.assessors.environments import (
    ENVIRONMENTS,
    HERE,
    NotMeasured,
    Package,
    answers,
    megabytes,
    milliseconds,
    packages,
    site,
)
from benchmarks.assessors.measures import recall_at
from benchmarks.assessors.others import Line, Progress
from benchmarks.assessors.ours import HeldOut, weights_mb
from benchmarks.assessors.rows import HARSH_REQUESTS, Sample
from quitbutton.assessors.heads import CRISES, HEADS
from quitbutton.assessors.local import LocalAssessor
from quitbutton.assessors.ngrams import words_of
from quitbutton.evaluation.measures import auc

Array = NDArray[Any]
FALSE_SHARE = 0.03
STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Inverse regularisation: the best of these on one fold of the lessons, for each encoder and head by itself."""
GOALS = {"insult": "insult", "harm": "harm", "crisis": "crisis"}


@dataclass(frozen=True)
class Texts:
    """What is learned from, what is tested on, and 60-word messages that are timed; as the assessor reads them."""

    lessons: list[Sample]
    tested: list[Sample]
    timed: list[str]
    folded: dict[str, str]
    trial: Array
    """Lessons on which a head's strength is chosen: one fold."""

    @property
    def all(self) -> list[str]:
        """Every text, folded: lessons, then tests."""
        return [self.folded[sample.text] for sample in (*self.lessons, *self.tested)]


def truth(goal: str, sample: Sample) -> int | None:
    """1 for a row of that kind, 0 for a clean one (for a crisis: one labelled as none), None where it is left open."""
    if sample.kind == goal:
        return 1
    if goal == "crisis":
        return 0 if sample.calm else None
    return 0 if sample.kind == "clean" else None


def tests(goal: str, sample: Sample) -> bool:
    """True for rows that the goal is tested on."""
    sources = {"insult": ("convabuse",), "harm": (*HARSH_REQUESTS, "mlc_v05_typical")}.get(goal)
    return (sources is None or sample.source in sources) and (
        sample.kind == goal or (sample.kind == "clean" and (goal != "crisis" or sample.calm))
    )


def figures(goal: str, tested: Sequence[Sample], scores: Sequence[float]) -> dict[str, float | int]:
    """AUC and recall at the set share of false alarms."""
    pairs = [(score, sample.kind == goal) for sample, score in zip(tested, scores, strict=True) if tests(goal, sample)]
    positives = [float(score) for score, is_true in pairs if is_true]
    negatives = [float(score) for score, is_true in pairs if not is_true]
    return {
        "auc": auc(positives, negatives) or 0.0,
        "recall": recall_at(positives, negatives, int(FALSE_SHARE * len(negatives))),
        "positives": len(positives),
        "negatives": len(negatives),
    }


def heads(x: Any, y: Array, trial: Array, strengths: Sequence[float] = STRENGTHS) -> Any:
    """A logistic head of the strength that did best on the trial rows, fitted on all of them."""
    from sklearn.linear_model import LogisticRegression

    def fitted(strength: float, mine: Array) -> Any:
        return LogisticRegression(C=strength, solver="liblinear", max_iter=300, random_state=0).fit(x[mine], y[mine])

    def quality(strength: float) -> float:
        said = fitted(strength, ~trial).decision_function(x[trial])
        return auc(said[y[trial] == 1].tolist(), said[y[trial] == 0].tolist()) or 0.0

    return fitted(max(strengths, key=quality), np.ones(len(y), dtype=bool))


def under_heads(x: Any, texts: Texts) -> dict[str, dict[str, float | int]]:
    """The figures of frozen features, lessons first and tests behind them."""
    out, count = {}, len(texts.lessons)
    for goal in GOALS:
        goals = [truth(goal, sample) for sample in texts.lessons]
        places = np.array([place for place, value in enumerate(goals) if value is not None])
        model = heads(x[places], np.array([goals[place] for place in places]), texts.trial[places])
        out[goal] = figures(goal, texts.tested, model.decision_function(x[count : count + len(texts.tested)]))
    return out


def packaged(package: Package, texts: Texts, progress: Progress) -> Line:
    """The line of an encoder whose weights ship in a package."""
    line: Line = {
        "name": package.name,
        **{key: getattr(package, key) for key in ("package", "version", "licence", "languages")},
    }
    try:
        found = answers(package, texts.all, told=progress(package.package, len(texts.all)))
        if any("error" in each for each in found):
            raise NotMeasured("fails on some messages")
        spent = milliseconds(package, texts.timed)
    except NotMeasured as why:
        return line | {"reason": str(why)}
    vectors = np.stack([np.frombuffer(b64decode(each["vector"]), dtype="<f4") for each in found])
    size = megabytes(path for pattern in package.weights for path in site_of(package).glob(pattern))
    x = (vectors - vectors[: len(texts.lessons)].mean(axis=0)) / (vectors[: len(texts.lessons)].std(axis=0) + 1e-6)
    x /= x.shape[1] ** 0.5
    return line | {
        "mb": size,
        "ms": spent,
        "learned": len(texts.lessons),
        "goals": under_heads(x, texts),
    }


def site_of(package: Package) -> Path:
    """Where a package's own environment keeps it."""
    return site(ENVIRONMENTS / package.package)


def timed(call: Callable[[str], object], texts: Sequence[str]) -> float:
    """The median of the processor's ms a text."""
    spent = []
    for text in texts:
        begin = time.process_time()
        call(text)
        spent.append((time.process_time() - begin) * 1000)
    return statistics.median(spent)


def of_logits(logits: Array, texts: Texts) -> dict[str, dict[str, float | int]]:
    """The figures of our own heads, from logits of all rows that the training knows."""
    column = {
        "insult": [HEADS.index("insult")],
        "harm": [HEADS.index("harm")],
        "crisis": [HEADS.index(head) for head in CRISES[:2]],
    }
    rows = logits[[sample.place for sample in texts.tested]]
    return {goal: figures(goal, texts.tested, rows[:, column[goal]].max(axis=1).tolist()) for goal in GOALS}


def own(texts: Texts, held: HeldOut | str, rows: int) -> list[Line]:
    """The lines of the n-grams under the same heads, and of what is shipped: each half, and both stacked."""
    from quitbutton.training import fit

    size, local = weights_mb(), LocalAssessor()
    same = {"licence": "Apache-2.0", "package": "quitbutton"}
    grams = same | {"languages": "any, as far as taught", "mb": round(size["table"], 1)}
    try:
        local.load()
        table = local.heads
        grams |= {"ms": timed(lambda text: table.cheap(words_of(text)), texts.timed)}
        tuned = {"ms": timed(lambda text: local.encoder and local.encoder.logits(text), texts.timed)}
        both = {"ms": timed(local.read, texts.timed)}
    except Exception as error:
        tuned = both = {"note": f"the shipped weights do not load ({type(error).__name__})"}
    x = fit.sparse([texts.folded[sample.text] for sample in (*texts.lessons, *texts.tested)])
    lines = [grams | {"name": "hashed n-grams", "learned": len(texts.lessons), "goals": under_heads(x, texts)}]
    if isinstance(held, str):
        return [*lines, same | {"name": "ours: the tuned half and the shipped stack", "reason": held}]
    encoder, stack = round(size["encoder"], 1), round(sum(size.values()), 1)
    for line, name, mb, logits in (
        (grams, "hashed n-grams as shipped", grams["mb"], held.cheap * held.alone[0] + held.alone[1]),
        (same | tuned, "MiniLM-L6, tuned by us", encoder, held.deep),
        (same | both, "**both stacked: `local`**", stack, logits_of(held)),
    ):
        lines.append(line | {"name": name, "mb": mb, "learned": rows, "goals": of_logits(logits, texts)})
        lines[-1].setdefault("languages", "English; others as far as taught")
    return lines


def logits_of(held: HeldOut) -> Array:
    """Both halves calibrated, before the sigmoid."""
    return held.cheap * held.both[0] + held.deep[:, : len(HEADS)] * held.both[1] + held.both[2]


def measure(texts: Texts, held: HeldOut | str, rows: int, progress: Progress) -> list[Line]:
    """Every encoder's line."""
    frozen = [packaged(package, texts, progress) for package in packages(HERE / "encoders.toml")]
    first, *rest = own(texts, held, rows)
    return [first, *frozen, *rest]
