"""Environments of their own for the clients, built once; a changed pin builds anew. Needs pip or uv, and npm."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PINS, DRIVERS, ENVIRONMENTS = HERE / "pins", HERE / "drivers", HERE / ".envs"
PATIENCE = 1200.0
"""Seconds for one installation."""


class NotBuilt(Exception):
    """Why an environment is not there."""


@dataclass(frozen=True)
class Client:
    """A line of `clients.toml`."""

    name: str
    title: str
    packages: tuple[str, ...]
    """What its version is told of; the first one is the client itself."""
    driver: str
    protocols: tuple[str, ...]
    environment: str = ""
    quick: bool = False
    """In the selection of every test run."""
    big: bool = False
    """Only when asked for: gigabytes to install."""
    streams: bool = True
    headers: bool = True
    """Whether it can send headers of its own."""
    style: str = "error"
    """The `locked_reply` that the checks hold it to."""
    router: bool = False

    @property
    def is_node(self) -> bool:
        """True for clients that run on Node."""
        return self.driver.endswith(".mjs")

    @property
    def home(self) -> Path:
        """Its environment."""
        return ENVIRONMENTS / (self.environment or self.name)

    @property
    def pin(self) -> Path:
        """The file that says what is in its environment."""
        name = self.environment or self.name
        return PINS / name / "package-lock.json" if self.is_node else PINS / f"{name}.txt"

    @property
    def versions(self) -> dict[str, str]:
        """The pinned versions of its packages."""
        text = self.pin.read_text("utf-8")
        if self.is_node:
            locked = json.loads(text)["packages"]
            return {name: locked[f"node_modules/{name}"]["version"] for name in self.packages}
        pinned = dict(line.split("==") for line in text.splitlines())
        return {name: pinned[name] for name in self.packages}

    @property
    def command(self) -> list[str]:
        """What runs its driver."""
        if self.is_node:
            return ["node", str(self.home / self.driver)]
        return [str(self.home / "bin" / "python"), str(DRIVERS / self.driver)]


def clients() -> list[Client]:
    """All of them."""
    tables = tomllib.loads((HERE / "clients.toml").read_text("utf-8"))
    lists = ("packages", "protocols")
    return [Client(name, **{**table, **{one: tuple(table[one]) for one in lists}}) for name, table in tables.items()]


def build(client: Client) -> bool:
    """Make a client's environment fit its pins; False when it was so already. Raises `NotBuilt`."""
    home, stamp = client.home, client.home / "pins.digest"
    digest = hashlib.sha256(client.pin.read_bytes()).hexdigest()
    is_new = not (stamp.is_file() and stamp.read_text() == digest)
    if is_new:
        shutil.rmtree(home, ignore_errors=True)
        (_build_node if client.is_node else _build_python)(client)
        stamp.write_text(digest)
    if client.is_node:  # Node looks for packages from where a script lies
        for driver in DRIVERS.glob("*.mjs"):
            shutil.copy(driver, home)
    return is_new


def _build_python(client: Client) -> None:
    python, wanted = client.home / "bin" / "python", ["--no-deps", "-r", str(client.pin)]
    _run([sys.executable, "-m", "venv", "--without-pip", str(client.home)])
    if uv := shutil.which("uv"):
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *wanted])
    else:
        _run([sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *wanted])


def _build_node(client: Client) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotBuilt("needs Node and npm")
    client.home.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(client.pin.parent / name, client.home)
    _run([npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], client.home)


def _run(command: Sequence[str], folder: Path = HERE) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise NotBuilt(f"{Path(command[0]).name} took more than {PATIENCE:.0f} s") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
        raise NotBuilt(f"{Path(command[0]).name} failed: {lines[-1]}")
