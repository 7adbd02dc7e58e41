"""Which rows are compared on: single messages of groups that no model of ours learned from, capped and seeded."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from quitbutton.assessors.heads import CRISES
from quitbutton.training.data import Row, read, user_turns

FOLDS = 5
"""As in `training.fit`: a group is in one fold. Folds 0 and 1 are held out in training, one after the other."""
ENGLISH = ("en", "english")
CAP, CHAT_CAP = 250, 1000
"""Rows a source and kind; of ToxicChat's harmless ones more, since few of those may be flagged."""
SEED = 7
REQUESTS = ("bailbench", "harmbench", "strongreject", "mlc_v05_malicious")
HARSH_REQUESTS = (*REQUESTS, "xstest_prompts", "weighted_safety_refusal")


@dataclass(frozen=True, slots=True)
class Sample:
    """One message, what it is, and its place among all rows (-1 for ToxicChat, which nothing learns from)."""

    text: str
    source: str
    kind: str
    calm: bool
    """Labelled as no crisis of any sort."""
    place: int = -1


@dataclass(frozen=True, slots=True)
class Pool:
    """Rows whose flags are counted together, and which flags."""

    name: str
    kind: str
    sources: tuple[str, ...]
    flags: tuple[str, ...]

    def holds(self, sample: Sample) -> bool:
        """True for a row of this pool; without sources, any."""
        return sample.kind == self.kind and (not self.sources or sample.source in self.sources)


FALSE = ("abuse", "harm")
FOUND = (
    Pool("abuse of bots", "insult", ("convabuse",), ("abuse",)),
    Pool("hate", "hate", ("hatecheck",), ("abuse",)),
    Pool("harmful requests", "harm", REQUESTS, ("harm",)),
    Pool("crisis", "crisis", (), ("crisis",)),
)
FALSELY = (
    Pool("ConvAbuse, not abusive", "clean", ("convabuse",), FALSE),
    Pool("ToxicChat, harmless", "clean", ("toxicchat",), FALSE),
    Pool("harsh but legitimate", "clean", ("xstest_prompts", "mlc_v05_typical"), FALSE),
    Pool("HateCheck, not hateful", "clean", ("hatecheck",), FALSE),
    Pool("ToxicChat, called a crisis", "clean", ("toxicchat",), ("crisis",)),
)


def fold_of(row: Row) -> int:
    """The fold of a row's group."""
    return crc32(row.group.encode()) % FOLDS


def kind_of(row: Row) -> str:
    """What a row is, as one word; `unclear` where its labels leave that open."""
    true = {head for head, value in row.targets.items() if value == 1}
    if row.kind == "tie":
        return "unclear"
    if true & {"selfharm", "distress"}:
        return "crisis"
    for kind in ("threat", "insult", "harm", "hate"):
        if kind in true:
            return kind
    return "clean" if any(row.targets.get(head) == 0 for head in ("insult", "hate", "harm")) else "unclear"


def sample_of(row: Row, place: int) -> Sample:
    """A row as it is compared on."""
    return Sample(row.text, row.source, kind_of(row), all(row.targets.get(head) == 0 for head in CRISES), place)


def capped(samples: Iterable[Sample], cap: int, seed: int = SEED) -> list[Sample]:
    """At most `cap` of each source and kind: the same ones for the same seed, whatever else there is."""
    groups: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.source, sample.kind), []).append(sample)
    chosen: list[Sample] = []
    for name, group in sorted(groups.items()):
        chance = random.Random(f"{seed}:{name}")
        chosen += chance.sample(group, cap) if len(group) > cap else group
    return chosen


def held_out(rows: Sequence[Row], folds: Collection[int] = (0,), cap: int = CAP) -> list[Sample]:
    """English rows of these folds, without the sentences written for this project: those would favour ours."""
    mine = (
        sample_of(row, place)
        for place, row in enumerate(rows)
        if fold_of(row) in folds and row.language in ENGLISH and not row.source.startswith("own_")
    )
    return capped((sample for sample in mine if sample.kind != "unclear"), cap)


def chat(data: Path, cap: int = CHAT_CAP) -> list[Sample]:
    """Harmless messages of ToxicChat."""
    raw = list(read(data, "toxicchat"))
    texts = [
        user_turns(each)[-1] for each in raw if not each["labels"]["toxicity"] and not each["labels"]["jailbreaking"]
    ]
    return capped((Sample(text, "toxicchat", "clean", True) for text in texts), cap)


def compared(rows: Sequence[Row], data: Path, folds: Collection[int] = (0,)) -> list[Sample]:
    """Every row that some pool holds."""
    pools = (*FOUND, *FALSELY)
    return [sample for sample in [*held_out(rows, folds), *chat(data)] if any(pool.holds(sample) for pool in pools)]


def lessons(rows: Sequence[Row], most: int = 6000) -> list[Sample]:
    """At most `most` rows of all folds but the first, as even over sources and kinds as can be."""
    others = [sample_of(row, place) for place, row in enumerate(rows) if fold_of(row) != 0]
    cap = bisect_right(range(1, most + 1), most, key=lambda cap: _total(others, cap))
    return capped(others, cap)


def _total(samples: Iterable[Sample], cap: int) -> int:
    counts: dict[tuple[str, str], int] = {}
    for sample in samples:
        counts[sample.source, sample.kind] = counts.get((sample.source, sample.kind), 0) + 1
    return sum(min(count, cap) for count in counts.values())
