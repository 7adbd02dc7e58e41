"""Conversations drawn from public rows: several messages of one family, so that single rows say how whole talks would go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from training.data.rows import Row

LENGTH, DRAWN = 6, 40
"""User messages a conversation; conversations a family."""
ORDINARY = frozenset(
    [
        "clinc_oos",
        "banking77",
        "taskmaster4",
        "xpersona",
        "oasst_trees",
        "self_instruct_user",
        "arena_hard",
        "vicuna",
        "dolly",
        "xsid",
        "sgd",
        "toxicchat",
    ]
)
"""Families of ordinary talk."""
LOOK_ALIKE = frozenset(
    [
        "mlc",
        "xstest",
        "orbench",
        "cyber",
        "wildguard",
        "bail",
        "hatecheck",
        "goemotions",
        "xsafety",
        "cvalues_responsibility",
        "diasafety",
        "germeval",
        "cold",
        "davidson",
    ]
)
"""Families with harmless rows that look harmful."""
HATE = frozenset(["germeval", "cold", "davidson", "xsafety", "hatecheck"])
KINDS: dict[str, tuple[frozenset[str] | None, Callable[[Row], bool]]] = {
    "ordinary": (ORDINARY, lambda row: True),
    "look-alikes": (LOOK_ALIKE, lambda row: all(not row.targets.get(head, 0) for head in ("harm", "abuse", "concern"))),
    "abuse of a bot": (frozenset({"convabuse"}), lambda row: row.targets.get("abuse") == 1),
    "hate": (HATE, lambda row: row.targets.get("abuse") == 1),
    "harmful requests": (None, lambda row: row.targets.get("harm") == 1),
    "distress and crises": (None, lambda row: row.targets.get("concern") == 1),
}
"""Public families by what their conversations hold; None takes every family that has such rows."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One conversation, as places among the rows."""

    kind: str
    family: str
    places: tuple[int, ...]


def drawn(rows: Sequence[Row], seed: int = 7) -> list[Drawn]:
    """Conversations of every kind and family, also of single messages that were written for the project.

    A group of near copies gives no conversation two messages.
    """
    dice = np.random.default_rng(seed)
    turns = Counter(row.conversation for row in rows)
    single = [not row.is_authored or turns[row.conversation] == 1 for row in rows]
    found: list[Drawn] = []
    for kind, (families, is_one) in KINDS.items():
        places: dict[str, dict[str, list[int]]] = {}
        for place, row in enumerate(rows):
            if single[place] and (families is None or row.family in families) and is_one(row):
                places.setdefault(row.family, {}).setdefault(row.group, []).append(place)
        for family, by_group in sorted(places.items()):
            groups = sorted(by_group)
            if len(groups) < 2 * LENGTH:
                continue
            for _ in range(DRAWN):
                chosen = dice.choice(len(groups), LENGTH, replace=False)
                found.append(Drawn(kind, family, tuple(int(dice.choice(by_group[groups[one]])) for one in chosen)))
    return found
