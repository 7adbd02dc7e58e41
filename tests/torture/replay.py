"""The record played again from its first event: every step is legal, from where its parent stood, and nothing is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from tests.torture.history import Event, History, Op, Path_, Standing
from tests.torture.model import higher, step, unheard
from tests.torture.promises import is_below

Place = tuple[str, Path_]
REOPENED = {"rung": "open", "redirections": 0, "clean": 0, "asked": False}


@dataclass
class Version:
    """Where a place stood, and until when somebody may still have read it so."""

    at: Standing
    until: float = inf


@dataclass
class Node:
    """A place in the tree."""

    path: Path_
    known: float
    """When it was there for certain."""
    versions: list[Version] = field(default_factory=list)
    bases: list[int] = field(default_factory=list)
    """How much of its path may have been known when it was brought first."""
    end_id: str = ""
    message: str = ""

    @property
    def now(self) -> Standing:
        return self.versions[-1].at

    def becomes(self, at: Standing, when: float, end_id: str = "") -> None:
        """`when` is the time at which somebody had been told."""
        self.end_id = end_id
        for version in self.versions:
            version.until = min(version.until, when)
        self.versions.append(Version(at))

    def seen_since(self, when: float) -> list[Standing]:
        """What a call that began then may have found here."""
        return [version.at for version in self.versions if version.until > when]


class Replay:
    """Plays events in their order."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.ops = {op.id: op for op in history.ops}
        self.nodes: dict[Place, Node] = {}
        self.scopes: dict[str, list[Node]] = {}
        self.ended: dict[str, Place] = {}
        self.ends: list[Op] = []
        told = [op for op in history.ops if op.kind == "decide" and op.outcome == "upheld" and op.result == "answered"]
        self.decided = {op.end_id: op.returned for op in told}

    def play(self) -> Iterator[str]:
        """What is wrong with the record."""
        for event in sorted(self.history.events, key=lambda one: one.seq):
            if event.kind == "conversation.reopened":
                yield from self._reopen(event)
            elif event.op in self.ops and event.kind != "turn.refuse":
                yield from self._turn(event, self.ops[event.op])
        yield from self._held_against_the_rows()

    def _turn(self, event: Event, op: Op) -> Iterator[str]:
        place = (op.scope, op.path)
        above = self._lock_of(place)
        if above:
            yield f"{event.seq} {op.id}: counted at or below {above}, which stands"
        yield from self._step(event, op)
        sure = op.returned if op.result == "answered" else inf
        bases = list(self._bases(op))
        self._bring(event, op, bases, sure)
        node = self.nodes.get(place) or self._new(place, sure)
        node.bases = node.bases or bases
        node.known, node.message = min(node.known, sure), event.message
        stands = higher(event.after, node.now) if node.versions else event.after
        if op.result == "answered" and op.state != stands.rung:
            yield f"{event.seq} {op.id}: told {op.state}, recorded {stands.rung}"
        node.becomes(stands, sure, event.end_id)
        if event.kind == "turn.end":
            self.ends.append(op)
            self._end(event, place, sure)

    def _bring(self, event: Event, op: Op, bases: list[int], sure: float) -> None:
        """The message before a turn is a place too, though nobody may have sent it alone: it stands where the turn began."""
        before = op.path[:-1]
        if not before:
            return
        node = self.nodes.get((op.scope, before))
        if node is None:
            node = self._new((op.scope, before), sure)
            node.bases = bases
            node.becomes(event.before, sure)
        node.known = min(node.known, sure)

    def _step(self, event: Event, op: Op) -> Iterator[str]:
        possible = list(self._starts(op))
        if event.before not in possible:
            yield f"{event.seq} {op.id}: started from {event.before}, its parent stood at {possible}"
        legal = [step(event.before, event.label, event.signal)]
        if op.result != "answered" or self._may_be_cut(op):
            legal.append(unheard(event.before))
        if event.after not in legal:
            yield f"{event.seq} {op.id}: {event.label} and {event.signal} led from {event.before} to {event.after}"

    def _may_be_cut(self, op: Op) -> bool:
        """An end at or above a turn under way in the same gateway stops it, also where it is reopened before the turn is on
        record: that turn then counts, and what it would have said was not heard."""
        return any(
            (end.scope, end.gateway) == (op.scope, op.gateway)
            and op.path[: len(end.path)] == end.path
            and end.invoked < op.returned
            and (op.invoked < end.returned or end.result != "answered")
            for end in self.ends
        )

    def _starts(self, op: Op) -> Iterator[Standing]:
        """Where the turn may have started from."""
        for length in self._bases(op):
            node = self.nodes.get((op.scope, op.path[:length]))
            yield from node.seen_since(op.invoked) if node is not None else (Standing(),)

    def _bases(self, op: Op) -> Iterator[int]:
        """How much of a path may have been known when its turn came: its parent; without one what it started from before,
        where it was brought before; else the deepest place that was known."""
        own, parent = (self.nodes.get((op.scope, path)) for path in (op.path, op.path[:-1]))
        if own is not None and (parent is None or parent.known >= op.invoked):
            yield from filter(None, own.bases)
            if parent is None and own.known < op.invoked and 0 not in own.bases:
                return
        for length in range(len(op.path) - 1, 0, -1):
            node = self.nodes.get((op.scope, op.path[:length]))
            if node is not None:
                yield length
                if node.known < op.invoked:
                    return
        yield 0

    def _new(self, place: Place, sure: float) -> Node:
        node = self.nodes[place] = Node(place[1], sure)
        self.scopes.setdefault(place[0], []).append(node)
        return node

    def _lock_of(self, place: Place) -> str:
        scope, path = place
        nodes = (self.nodes.get((scope, path[:length])) for length in range(len(path), 0, -1))
        return next((node.end_id for node in nodes if node is not None and node.end_id), "")

    def _end(self, event: Event, place: Place, sure: float) -> None:
        scope, path = self.ended.setdefault(event.end_id, place)
        for node in self.scopes[scope]:
            if node.path != path and is_below(node.path, path) and not node.end_id:
                node.becomes(Standing(**{**vars(node.now), "rung": "ended"}), sure, event.end_id)

    def _reopen(self, event: Event) -> Iterator[str]:
        if event.end_id not in self.ended:
            yield f"{event.seq}: {event.end_id} was reopened, and never ended"
            return
        scope, path = self.ended[event.end_id]
        sure = self.decided.get(event.end_id, inf)
        other = self._lock_of((scope, path[:-1]))
        for node in self.scopes[scope]:
            if node.end_id == event.end_id:
                node.becomes(node.now if other else Standing(**{**vars(node.now), **REOPENED}), sure, other)

    def _held_against_the_rows(self) -> Iterator[str]:
        """Rows that no event tells of came with a history or are tails of ends; `audit check` looks at those."""
        rows = {row.message: row for row in self.history.rows}
        for (scope, path), node in self.nodes.items():
            row = rows.pop(node.message, None)
            if node.message and row is None:
                yield f"{scope} {path}: its turn is lost"
            elif row is not None and (row.standing, row.end_id) != (node.now, node.end_id):
                yield f"{scope} {path}: the turn has {row.standing} {row.end_id}, its events {node.now} {node.end_id}"
