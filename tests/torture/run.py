"""One run from its first call to its verdict."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.torture.checker import violations
from tests.torture.faults import Faults, Plan
from tests.torture.history import History
from tests.torture.promises import ends_of
from tests.torture.protocols import PROTOCOLS
from tests.torture.record import history_of, trail_faults
from tests.torture.replicas import Stage
from tests.torture.workload import Workload

CLIENTS = 16
FOREVER = 1 << 30
ASKED_AT_THE_END = 60
"""Ends about which every gateway is asked once more when all is calm again."""


@dataclass
class Result:
    """What came of it."""

    history: History
    faults: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    seconds: float = 0.0


def torture(
    stage: Stage,
    seed: int,
    seconds: float,
    runs: int = FOREVER,
    plan: Plan | None = None,
    asked: int = ASKED_AT_THE_END,
    tell: Callable[[int, Counter[str], float], None] = lambda calls, faults, seconds: None,
) -> Result:
    """Let clients and faults loose for some time, or on so many arenas; then look at everything."""
    work, begun = Workload(seed, stage.replicas, CLIENTS, runs), time.monotonic()
    faults = Faults(seed, stage, plan or Plan())
    work.start()
    faults.start()
    while time.monotonic() < begun + seconds and not work.stopped.wait(0.5):
        tell(len(work.ops), faults.counts, time.monotonic() - begun)
        stage.provider.seen.clear()
    work.stopped.set()
    faults.stop()
    work.join()
    _ask_again(work, seed, asked)
    history = history_of(work.ops, list(stage.model.posts), stage.store)
    first = stage.replicas[0]
    found = [*violations(history), *stage.model.complaints, *trail_faults(first.config, first.data)]
    return Result(history, faults.counts + stage.model.faults, found, time.monotonic() - begun)


def _ask_again(work: Workload, seed: int, asked: int) -> None:
    """Every gateway about the newest ends, in one protocol after another: what is said below them now."""
    dice = random.Random(f"{seed}/end")
    ends = list(ends_of(History(work.ops)).values())
    protocols = itertools.cycle(PROTOCOLS)
    for end in ends[max(0, len(ends) - asked) :]:
        for replica in work.replicas:
            work.turn(dice, end.scope, end.path, replica, next(protocols), is_calm=True)
