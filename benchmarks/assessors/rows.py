"""Which rows are compared on: single messages of families that our judging model did not learn from, capped and seeded."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.data.rows import Row, read, said_by_user

CRISES = ("risk", "concern")
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


def kind_of(row: Row) -> str:
    """What a row is, as one word; `unclear` where its labels leave that open."""
    true = {head for head, value in row.targets.items() if value == 1}
    if true & set(CRISES):
        return "crisis"
    if "abuse" in true:
        return "insult" if row.source == "convabuse" else "hate"
    if "harm" in true:
        return "harm"
    return "clean" if any(row.targets.get(head) == 0 for head in ("abuse", "harm")) else "unclear"


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


def held_out(rows: Sequence[Row], cap: int = CAP) -> list[Sample]:
    """English rows of public sources. Those that we labelled by reading them are left out: they would favour ours."""
    mine = (
        sample_of(row, place)
        for place, row in enumerate(rows)
        if row.language == "en" and row.weight and not row.is_authored and not row.kind.startswith("read: ")
    )
    return capped((sample for sample in mine if sample.kind != "unclear"), cap)


def chat(data: Path, cap: int = CHAT_CAP) -> list[Sample]:
    """Harmless messages of ToxicChat."""
    raw = list(read(data, "toxicchat"))
    texts = [
        said_by_user(each)[-1] for each in raw if not each["labels"]["toxicity"] and not each["labels"]["jailbreaking"]
    ]
    return capped((Sample(text, "toxicchat", "clean", True) for text in texts), cap)


def compared(rows: Sequence[Row], data: Path) -> list[Sample]:
    """Every row that some pool holds."""
    pools = (*FOUND, *FALSELY)
    return [sample for sample in [*held_out(rows), *chat(data)] if any(pool.holds(sample) for pool in pools)]
