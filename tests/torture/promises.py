"""What clients were told, held against itself: an end stays an end, an upheld appeal opens, and nobody else is touched.

Somebody in a crisis is helped, and neither warned nor ended. The model is sent each request once, none of a locked branch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from tests.torture.history import History, Op, Path_
from tests.torture.words import CRISIS

ALLOWED = {"turn": {200, 400, 502, 503}, "appeal": {201, 409, 503}, "decide": {200, 409, 503}}

HARD = ("warn", "end")


@dataclass
class Ended:
    """One end, as everybody heard of it."""

    id: str
    scope: str = ""
    path: Path_ = ()
    invoked: float = inf
    """When the turn was sent that brought it about."""
    told: float = inf
    """When somebody had first been told."""
    maybe_reopened: float = inf
    """When somebody first asked for its reopening, and may have got it."""
    reopened: float = inf
    """When somebody had been told that it is reopened."""
    notes: set[str] = field(default_factory=set)
    bodies: dict[str, set[str]] = field(default_factory=dict)
    """The errors that said so, by protocol."""


def broken_promises(history: History) -> Iterator[str]:
    """Every call in which somebody was told something that must not be."""
    ends = ends_of(history)
    yield from _strange_answers(history)
    yield from _not_helped(history)
    yield from _sent_in_vain(history, ends)
    for end in ends.values():
        for said in (end.notes, *end.bodies.values()):
            if len(said) > 1:
                yield f"{end.id}: told in different words: {sorted(said)}"
    by_scope: dict[str, list[Ended]] = {}
    for end in ends.values():
        by_scope.setdefault(end.scope, []).append(end)
    for op in history.ops:
        if op.kind == "turn" and op.result == "answered" and op.state != "ended":
            yield from _answered_below(op, by_scope.get(op.scope, []))
        elif op.kind == "turn" and op.end_id:
            yield from _refused_wrongly(op, ends[op.end_id])


def ends_of(history: History) -> dict[str, Ended]:
    """The ends that clients were told of, and those in the record."""
    ops = {op.id: op for op in history.ops}
    found: dict[str, Ended] = {}
    for event in history.events:
        if event.kind == "turn.end" and event.op in ops:
            by = ops[event.op]
            found[event.end_id] = Ended(event.end_id, by.scope, by.path, by.invoked)
    for op in history.ops:
        if op.end_id and op.kind == "turn":
            _hear(found.setdefault(op.end_id, Ended(op.end_id, op.scope, op.path)), op)
    for op in history.ops:
        if op.kind == "decide" and op.outcome == "upheld" and op.end_id in found:
            _reopen(found[op.end_id], op)
    return found


def _hear(end: Ended, op: Op) -> None:
    end.told = min(end.told, op.returned)
    end.notes |= {op.note} - {""}
    end.bodies.setdefault(op.protocol, set()).update({op.body} - {""})


def _reopen(end: Ended, op: Op) -> None:
    if op.result != "uncounted":
        end.maybe_reopened = min(end.maybe_reopened, op.invoked)
    if op.result == "answered":
        end.reopened = min(end.reopened, op.returned)


def _strange_answers(history: History) -> Iterator[str]:
    for op in history.ops:
        if op.status and op.status not in ALLOWED[op.kind]:
            yield f"{op.id}: a {op.kind} was answered with {op.status}: {op.body}"
        elif op.result == "wrong" or (op.result == "uncounted" and "constraint" in op.body):
            yield f"{op.id}: an answer that is none: {op.status} {op.body}"


def _not_helped(history: History) -> Iterator[str]:
    """Whatever else fails, a crisis that was heard is answered with help."""
    for op in history.ops:
        if op.kind == "turn" and op.path[-1].startswith(CRISIS) and op.result not in ("unknown", "stopped"):
            if op.decision in HARD:
                yield f"{op.id}: in a crisis, and was told: {op.decision}"
            elif op.decision != "support":
                yield f"{op.id}: in a crisis, and got no help: {op.result} {op.status} {op.body}"
    for event in history.events:
        if (event.label == "crisis" or event.before.crisis) and event.kind in ("turn.warn", "turn.end"):
            yield f"{event.seq} {event.op}: in a crisis, and on record as {event.kind}"


def _sent_in_vain(history: History, ends: dict[str, Ended]) -> Iterator[str]:
    posts = Counter(history.posts)
    for post, times in posts.items():
        if times > 1:
            yield f"{post.op}: the model was sent one request {times} times"
    sent = {post.op for post in posts}
    for op in history.ops:
        end = ends.get(op.end_id)
        is_locked = end is not None and end.told < op.invoked and end.maybe_reopened > op.returned
        if op.result == "refused" and op.id in sent and is_locked:
            yield f"{op.id}: refused with {op.end_id}, and sent to the model"


def _answered_below(op: Op, ends: list[Ended]) -> Iterator[str]:
    for end in ends:
        if end.told < op.invoked and is_below(op.path, end.path) and end.maybe_reopened > op.returned:
            yield f"{op.id}: gateway {op.gateway} answered ({op.state}) below {end.id}, which somebody had been told of"


def _refused_wrongly(op: Op, end: Ended) -> Iterator[str]:
    if op.scope != end.scope:
        yield f"{op.id}: ended by {end.id} of another scope"
    elif not is_below(op.path, end.path):
        yield f"{op.id}: ended by {end.id} of a sibling"
    if end.invoked is not inf and end.invoked > op.returned:
        yield f"{op.id}: ended by {end.id}, which was still to come"
    if end.reopened < op.invoked:
        yield f"{op.id}: refused with {end.id}, which somebody had been told is reopened"


def is_below(path: Path_, top: Path_) -> bool:
    """Whether a path is another, or goes on from it."""
    return path[: len(top)] == top
