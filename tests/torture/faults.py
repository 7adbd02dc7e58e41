"""What goes wrong meanwhile: gateways are killed and paused, their database is cut off from them, or starts anew."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.torture.replicas import Replica, Stage


@dataclass(frozen=True)
class Plan:
    """How often, and how long."""

    calm: tuple[float, float] = (1.0, 6.0)
    """Seconds between two faults of a gateway."""
    short: tuple[float, float] = (0.05, 2.0)
    """Seconds that most faults take."""
    long: float = 0.05
    """The share of faults that outlast the gateways' patience."""
    restarts: tuple[float, float] = (15.0, 40.0)
    """Seconds between two restarts of the database."""
    kinds: tuple[str, ...] = ("killed", "paused", "dropped", "unreachable", "stalled", "deaf", "mute")


NEVER = (1e6, 1e6)
CALM = Plan(NEVER, restarts=NEVER)
DEAF = Plan((0.05, 0.3), (0.02, 0.3), 0.0, NEVER, ("deaf",))
"""Nothing but replies of the database that get lost, very often."""
LONG = (11.0, 18.0)


class Faults:
    """A thread for each gateway and one for the database, each with dice of its own."""

    def __init__(self, seed: int, stage: Stage, plan: Plan) -> None:
        self.stage, self.plan, self.counts = stage, plan, Counter[str]()
        self.stopped = threading.Event()
        self.failures: list[BaseException] = []
        doings = [(f"{seed}/fault/{one.number}", self._gateway(one)) for one in stage.replicas]
        doings.append((f"{seed}/fault/database", self._database))
        self._threads = [threading.Thread(target=self._guarded, args=doing) for doing in doings]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End them, and put everything right. Raises what could not be done."""
        self.stopped.set()
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]
        for replica in self.stage.replicas:
            replica.wait()

    def _guarded(self, seed: str, do: Callable[[random.Random], None]) -> None:
        try:
            do(random.Random(seed))
        except BaseException as error:
            self.failures.append(error)

    def _gateway(self, replica: Replica) -> Callable[[random.Random], None]:
        def do(dice: random.Random) -> None:
            while not self.stopped.wait(dice.uniform(*self.plan.calm)):
                kind = dice.choice(self.plan.kinds)
                self.counts[kind] += 1
                FAULTS[kind](
                    replica, dice, dice.uniform(*(LONG if dice.random() < self.plan.long else self.plan.short))
                )

        return do

    def _database(self, dice: random.Random) -> None:
        while not self.stopped.wait(dice.uniform(*self.plan.restarts)):
            self.counts["database restarted"] += 1
            self.stage.database.stop(dice.choice(("fast", "immediate")))
            self.stopped.wait(dice.uniform(*self.plan.short))
            self.stage.database.start()


def killed(replica: Replica, dice: random.Random, seconds: float) -> None:
    """SIGKILL; begun again after a while."""
    replica.send(signal.SIGKILL)
    replica.process.wait()
    time.sleep(min(seconds, 2.0))
    replica.start()
    replica.wait()


def paused(replica: Replica, dice: random.Random, seconds: float) -> None:
    """SIGSTOP, then SIGCONT."""
    replica.send(signal.SIGSTOP)
    time.sleep(seconds)
    replica.send(signal.SIGCONT)


def dropped(replica: Replica, dice: random.Random, seconds: float) -> None:
    """Its connections break, several times."""
    for _ in range(dice.randrange(1, 5)):
        replica.proxy.drop()
        time.sleep(min(seconds, 0.5))


def unreachable(replica: Replica, dice: random.Random, seconds: float) -> None:
    """Its database takes no connection from it."""
    replica.proxy.refuse()
    _heal(replica, seconds)


def stalled(replica: Replica, dice: random.Random, seconds: float) -> None:
    """A black hole: nothing arrives on either side."""
    replica.proxy.stall()
    _heal(replica, seconds)


def deaf(replica: Replica, dice: random.Random, seconds: float) -> None:
    """The database hears it and it hears nothing; in the end, the connections may break."""
    replica.proxy.stall(up=False)
    time.sleep(seconds)
    if dice.random() < 0.5:
        replica.proxy.drop()
    _heal(replica, 0)


def mute(replica: Replica, dice: random.Random, seconds: float) -> None:
    """The database does not hear it; in the end, what it had said may be lost."""
    replica.proxy.stall(down=False)
    time.sleep(seconds)
    if dice.random() < 0.5:
        replica.proxy.drop()
    _heal(replica, 0)


def _heal(replica: Replica, seconds: float) -> None:
    time.sleep(seconds)
    replica.proxy.heal()


FAULTS = {fault.__name__: fault for fault in (killed, paused, dropped, unreachable, stalled, deaf, mute)}
