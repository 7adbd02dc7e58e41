"""Fixtures that run the real thing: a gateway in its own process, with the embedded model."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.upstream import Provider, whole

ROOT = Path(__file__).parent.parent
MODELS = ROOT / ".quitbutton" / "models"
BESIDE_OTHERS = frozenset(
    ("adapters", "assessors", "audit", "cli", "contracts", "core", "evaluation", "integrations", "protocols", "turn")
)
"""Folders of tests that watch no clock and share no server, so that several can run at once; see `make test`."""


@dataclass
class Running:
    """A gateway process."""

    url: str
    port: int
    data: Path
    process: subprocess.Popen[bytes]
    arguments: list[str]

    @property
    def log(self) -> Path:
        """What it printed and logged."""
        return self.data / "output.log"

    def kill(self) -> None:
        """SIGKILL, at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """An orderly stop."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()

    def restart(self) -> None:
        """The same gateway again, on the same port and data."""
        if self.process.poll() is None:
            self.stop()
        self.process = _spawn(self.arguments, self.log)
        _wait(self)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's driver keeps an event loop running in this thread, so what uses the browser comes last."""
    items.sort(key=lambda item: "browser" in item.path.parts)
    for item in items:
        if item.path.relative_to(ROOT / "tests").parts[0] not in BESIDE_OTHERS:
            item.add_marker(pytest.mark.alone)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module that says `EVERY_STORE = True` is tested on each; `@pytest.mark.sqlite("why")` leaves a test to one."""
    if getattr(metafunc.module, "EVERY_STORE", False):
        kinds = ["sqlite"] if metafunc.definition.get_closest_marker("sqlite") else ["sqlite", "postgres"]
        metafunc.parametrize("every_store", kinds, indirect=True)


@pytest.fixture(autouse=True)
def every_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Which kind of database `tests.play.new_database` opens, and commands use where no other is named."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield "sqlite"
        return
    from quitbutton.stores.postgres import Postgres
    from tests import play

    server, made = request.getfixturevalue("postgres"), []
    kept: list[str] = []

    def opens(place: str | Path) -> Any:
        if str(place) != ":memory:" and not kept:
            kept.append(server.migrated())
            monkeypatch.setenv("QUITBUTTON_STORE", kept[0])
        made.append(Postgres(server.migrated() if str(place) == ":memory:" else kept[0], connections=2))
        return made[-1]

    monkeypatch.setattr(play, "OPENS", [opens])
    yield "postgres"
    for one in made:
        one.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def plain_environment() -> dict[str, str]:
    """No setting of this machine's, and no second reader: a scripted provider would have to play it. Tests of it name one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUITBUTTON_")}
    return {**kept, "QUITBUTTON_SECOND_READER": "none"}


def _spawn(arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    environment = plain_environment()
    command = [sys.executable, "-m", "quitbutton", "serve", *arguments]
    with log.open("ab") as out:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)


NEVER_LOGGED = (
    b"[abuse]",
    b"[crisis]",
    b"[possible]",
    b"[harm]",
    b"you again",
    b"cannot go on",
    b"garbage",
    b"private",
    b"Bearer ",
    b"sk-",
)
"""Words that users of these tests say, and the beginnings of keys: no log may hold them."""


def check_log(running: Running) -> None:
    """After all that a gateway went through: its log carries no word of a user and no key."""
    lines = running.log.read_bytes().splitlines() if running.log.exists() else []
    told = [line for line in lines if any(word in line for word in NEVER_LOGGED)]
    assert not told, told[:3]


def _wait(running: Running, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if running.process.poll() is not None:
            said = running.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"the gateway ended with status {running.process.returncode}: {said}")
        try:
            with urllib.request.urlopen(running.url + "/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the gateway did not start")


@pytest.fixture(scope="session")
def start_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Starts gateways: `start_gateway("--upstream", url, ...)`. All are stopped at the end."""
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        data = tmp_path_factory.mktemp("gateway")
        if MODELS.is_dir():
            (data / "models").symlink_to(MODELS)
        port = free_port()
        given = ["--port", str(port), "--data", str(data), *arguments]
        running = Running(f"http://127.0.0.1:{port}", port, data, _spawn(given, data / "output.log"), given)
        started.append(running)
        _wait(running)
        return running

    yield start
    for running in started:  # all are asked to stop before one is waited for
        running.process.terminate()
    for running in started:
        running.stop()
        check_log(running)
        shutil.rmtree(running.data, ignore_errors=True)


@pytest.fixture(scope="session")
def gateway(start_gateway: Callable[..., Running]) -> Running:
    """The embedded default: small local model, local assessors, assist."""
    return start_gateway()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server; each test takes a database of its own."""
    from tests.postgres import Server  # where packages are tested beside others, psycopg is not installed

    one = Server()
    yield one
    one.close()


@pytest.fixture
def several(postgres: Any) -> Iterator[list[Any]]:
    """Three on one database, as in three processes: they share nothing but it."""
    from quitbutton.stores.migrate import migrate
    from quitbutton.stores.postgres import Postgres

    url = postgres.new()
    made = [Postgres(url, connections=4) for _ in range(3)]
    migrate(made[0])
    yield made
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """A real HTTP server that plays the provider."""
    one = Provider()
    yield one
    one.close()


@pytest.fixture(scope="session")
def guarded(start_gateway: Callable[..., Running], provider: Provider) -> Running:
    """A gateway in front of `provider`, with the scripted assessor: words in brackets tell it what to see."""
    return start_gateway("--upstream", provider.url, "--assessor", "scripted")


@pytest.fixture
def fresh(provider: Provider) -> Iterator[Provider]:
    """The provider with nothing seen and its plain reply."""
    provider.seen.clear()
    provider.answer = lambda seen: whole()
    yield provider
    provider.answer = lambda seen: whole()
