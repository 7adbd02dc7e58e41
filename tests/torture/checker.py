"""From a history to the list of what is wrong with it; a pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.torture.history import History
from tests.torture.promises import broken_promises
from tests.torture.replay import Replay

EITHER = {0, 1}
COUNTED = {
    "answered": {1},
    "refused": {1},
    "uncounted": {0},
    "maybe": EITHER,
    "unknown": EITHER,
    "stopped": EITHER,
    "helped": EITHER,
}
"""How many events a turn may have, by what its client was told."""


def violations(history: History) -> list[str]:
    """All that is wrong; empty where every promise was kept."""
    return [
        *broken_promises(history),
        *_miscounted(history),
        *_undecided(history),
        *Replay(history).play(),
        *_ends(history),
    ]


def _miscounted(history: History) -> Iterator[str]:
    counts = Counter(event.op for event in history.events)
    for op in history.ops:
        # Help in a crisis is given also where the store fails.
        allowed = EITHER if op.decision == "support" else COUNTED.get(op.result)
        if op.kind == "turn" and allowed is not None and counts[op.id] not in allowed:
            yield f"{op.id}: {op.result} ({op.body}), and on record {counts[op.id]} times"
    places: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
    ops = {op.id: op for op in history.ops}
    for op in history.ops:
        if op.message:
            places.setdefault(op.message, set()).add((op.scope, op.path))
    for event in history.events:
        if event.op in ops:
            places.setdefault(event.message, set()).add((ops[event.op].scope, ops[event.op].path))
    yield from (f"{message} is the name of {len(found)} places" for message, found in places.items() if len(found) > 1)


def _undecided(history: History) -> Iterator[str]:
    decided = {(event.appeal, event.state) for event in history.events if event.kind == "appeal.decided"}
    opened = {event.appeal for event in history.events if event.kind == "appeal.opened"}
    uncertain = {
        op.appeal for op in history.ops if op.kind == "decide" and op.result in ("answered", "maybe", "unknown")
    }
    for op in history.ops:
        if op.kind == "appeal" and op.result == "answered" and op.appeal not in opened:
            yield f"{op.id}: the appeal {op.appeal} is lost"
        if op.kind != "decide":
            continue
        if op.result == "answered" and (op.appeal, op.outcome) not in decided:
            yield f"{op.id}: the decision about {op.appeal} is lost"
        if op.result == "uncounted" and op.appeal not in uncertain and (op.appeal, op.outcome) in decided:
            yield f"{op.id}: {op.appeal} was decided, and its operator was told that nothing was counted"


def _ends(history: History) -> Iterator[str]:
    events = Counter(event.end_id for event in history.events if event.kind == "turn.end")
    told = {op.end_id for op in history.ops if op.end_id and op.kind == "turn"}
    reopened = {event.end_id for event in history.events if event.kind == "conversation.reopened"}
    for end in sorted(told | set(events) | set(history.ends)):
        if events[end] != 1 or end not in history.ends:
            yield f"{end}: {events[end]} events, in the table of ends: {end in history.ends}, told: {end in told}"
        elif history.ends[end] != (end in reopened):
            yield f"{end}: reopened in the table: {history.ends[end]}, by its events: {end in reopened}"
    for row in history.rows:
        if row.end_id and row.end_id not in history.ends:
            yield f"{row.message}: its end {row.end_id} is missing"
