"""Several processes of one gateway behind one socket: each core serves, and one that dies is replaced."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from quitbutton.observing.process import shared_metrics, worker_ended

QUICK_DEATH = 5.0
"""A worker that lives no longer than these seconds could not start."""
MOST_QUICK_DEATHS = 3
"""After so many in a row there is something that no new worker puts right."""

log = logging.getLogger("quitbutton.workers")


@dataclass(slots=True)
class Workers:
    """Starts `number` processes that each run `work`, and waits for them. Nothing else may run in this process."""

    number: int
    work: Callable[[], int]
    on_stop: Callable[[], None] = lambda: None
    """Called before workers are told to stop: what this process holds open for them is closed."""
    _running: dict[int, float] = field(default_factory=dict)
    """When each was started, by process id."""
    _is_stopping: bool = False
    _quick_deaths: int = 0

    def run(self) -> int:
        """Serve until a signal says to stop; the exit status, 1 where workers could not be kept."""
        with shared_metrics():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop)
            for _ in range(self.number):
                self._start()
            while self._running:
                self._wait()
        return int(self._quick_deaths >= MOST_QUICK_DEATHS)

    def _start(self) -> None:
        pid = os.fork()
        if pid:
            self._running[pid] = time.monotonic()
            return
        status = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            status = self.work()
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _wait(self) -> None:
        pid, status = os.waitpid(-1, 0)
        lived = time.monotonic() - self._running.pop(pid, 0.0)
        worker_ended(pid)
        if self._is_stopping:
            return
        log.error("worker %d ended with status %d", pid, os.waitstatus_to_exitcode(status))
        self._quick_deaths = self._quick_deaths + 1 if lived < QUICK_DEATH else 0
        if self._quick_deaths >= MOST_QUICK_DEATHS:
            log.error("workers cannot be kept running: giving up")
            self._stop(signal.SIGTERM, None)
        else:
            self._start()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Told on to every worker, which stops in order."""
        self._is_stopping = True
        self.on_stop()
        for pid in list(self._running):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
