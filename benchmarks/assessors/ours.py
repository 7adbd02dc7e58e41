"""What our own assessor says: left-out scores for rows of the training sources, the shipped weights for all others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from training.data.rows import Row

from benchmarks.assessors.environments import NotMeasured
from benchmarks.assessors.measures import Scores
from benchmarks.assessors.rows import Sample
from quitbutton.assessors.branch import Standpoints
from quitbutton.assessors.crisis import crisis_sign
from quitbutton.assessors.local import FOREIGN, LocalAssessor, Thresholds, foreignness
from quitbutton.assessors.normal import fold
from quitbutton.core.provenance import words_of

Array = NDArray[Any]
SURE = 20.0


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What models read that learned neither a row nor its family, and the thresholds of each row's fold."""

    rows: Sequence[Row]
    logits: Array
    """(rows, 24)"""
    stand: Array
    """(rows, 4): the standpoints of each message by itself, as logits."""
    limits: Mapping[int, Thresholds]

    @classmethod
    def of(cls, data: Path, cache: Path) -> HeldOut:
        """From the training's cache. Raises `NotMeasured` where it has nothing of these rows."""
        from training.branch import own_features, thresholds_by_fold
        from training.cache import NotDone
        from training.folds import OF_FAMILY
        from training.steps import Steps

        steps = Steps(data, cache)
        try:
            logits, judged = steps.left_out.read.logits, steps.judged
        except NotDone as why:
            raise NotMeasured(str(why)) from why
        folds = np.array([OF_FAMILY.get(row.family, 0) for row in steps.rows])
        stand = np.zeros((len(logits), 4), np.float32)
        for number, layer in enumerate(judged.layers):
            stand[folds == number] = layer.scores(own_features(logits[folds == number]))
        return cls(steps.rows, logits, stand, thresholds_by_fold(judged))


def logit(share: float) -> float:
    """The log odds of a probability."""
    held = min(max(share, 1e-9), 1 - 1e-9)
    return float(np.log(held / (1 - held)))


def scores_of(stand: Standpoints, limits: Thresholds, sign: str | None, is_elsewhere: bool = False) -> Scores:
    """Standpoints as scores by flag: 0.5 at the threshold, wherever that lies.

    A crisis outranks the rest, and in a language that was not measured it claims neither abuse nor harm.
    """
    margins = {
        "abuse": stand.abuse - logit(limits.abuse),
        "harm": stand.harm - logit(limits.harm),
        "crisis": max(stand.danger - logit(limits.clear), stand.worry - logit(limits.possible)),
    }
    if sign:
        margins["crisis"] = SURE
    if is_elsewhere or margins["crisis"] >= 0:
        margins |= {"abuse": -SURE, "harm": -SURE}
    return {flag: float(1 / (1 + np.exp(-np.clip(margin, -SURE, SURE)))) for flag, margin in margins.items()}


def from_held_out(samples: Sequence[Sample], held: HeldOut) -> list[Scores | None]:
    """Scores of samples that have a place among the training's rows; None for others."""
    from training.folds import fold_of

    out: list[Scores | None] = []
    for sample in samples:
        if sample.place < 0:
            out.append(None)
            continue
        stand = Standpoints(*(float(value) for value in held.stand[sample.place]))
        limits, read = held.limits[fold_of(held.rows[sample.place])], held.logits[sample.place][None]
        sign = crisis_sign(fold(words_of(sample.text).for_crisis))
        out.append(scores_of(stand, limits, sign, bool(foreignness([sample.text], read)[0] >= FOREIGN)))
    return out


def live(texts: Sequence[str], told: Callable[[], None] = lambda: None) -> tuple[list[Scores], list[float]]:
    """What the shipped assessor says, and the processor's ms for each text."""
    local = LocalAssessor()
    try:
        local.load()
        local.reader.read("good morning")
    except Exception as error:
        raise NotMeasured(f"the shipped weights do not load ({type(error).__name__})") from error
    found, spent = [], []
    for text in texts:
        begin = time.process_time()
        reading = local.reader.read(text)
        read = local.reader.branch([reading])
        stand = local.reader.standpoints(read)
        spent.append((time.process_time() - begin) * 1000)
        is_foreign = bool(foreignness([text], read.logits)[0] >= FOREIGN)
        found.append(scores_of(stand, local.thresholds, reading.sign, is_foreign))
        told()
    return found, spent
