"""The stage: a provider, gateways in processes of their own before it, a tap before each, and a client's driver."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients import provider as script
from tests.clients.environments import Client
from tests.clients.tap import Exchange, Tap
from tests.conftest import Running
from tests.upstream import Provider

PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "kept": "/v1/responses",
    "messages": "/v1/messages",
}
"""The protocols; `kept` is responses where each request goes on from an earlier response's id."""
STYLES = ("error", "message", "evals")
PATIENCE = 120.0
"""Seconds for one answer of a client."""


@dataclass(frozen=True)
class Task:
    """One call for a client to make; its members are what the drivers read."""

    protocol: str
    base: str
    key: str
    user: str
    messages: list[dict[str, str]]
    stream: bool = False
    model: str = "m"
    headers: dict[str, str] | None = None
    router: str = ""
    previous: str | None = None
    """Id of the response to go on from."""


@dataclass(frozen=True)
class Answer:
    """What came of a call: what the client says of it, and what went over the line."""

    text: str
    finish: str | None
    state: str | None
    """As the client's own objects tell it."""
    error: str | None
    code: str | None
    at: str | None
    """Where in the client's error the code is."""
    id: str | None
    exchanges: tuple[Exchange, ...]
    calls: tuple[dict[str, Any], ...]
    """The bodies that the provider saw."""

    @property
    def wire_state(self) -> str | None:
        """As the gateway told it."""
        return self.exchanges[-1].state if self.exchanges else None


class Driver:
    """A client's process: a task a line in, an answer a line out."""

    def __init__(self, client: Client) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QUITBUTTON_")}
        environment |= {"PYTHONUNBUFFERED": "1", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "DO_NOT_TRACK": "1"}
        self._log = (client.home / "log.txt").open("wb")
        self._process = subprocess.Popen(
            client.command, stdin=-1, stdout=-1, stderr=self._log, env=environment, cwd=client.home
        )

    def ask(self, task: Task) -> dict[str, Any]:
        """One call."""
        assert self._process.stdin
        assert self._process.stdout
        members = {**task.__dict__, "headers": task.headers or {}}
        self._process.stdin.write(json.dumps(members).encode() + b"\n")
        self._process.stdin.flush()
        line = b" "
        while line and not line.startswith(b"{"):  # else a library printed it
            ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
            line = self._process.stdout.readline() if ready else b""
        if not line:
            raise RuntimeError(f"the driver gave no answer; its last words are in {self._log.name}")
        return dict(json.loads(line))

    def close(self) -> None:
        """End the process."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class Stage:
    """Everything but the client. The gateways of the three styles share one store, so an end holds in all.

    Where it is embedded the small local model answers, and the provider is there for Routers alone.
    """

    def __init__(
        self, start: Callable[..., Running], folder: Path, styles: Sequence[str] = STYLES, embedded: bool = False
    ) -> None:
        self.embedded = embedded
        self.model = "smollm2" if embedded else "m"
        self.provider = Provider()
        self.provider.answer = script.answer
        store = folder / "clients.sqlite3"
        self.taps: dict[str, Tap] = {}
        for style in styles:
            settings = folder / f"{style}.toml"
            settings.write_text(f'store = "{store}"\n[policy]\nlocked_reply = "{style}"\nbackground = "trusted"\n')
            given = ["--config", str(settings), "--assessor", "scripted"]
            given += [] if embedded else ["--upstream", self.provider.url]
            self.taps[style] = Tap(start(*given).port)

    def speaks(self, protocol: str) -> bool:
        """Whether the gateway has an endpoint of this protocol."""
        tap = next(iter(self.taps.values()))
        request = urllib.request.Request(tap.url + PATHS[protocol], b"{}", {"content-type": "application/json"})
        try:
            urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as error:
            return error.code not in (404, 405)
        return True

    def answers(self, protocol: str) -> bool:
        """Whether there is a model behind the gateway that speaks this protocol."""
        return protocol != "kept" or not self.embedded

    def ask(self, driver: Driver, style: str, task: Task) -> Answer:
        """One call through the gateway of a style."""
        tap = self.taps[style]
        seen, called = len(tap.seen), len(self.provider.seen)
        said = driver.ask(task)
        time.sleep(0.01)  # a retry would come at once or not within the call
        members = {name: said.get(name) for name in ("finish", "state", "error", "code", "at", "id")}
        posts = [one for one in tap.seen[seen:] if one.method == "POST"]
        turns = [one for one in posts if not one.is_task] or posts
        beside = [one.body for one in posts if one not in turns]
        calls = tuple(one.json for one in self.provider.seen[called:] if one.body and one.body not in beside)
        return Answer(text=said.get("text") or "", exchanges=tuple(turns), calls=calls, **members)

    def close(self) -> None:
        """Close what this opened; gateways belong to whoever starts them."""
        for tap in self.taps.values():
            tap.close()
        self.provider.close()


@contextmanager
def driving(client: Client) -> Iterator[Driver]:
    """A client's driver, ended afterwards."""
    driver = Driver(client)
    try:
        yield driver
    finally:
        driver.close()
