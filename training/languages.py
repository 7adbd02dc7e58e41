"""In which languages the reader sees a crisis well enough: «no eyes, no end»."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from quitbutton.assessors.heads import sigmoid
from quitbutton.assessors.local import Thresholds
from quitbutton.evaluation.measures import Share
from training.branch import STANDPOINTS, Scored, truths_of
from training.data.languages import COVERED, ENOUGH, FLOOR
from training.folds import OF_FAMILY
from training.measures import share

DANGER, WORRY = STANDPOINTS.index("danger"), STANDPOINTS.index("worry")


@dataclass(frozen=True, slots=True)
class Eyes:
    """How a language's clear crises are seen by models that did not learn their authors."""

    language: str
    crises: int
    """Conversations in which one is said, clearly."""
    seen: Share | None
    """Called a crisis, clear or possible, at the message that says it or at a later one."""

    @property
    def is_enough(self) -> bool:
        """Whether the language is over the floor."""
        return self.language in COVERED and self.seen is not None and self.crises >= ENOUGH and self.seen.value >= FLOOR

    def plain(self) -> dict[str, object]:
        """As JSON."""
        seen = {key: round(value, 3) for key, value in asdict(self.seen).items()} if self.seen else None
        return {"crises": self.crises, "seen": seen, "enough": self.is_enough}


def seen_as_crisis(scores: NDArray[np.float32], limits: Thresholds) -> NDArray[np.bool_]:
    """Which messages of a conversation are called a crisis, clear or possible. Rules are not asked."""
    chances = sigmoid(scores)
    possible = np.array([limits.at(place).possible for place in range(len(scores))])
    return np.asarray((chances[:, DANGER] >= limits.clear) | (chances[:, WORRY] >= possible))


def eyes(scored: Sequence[Scored], limits: Mapping[int, Thresholds]) -> list[Eyes]:
    """Every language of the conversations of two messages or more; `limits` are the thresholds of each fold."""
    hits: dict[str, list[bool]] = {one.talk.language: [] for one in scored}
    for one in scored:
        is_clear = truths_of(one.talk)[:, DANGER] == 1
        if is_clear.any() and len(is_clear) > 1:
            found = seen_as_crisis(one.scores, limits[OF_FAMILY[one.talk.family]])
            hits[one.talk.language].append(bool(found[int(is_clear.argmax()) :].any()))
    return [Eyes(language, len(found), share(found, range(len(found)))) for language, found in sorted(hits.items())]
