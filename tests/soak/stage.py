"""What is soaked: one gateway, a fast provider, and a PostgreSQL server that can be restarted, or a SQLite file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, Running, check_log, free_port, plain_environment
from tests.postgres import Server

SETTINGS = 'audit_key = "{key}="\naudit_trust_store = true\npublic_url = "http://quitbutton.example"\n'
START_SECONDS = 30
TICK = os.sysconf("SC_CLK_TCK")
TURNS = "SELECT {0}'model'), {0}'request_id'), kind FROM events WHERE {0}'model') <> ''"
EVENTS = {
    "postgresql": TURNS.format("json_extract_path_text(body::json, "),
    "sqlite": TURNS.replace("'model'", "'$.model'")
    .replace("'request_id'", "'$.request_id'")
    .format("json_extract(body, "),
}
"""Model, request id and kind of each turn's event; others name no model."""


@dataclass
class Stage:
    """All of it. `store` is `postgresql` or `sqlite`."""

    folder: Path
    store: str = "postgresql"
    database: Server | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port, provider = free_port(), free_port()
        self.data = self.folder / "gateway"
        self.data.mkdir()
        self.config = self.folder / "quitbutton.toml"
        words = SETTINGS.format(key="A" * 43)
        if self.store == "postgresql":
            self.database = Server()
            self.url = self.database.new()
            words += f'store = "{self.url}"\n'
        self.config.write_text(words)
        self._start("provider", "tests.soak.provider", str(provider))
        given = ["--port", str(self.port), "--data", str(self.data), "--config", str(self.config)]
        given += ["--upstream", f"http://127.0.0.1:{provider}/v1", "--assessor", "scripted"]
        self.gateway = self._start("output", "quitbutton", "serve", *given)
        self._wait()

    @property
    def log(self) -> Path:
        """What the gateway logged."""
        return self.data / "output.log"

    def _start(self, log: str, *command: str) -> subprocess.Popen[bytes]:
        environment = plain_environment()
        with (self.data / f"{log}.log").open("ab") as out:
            made = subprocess.Popen(
                [sys.executable, "-m", *command], env=environment, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
            )
        self.processes.append(made)
        return made

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.gateway.poll() is None:
            try:
                self._get("/readyz")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the gateway did not start: {self.log.read_text()[-2000:]}")

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def metrics(self) -> dict[str, float]:
        """Gauges and counters without labels."""
        return {name: float(value) for name, value in re.findall(r"(?m)^(\w+) (\S+)$", self._get("/metrics"))}

    def restart(self) -> None:
        """The database, as an upgrade of it would."""
        assert self.database is not None
        self.database.stop("fast")
        self.database.start()

    def memory(self) -> dict[str, float]:
        """Megabytes of the gateway: resident, with its part of what is shared, and what is in no file."""
        text = Path(f"/proc/{self.gateway.pid}/smaps_rollup").read_text()
        found = {name: int(size) / 1024 for name, size in re.findall(r"(?m)^(\w+):\s+(\d+)", text)}
        return {"rss": found["Rss"], "pss": found["Pss"], "own": found["Anonymous"]}

    def cpu(self) -> float:
        """Seconds of CPU that the gateway has used."""
        fields = Path(f"/proc/{self.gateway.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def is_quiet(self) -> bool:
        """Whether no turn is under way and all events are in the signed log."""
        now = self.metrics()
        return now["quitbutton_turns"] == 0 and now["quitbutton_audit_unlogged"] == 0

    def events(self) -> Iterator[tuple[str, str, str]]:
        """Model, request id and kind of every turn's event."""
        yield from self._rows(EVENTS[self.store])

    def receipts(self) -> set[str]:
        """The requests that have one."""
        return {row[0] for row in self._rows("SELECT request_id FROM receipts")}

    def count(self, table: str) -> int:
        """Its rows."""
        return int(next(self._rows(f"SELECT COUNT(*) FROM {table}"))[0])

    def _rows(self, sql: str) -> Iterator[Any]:
        if self.store == "postgresql":
            import psycopg

            with psycopg.connect(self.url) as connection, connection.cursor("soak") as cursor:
                cursor.itersize = 10_000
                yield from cursor.execute(sql)
        else:
            import sqlite3

            with closing(sqlite3.connect(self.data / "quitbutton.sqlite3")) as file:
                yield from file.execute(sql)

    def audit(self, *command: str) -> tuple[int, str]:
        """What `quitbutton audit` says."""
        given = [] if command[0] == "verify" else ["--config", str(self.config), "--data", str(self.data)]
        done = subprocess.run(
            [sys.executable, "-m", "quitbutton", "audit", *command, *given], cwd=ROOT, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    def close(self) -> None:
        """Stop everything, and look at the log."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.database is not None:
            self.database.close()
        check_log(Running("", self.port, self.data, self.gateway, []))
