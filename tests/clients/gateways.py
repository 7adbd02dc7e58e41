"""Starts gateways outside of pytest, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import conftest
from tests.conftest import MODELS, Running


@contextmanager
def gateways(folder: Path) -> Iterator[Callable[..., Running]]:
    """Gives what starts a gateway with some arguments; all are stopped at the end."""
    started: list[Running] = []
    environment = conftest.plain_environment()
    data = folder / "data"
    data.mkdir()
    if MODELS.is_dir():
        (data / "models").symlink_to(MODELS)

    def start(*arguments: str) -> Running:
        port = conftest.free_port()
        given = ["--port", str(port), "--data", str(data), *arguments]
        command = [sys.executable, "-m", "quitbutton", "serve", *given]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        running = Running(f"http://127.0.0.1:{port}", port, data, process, given)
        started.append(running)
        conftest._wait(running)
        return running

    try:
        yield start
    finally:
        for running in started:
            running.stop()
