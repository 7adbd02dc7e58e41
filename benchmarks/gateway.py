"""What the gateway adds to a bare relay: `make bench`. Interleaved rounds in one run; medians over the rounds.

Whole and streamed, histories of 2 to 1,000 messages, one connection for latency and sixteen for throughput. Each target
runs on a core of its own where there are two. CPU a request is the figure that noise moves least; compare ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.load import Timing, load, request_body

HISTORIES = (2, 20, 200, 1000)
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Target:
    """A server under test."""

    name: str
    port: int
    process: subprocess.Popen[bytes]


@dataclass(frozen=True)
class Case:
    """What is asked of every target."""

    messages: int
    stream: bool
    connections: int
    requests: int

    @property
    def name(self) -> str:
        way = "stream" if self.stream else "whole"
        return f"{way}, {self.messages} messages, {self.connections} conn."


@dataclass
class Figure:
    """What one run of a case showed."""

    p50: float
    p99: float
    first: float
    rate: float
    cpu: float


def cases(quick: bool) -> list[Case]:
    scale = 1 if quick else 4
    out = []
    for stream in (False, True):
        for messages in HISTORIES:
            out.append(Case(messages, stream, 1, max(20, scale * 200 // max(1, messages // 20))))
        out.append(Case(2, stream, 16, scale * 600))
    return out


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(name: str, command: list[str], port: int, **environment: str) -> Iterator[Target]:
    """A server in a process of its own, on the second core where there is one."""
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1 and name != "provider":
        os.sched_setaffinity(process.pid, {1})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"{name} did not start") from None
            time.sleep(0.05)
    try:
        yield Target(name, port, process)
    finally:
        process.terminate()
        process.wait(20)


def cpu_of(process: subprocess.Popen[bytes]) -> float:
    """Seconds of CPU that a process has used, its threads included."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measure(target: Target, case: Case, start: int) -> Figure:
    bodies = [request_body(start + number, case.messages, case.stream) for number in range(case.requests)]
    before = cpu_of(target.process)
    timing: Timing = asyncio.run(load(target.port, bodies, case.connections))
    used = cpu_of(target.process) - before
    ordered = sorted(timing.whole)
    return Figure(
        p50=statistics.median(ordered),
        p99=ordered[int(len(ordered) * 0.99)],
        first=statistics.median(timing.first),
        rate=case.requests / timing.wall,
        cpu=used / case.requests,
    )


def run(rounds: int, quick: bool, assessors: list[str]) -> dict[str, dict[str, list[Figure]]]:
    """Every target in every case, `rounds` times, one after another in each round."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        port = free_port()
        stack.enter_context(running("provider", [sys.executable, "-m", "benchmarks.provider", str(port)], port))
        upstream = f"http://127.0.0.1:{port}"
        relay = free_port()
        uvicorn = [sys.executable, "-m", "uvicorn", "benchmarks.relay:app", "--no-access-log", "--log-level", "warning"]
        targets = [
            stack.enter_context(running("bare relay", [*uvicorn, "--port", str(relay)], relay, UPSTREAM=upstream))
        ]
        for assessor in assessors:
            own = free_port()
            serve = [sys.executable, "-m", "quitbutton", "serve", "--port", str(own), "--upstream", upstream]
            serve += ["--assessor", assessor, "--data", f"{folder}/{assessor}"]
            targets.append(stack.enter_context(running(f"quitbutton ({assessor})", serve, own)))
        figures: dict[str, dict[str, list[Figure]]] = {}
        number = 0
        plan = cases(quick)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("measuring", total=(rounds + 1) * len(plan) * len(targets))
            for round_number in range(rounds + 1):
                for case in plan:
                    for target in targets:
                        figure = measure(target, case, number)
                        number += case.requests
                        progress.advance(task)
                        if round_number:  # the first round warms up
                            figures.setdefault(case.name, {}).setdefault(target.name, []).append(figure)
        return figures


def table(figures: dict[str, dict[str, list[Figure]]]) -> Table:
    """Medians, and what is added to the bare relay."""
    out = Table(title="the gateway beside a bare relay (medians of the rounds)")
    for column in (
        "case",
        "target",
        "p50 ms",
        "p99 ms",
        "first byte ms",
        "requests/s",
        "CPU ms",
        "added p50 ms",
        "CPU ratio",
    ):
        out.add_column(column, justify="left" if column in ("case", "target") else "right")
    for case, by_target in figures.items():
        bare = middle(by_target["bare relay"])
        for place, (name, several) in enumerate(by_target.items()):
            one = middle(several)
            added = "" if name == "bare relay" else f"{(one.p50 - bare.p50) * 1e3:.2f}"
            ratio = "" if name == "bare relay" else f"{one.cpu / bare.cpu:.2f}" if bare.cpu else "?"
            times = (f"{value * 1e3:.2f}" for value in (one.p50, one.p99, one.first))
            out.add_row("" if place else case, name, *times, f"{one.rate:.0f}", f"{one.cpu * 1e3:.2f}", added, ratio)
    return out


def middle(several: list[Figure]) -> Figure:
    names = ("p50", "p99", "first", "rate", "cpu")
    return Figure(**{name: statistics.median(getattr(one, name) for one in several) for name in names})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count (3), after one to warm up")
    parser.add_argument("--quick", action="store_true", help="fewer requests")
    parser.add_argument("--assessors", default="scripted,local", help="gateways to run, by their assessor")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here as well")
    given = parser.parse_args()
    figures = run(given.rounds, given.quick, given.assessors.split(","))
    Console(width=150).print(table(figures))
    if given.json:
        plain = {
            case: {name: [vars(one) for one in several] for name, several in by.items()} for case, by in figures.items()
        }
        given.json.write_text(json.dumps(plain, indent=1))


if __name__ == "__main__":
    main()
