"""Clients that collide: a few scopes, a few branches, everybody on them at once, until the next few are taken."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.torture import client
from tests.torture.history import Op, Path_
from tests.torture.protocols import PROTOCOLS, Protocol
from tests.torture.replicas import Replica
from tests.torture.words import BREAKS, DEEPEST, Script, next_message

SCOPES = 2
OPS_EACH = 90
"""Calls until everybody goes on to the next arena."""
PATIENCE = ((0.5, 5.0), (2.5, 4.0), (25.0, 1.0))
"""Seconds that a client waits, and how often that is so."""
OWN = 0.8
"""The share of turns that a client sends in its own protocol; the others are in any, on the same branches."""
PAUSE = (0.05, 0.2)
"""Seconds until it tries again where nobody listens."""


@dataclass
class Arena:
    """The branches that all clients are on at the moment."""

    number: int
    paths: list[Path_] = field(default_factory=list)
    calls: int = 0
    replies: dict[tuple[str, Path_], str] = field(default_factory=dict)
    """The ids of replies that can be gone on from, by scope and path."""

    def path(self, dice: random.Random) -> Path_:
        """Where to send the next turn: on from somewhere, the same again, an edit, or two messages at once."""
        if not self.paths:
            return (next_message(dice, 0),)
        known = max(dice.choices(self.paths, k=3), key=len)
        how = dice.random()
        if how < 0.2:
            return known
        if how < 0.35:
            known = known[: dice.randrange(len(known))]
        for _ in range(2 if how > 0.96 else 1):
            known = (*known, next_message(dice, len(known)))
        return known if len(known) <= DEEPEST else known[: DEEPEST - 2]

    def reply_before(self, dice: random.Random, scope: str, path: Path_) -> tuple[int, str]:
        """A reply on the way to a path, mostly the last: how much of the path it stands after, and its id."""
        known = [length for length in range(1, len(path)) if (scope, path[:length]) in self.replies]
        if not known:
            return 0, ""
        length = known[-1] if dice.random() < 0.8 else dice.choice(known)
        return length, self.replies[scope, path[:length]]


class Workload:
    """Threads that send turns and contest ends until they are told to stop."""

    def __init__(self, seed: int, replicas: Sequence[Replica], clients: int, runs: int) -> None:
        self.seed, self.replicas, self.runs = seed, replicas, runs
        self.ops: list[Op] = []
        self.stopped = threading.Event()
        self.begin = time.monotonic()
        self._arena, self._lock, self._numbers = Arena(0), threading.Lock(), itertools.count()
        self._threads = [threading.Thread(target=self._guarded, args=(number,)) for number in range(clients)]
        self.failures: list[BaseException] = []

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Until every client has come to its end. Raises what a client failed with."""
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _guarded(self, number: int) -> None:
        try:
            self._live(random.Random(f"{self.seed}/{number}"))
        except BaseException as error:
            self.failures.append(error)
            self.stopped.set()

    def _live(self, dice: random.Random) -> None:
        own = dice.choice(PROTOCOLS)
        while not self.stopped.is_set():
            arena = self._arena_now()
            if arena is None:
                self.stopped.set()
                return
            scope, path = f"{self.seed}-{arena.number}-{dice.randrange(SCOPES)}", arena.path(dice)
            protocol = own if dice.random() < OWN else dice.choice(PROTOCOLS)
            op = self.turn(dice, scope, path, dice.choice(self.replicas), protocol, arena)
            with self._lock:
                arena.paths.append(path)
            if op.body == "ConnectionRefusedError":
                time.sleep(dice.uniform(*PAUSE))
            if op.result in ("unknown", "uncounted", "maybe") and dice.random() < 0.7:
                op = self.turn(dice, scope, path, dice.choice(self.replicas), protocol, arena)
            if op.end_id and dice.random() < 0.25:
                self.contest(dice, op.end_id)

    def _arena_now(self) -> Arena | None:
        """The arena of the moment; None where there were enough."""
        with self._lock:
            self._arena.calls += 1
            if self._arena.calls > OPS_EACH:
                self._arena = Arena(self._arena.number + 1)
            return self._arena if self._arena.number < self.runs else None

    def turn(
        self,
        dice: random.Random,
        scope: str,
        path: Path_,
        replica: Replica,
        protocol: Protocol,
        arena: Arena | None = None,
        is_calm: bool = False,
    ) -> Op:
        """One turn, whole or streamed, with or without a hang-up; on from a reply in the arena where its protocol can."""
        streams = dice.random() < 0.5
        delay = dice.choice((0, 0, 0, 10, 60))
        name = self._name()
        breaks = "no" if is_calm else dice.choices(list(BREAKS), list(BREAKS.values()))[0]
        script = Script(name, dice.random() < 0.8, dice.random() < 0.85, delay, breaks)
        after = arena.reply_before(dice, scope, path) if arena and protocol.goes_on else (0, "")
        patience = 60.0 if is_calm else dice.choices(*zip(*PATIENCE, strict=True))[0]
        leaves = dice.choice((0, 1, 200, 600)) if dice.random() < 0.08 and not is_calm else None
        told = {"stream": streams, "protocol": protocol.name, "after": after[1]}
        body = protocol.body(script, scope, path, streams, after)
        made = Op(name, "turn", replica.number, time.monotonic(), 0.0, "unknown", scope, path, **told)
        done = self.keep(lambda op: client.turn(op, replica.port, protocol, body, patience, leaves), made)
        if arena and protocol.goes_on and done.reply and done.result == "answered" and done.decision != "support":
            arena.replies[scope, path] = done.reply  # help in a crisis is given also where nothing could be recorded
        return done

    def contest(self, dice: random.Random, end_id: str) -> None:
        """Appeal, then an operator's decision, each at any gateway; what nobody knows is asked again."""
        path, words = f"/v1/quitbutton/ends/{end_id}/appeal", {"text": "A quotation."}
        found = self._persist(dice, "appeal", path, words, end_id=end_id)
        if found is None:
            return
        outcome = "upheld" if dice.random() < 0.6 else "rejected"
        path, words = f"/v1/quitbutton/appeals/{found['id']}/decision", {"outcome": outcome, "reason": "So it was."}
        self._persist(dice, "decide", path, words, end_id=end_id, appeal=found["id"], outcome=outcome)

    def _persist(self, dice: random.Random, kind: str, path: str, body: dict[str, str], **more: str) -> dict | None:
        for _ in range(3):
            replica, found = dice.choice(self.replicas), []
            made = Op(self._name(), kind, replica.number, time.monotonic(), 0.0, "unknown", **more)

            def ask(op: Op, port: int = replica.port, found: list = found) -> Op:
                op, told = client.call(op, port, path, body, 4.0)
                found.append(told)
                return op

            if self.keep(ask, made).result in ("answered", "refused"):
                return found[0]
        return None

    def keep(self, do: Callable[[Op], Op], made: Op) -> Op:
        """Put a call and what became of it into the history."""
        done = do(made)
        with self._lock:
            self.ops.append(done)
        return done

    def _name(self) -> str:
        return f"{self.seed}.{next(self._numbers)}"
