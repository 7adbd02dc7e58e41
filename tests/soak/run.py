"""One soak from its first call to its verdict."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.soak.check import Counts, accounted, audited, logged, remembered
from tests.soak.load import Load, Note
from tests.soak.stage import Stage

CLIENTS = 48
SHARE = 0.8
"""Of the capacity."""
QUIET_SECONDS = 120.0
SAMPLES = 180
"""Samples of memory in a run, no more often than each second."""


@dataclass
class Minute:
    """What one minute was like."""

    whole: array[float] = field(default_factory=lambda: array("d"))
    """Seconds of whole replies."""
    first: array[float] = field(default_factory=lambda: array("d"))
    """Seconds to the first byte of streams."""
    errors: Counter[str] = field(default_factory=Counter)
    calls: int = 0


@dataclass
class Result:
    """What came of it."""

    seconds: float
    capacity: float = 0.0
    rate: float = 0.0
    cpu: float = 0.0
    """Cores that the gateway used under the steady load."""
    begun: float = 0.0
    windows: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    slots: list[Minute] = field(default_factory=list)
    """Minutes, or tenths of a run that is shorter than ten."""
    slot: float = 60.0
    counts: Counts = field(default_factory=Counts)
    most_at_once: int = 0
    connections: int = 0
    found: list[str] = field(default_factory=list)


def soak(
    stage: Stage,
    seed: int,
    seconds: float,
    rate: float = 0.0,
    measured: float = 20.0,
    cores: float = 0.7,
    tell: Callable[[str], None] = lambda words: None,
) -> Result:
    """Measure what goes, then load with a share of it, or with `rate`, restart the database twice, and look at everything.

    `cores`: what the gateway may take of one.
    """
    import uvloop

    done = Result(seconds, rate=rate, slot=min(60.0, seconds / 10))
    load = uvloop.run(_loaded(stage, seed, done, measured, cores, tell))
    tell("reading the record")
    done.found += accounted(stage, _sorted(load, done), done.windows, done.counts)
    tell("verifying the audit trail")
    done.found += audited(stage, done.counts)
    done.found += remembered(done.memory, seconds)
    done.found += logged(stage)
    return done


async def _loaded(
    stage: Stage, seed: int, done: Result, measured: float, cores: float, tell: Callable[[str], None]
) -> Load:
    load = Load(stage.port, seed, stage.folder / "journal.jsonl")
    if not done.rate:
        tell("measuring what goes")
        cpu, calls, begun = stage.cpu(), load.calls, time.monotonic()
        done.capacity = await load.flat_out(measured, CLIENTS)
        used = (stage.cpu() - cpu) / (load.calls - calls)
        done.rate = min(done.capacity * SHARE, cores / used)
        tell(
            f"{done.capacity:.0f} calls a second, {used * 1e3:.2f} ms of CPU each, in {time.monotonic() - begun:.0f} s"
        )
    done.begun, cpu = time.monotonic(), stage.cpu()
    watching = asyncio.create_task(_watch(stage, load, done, tell))
    restarting = asyncio.create_task(_restart(stage, done))
    await load.steady(done.rate, done.seconds)
    done.cpu = (stage.cpu() - cpu) / done.seconds
    watching.cancel()
    await restarting
    tell("waiting for quiet")
    await load.close()
    done.most_at_once, done.connections = load.most_at_once, load.connections
    deadline = time.monotonic() + QUIET_SECONDS
    while not await asyncio.to_thread(stage.is_quiet):
        if time.monotonic() > deadline:
            done.found.append(f"not quiet after {QUIET_SECONDS:.0f} s")
            break
        await asyncio.sleep(0.5)
    return load


async def _watch(stage: Stage, load: Load, done: Result, tell: Callable[[str], None]) -> None:
    while True:
        now = stage.memory()
        at = time.monotonic() - done.begun
        done.memory.append((at, now))
        tell(f"{at:.0f} s, {load.calls} calls, {now['rss']:.1f} MB resident, {now['own']:.1f} MB its own")
        await asyncio.sleep(max(1.0, done.seconds / SAMPLES))


async def _restart(stage: Stage, done: Result) -> None:
    if stage.database is None:
        return
    for third in (1, 2):
        await asyncio.sleep(done.begun + done.seconds * third / 3 - time.monotonic())
        begin = time.monotonic()
        await asyncio.to_thread(stage.restart)
        done.windows.append((begin, time.monotonic()))


def _sorted(load: Load, done: Result) -> Iterator[Note]:
    """The journal, with each call of the steady load put into its minute on the way."""
    for note in load.notes():
        call = note.call
        place = min(int((call.sent - done.begun) / done.slot), round(done.seconds / done.slot) - 1)
        if call.sent >= done.begun:
            while len(done.slots) <= place:
                done.slots.append(Minute())
            minute = done.slots[place]
            minute.calls += 1
            if call.result in ("answered", "refused") and (call.status != 200 or not note.streams):
                minute.whole.append(call.whole)
            elif call.result == "answered":
                minute.first.append(call.first)
            elif call.result != "cancelled":
                minute.errors[call.result] += 1
        yield note
