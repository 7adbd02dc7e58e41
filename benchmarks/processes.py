"""Servers in processes of their own: started, kept to one core, and what they use of processor and memory, from /proc."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROCESS_CLOCK = 2
"""Linux makes the number of a process's clock from its id and this."""
TICK = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
LOAD_CORE, SERVER_CORE = CORES[0], CORES[-1]
START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                below.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += below.get(found[-1], [])
    return found


def keep_to(core: int, pids: Iterable[int]) -> None:
    """Let processes, with all their threads, run on one core only."""
    for pid in pids:
        with suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(thread), {core})


def processor_seconds(pids: Iterable[int]) -> float:
    """What processes have used: all their threads together, those that ended as well."""
    total = 0.0
    for pid in pids:
        with suppress(OSError):
            total += time.clock_gettime(~pid << 3 | PROCESS_CLOCK)
    return total


def megabytes(pids: Iterable[int]) -> tuple[float, float]:
    """Memory of processes: their share of what they hold (PSS), and all they hold (RSS)."""
    found = {"Pss:": 0, "Rss:": 0}
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, rest = line.partition(" ")
                if name in found:
                    found[name] += int(rest.split()[0])
    return found["Pss:"] / 1024, found["Rss:"] / 1024


def machine_seconds() -> float:
    """Seconds that all cores together have worked."""
    fields = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6]) / TICK


@contextmanager
def running(
    command: list[str], port: int, core: int, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server; ready once its port answers."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("QUITBUTTON_")}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=given | (environment or {}), stdout=log, stderr=log)
        try:
            keep_to(core, [process.pid])
            if not _answers(port, process):
                log.seek(0)
                told = log.read()[-2000:].decode(errors="replace")
                raise RuntimeError(f"{' '.join(command[:4])} ... did not start: {told}")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        time.sleep(0.05)
    return False
