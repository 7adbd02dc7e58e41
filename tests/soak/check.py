"""From the journal and the database to the list of what is wrong; each rule a function."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.soak.load import Note
from tests.soak.stage import Stage

AFTERWARDS = 10.0
"""Seconds after a restart in which its errors may still come: as long as a turn waits for a connection."""
ON_RECORD = {"answered": {1}, "refused": {1}, "cancelled": {1}, "uncounted": {0}, "maybe": {0, 1}}
"""How many events a call may have, by what its client was told."""
LOGGED_SECONDS = 30.0
"""How long the last events may take into the signed log: it is written in rounds, and its gauge is some seconds old."""
GROWTH = 1.05
"""The last third's memory to the second's."""
JUDGED = ("rss", "own")
LONG = 600.0
"""Seconds from which a run is long enough to judge its memory so closely."""
SHORT_GROWTH = 1.25


@dataclass
class Counts:
    """What was counted on the way."""

    results: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[float, str, str]] = field(default_factory=list)
    """When sent, the result, the words."""
    receipts: int = 0
    left_early: int = 0
    """Clients that left before they had the request's id."""
    audit: str = ""


def accounted(
    stage: Stage, notes: Iterator[Note], windows: Sequence[tuple[float, float]], counts: Counts
) -> Iterator[str]:
    """Every call against the events: each turn once, and as it was told."""
    events: dict[int, list[str]] = {}
    for model, request, kind in stage.events():
        events.setdefault(int(model.split(".")[0]), []).append(request)
        counts.kinds[kind] += 1
    receipts = stage.receipts()
    counts.receipts = len(receipts)
    seen = 0
    for note in notes:
        call, found = note.call, events.pop(note.number, [])
        counts.results[call.result] += 1
        counts.states[call.state] += call.result == "answered"
        seen += len(found)
        near = _is_near(windows, call.sent, call.sent + call.whole)
        allowed = ON_RECORD.get(call.result, {0, 1})
        if call.result == "cancelled" and not call.request:
            counts.left_early += 1
            allowed = {0, 1}
        elif call.result == "cancelled" and near:
            allowed = {0, 1}
        if len(found) not in allowed:
            yield f"call {note.number}: {call.result}, and on record {len(found)} times"
        if call.request and found and call.request not in found:
            yield f"call {note.number}: on record as {found}, its client was told {call.request}"
        if call.result in ("uncounted", "maybe", "wrong", "lost"):
            counts.errors.append((call.sent, call.result, call.said))
            if call.result in ("wrong", "lost"):
                yield f"call {note.number}: {call.result} ({call.status}): {call.said}"
            elif not near:
                yield f"call {note.number}: {call.said}, with no restart near"
    if events:
        yield f"{len(events)} events of calls that nobody made"
    if seen != counts.kinds.total():
        yield f"{counts.kinds.total()} events, {seen} of them of calls"


def audited(stage: Stage, counts: Counts) -> Iterator[str]:
    """The trail: sound in the database and as an export, and over every event."""
    trail, total = stage.folder / "trail.jsonl", stage.count("events")
    deadline = time.monotonic() + LOGGED_SECONDS
    while f" {total} events" not in stage.audit("check")[1] and time.monotonic() < deadline:
        time.sleep(0.2)
    for command in (("check",), ("export", "--out", str(trail)), ("verify", str(trail))):
        status, said = stage.audit(*command)
        if status:
            yield f"audit {command[0]}: {said[-500:]}"
        found = re.search(r"(\d+) events, (\d+) of them signed", said)
        if command[0] != "export" and (found is None or {int(found[1]), int(found[2])} != {total}):
            yield f"audit {command[0]}: {said.splitlines()[:1]}, and {total} events in the table"
        if found:
            counts.audit = found[0]
    trail.unlink(missing_ok=True)


def remembered(samples: Sequence[tuple[float, dict[str, float]]], seconds: float) -> Iterator[str]:
    """Memory: what the last third holds beside the second, once warm. What is shared changes with who else runs."""
    for name in JUDGED:
        second, last = thirds(samples, name)
        if last > second * (GROWTH if seconds >= LONG else SHORT_GROWTH):
            yield f"{name}: {second:.1f} MB, then {last:.1f} MB"


def thirds(samples: Sequence[tuple[float, dict[str, float]]], name: str) -> tuple[float, float]:
    """Medians of the second and the last third; the first third is the warm-up."""
    values = [sample[name] for _, sample in samples]
    third = max(1, len(values) // 3)
    return statistics.median(values[-2 * third : -third] or values), statistics.median(values[-third:])


def logged(stage: Stage) -> Iterator[str]:
    """No exception that nobody expected is in the log."""
    text = stage.log.read_text("utf-8", "replace")
    for word in ("Traceback", "a request failed", "never retrieved"):
        if word in text:
            at = text.index(word)
            yield f"the log: {text.count(word)} times {word!r}: {text[max(0, at - 200) : at + 1500]}"


def _is_near(windows: Sequence[tuple[float, float]], sent: float, back: float) -> bool:
    return any(sent < end + AFTERWARDS and back > begin for begin, end in windows)
