"""A thread with a connection to PostgreSQL: does one job after another, again where that is safe, and tells who waits."""

from __future__ import annotations

import asyncio
import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg

from quitbutton.core.errors import QuitbuttonError, RecordRefused
from quitbutton.stores.postgres_session import Session, failure_of, is_lost, may_try_again

TELL_SECONDS = 60.0
"""How often a thread says that its connection is lost."""

log = logging.getLogger("quitbutton.store")


@dataclass(slots=True, eq=False)
class Job:
    """Something to do on a connection, and who waits for it."""

    run: Callable[[Session], Any]
    is_read: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    deadline: float

    @property
    def left(self) -> float:
        """Seconds until it is given up."""
        return self.deadline - time.monotonic()


class Worker(threading.Thread):
    """Takes jobs, one at a time, and does them on its connection."""

    def __init__(self, session: Session, jobs: queue.SimpleQueue[Job | None]) -> None:
        super().__init__(name="quitbutton-postgres", daemon=True)
        self._session = session
        self._jobs = jobs
        self._job: Job | None = None
        self._told = -TELL_SECONDS
        self._lock = threading.Lock()

    def run(self) -> None:
        """Work until there is no more."""
        while (job := self._jobs.get()) is not None:
            with self._lock:
                self._job = job if job.left > 0 else None
            if self._job is None:
                continue
            result, error = self._done(job)
            with self._lock:
                self._job = None
            with suppress(RuntimeError):  # the loop is closed, nobody waits
                job.loop.call_soon_threadsafe(_answer, job.future, result, error)
        self._session.close()

    @property
    def is_busy(self) -> bool:
        """True while it does a job."""
        return self._job is not None

    def cut(self, job: Job) -> bool:
        """Break the connection that a job waits on, if it is here."""
        with self._lock:
            if self._job is not job:
                return False
            self._session.cut()
            return True

    def _lose(self, error: psycopg.Error) -> None:
        self._session.close()
        if time.monotonic() > self._told + TELL_SECONDS:
            self._told = time.monotonic()
            log.warning("a connection to PostgreSQL was lost or cannot be made: %s", said(error))

    def _done(self, job: Job) -> tuple[Any, BaseException | None]:
        pause = 0.005
        while True:
            try:
                return job.run(self._session), None
            except psycopg.Error as error:
                failure = failure_of(self._session, error, job.is_read)
                failure.__cause__ = error
                again = may_try_again(self._session, error) and job.left > pause
                if is_lost(self._session, error):
                    self._lose(error)
                if not again:
                    return None, failure
            except Exception as error:
                return None, _told(error)
            time.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, 0.5)


def _told(error: Exception) -> Exception:
    if isinstance(error, QuitbuttonError):
        return error
    failure = RecordRefused(f"The store did not take the record: {error}. Nothing was counted; try again.")
    failure.__cause__ = error
    return failure


def said(error: psycopg.Error) -> str:
    """What an error says, for operators."""
    return error.diag.message_primary or str(error).strip().replace("\n", " ")


def _answer(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
