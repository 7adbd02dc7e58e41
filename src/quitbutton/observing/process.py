"""Memory and CPU time of this process, and the folder through which several share their metrics."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which worker processes share their counts. It is set before `prometheus_client` is imported."""


def usage() -> dict[tuple[str, ...], float]:
    """Gauges of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    return {("memory_bytes",): float(memory(used.ru_maxrss)), ("cpu_seconds",): cpu, ("workers",): 1.0}


def memory(most: int = 0) -> int:
    """Resident memory now, in bytes; where the system does not tell it, the most there was."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return most if sys.platform == "darwin" else most * 1024


@contextmanager
def shared_metrics() -> Iterator[None]:
    """Around the worker processes of one gateway: a folder of their own, gone afterwards. Enter it before they start."""
    if SHARED in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="quitbutton-metrics-") as folder:
        os.environ[SHARED] = folder
        try:
            yield
        finally:
            del os.environ[SHARED]


def worker_ended(pid: int) -> None:
    """A worker is gone: its gauges count no more, its counters stay. For whoever restarts workers."""
    if SHARED in os.environ:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - only where workers share

        mark_process_dead(pid)  # type: ignore[no-untyped-call]
