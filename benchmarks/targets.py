"""Who is measured side by side: the provider itself, relays, quitbutton in three ways, nginx and LiteLLM if installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psycopg
from tests.postgres import Server, binaries

from benchmarks.processes import LOAD_CORE, SERVER_CORE, free_port, keep_to, running, tree

ROOT = Path(__file__).parent.parent
LITELLM = ROOT / ".venv-litellm" / "bin" / "litellm"
KEY = "sk-benchmark-0123456789"
DIRECT, RELAY, NGINX, OTHER = "direct", "bare relay", "nginx", "bare relay (uvicorn, aiohttp)"
SCRIPTED, LOCAL, POSTGRES, LITELLM_PROXY = "quitbutton", "quitbutton + local", "quitbutton + PostgreSQL", "LiteLLM"
BEFORE, BEFORE_LOCAL = "quitbutton before", "quitbutton before + local"
EVERYBODY = (DIRECT, NGINX, RELAY, OTHER, SCRIPTED, LOCAL, POSTGRES, LITELLM_PROXY)
ARE = {
    DIRECT: "no gateway: the provider itself",
    NGINX: "a plain reverse proxy, one worker, unbuffered, connections kept",
    RELAY: "quitbutton's HTTP server and client with nothing between them",
    OTHER: "uvicorn as it comes and aiohttp, on uvloop",
    SCRIPTED: "everything but an assessor (`--assessor scripted`), SQLite",
    LOCAL: "the defaults: local assessor, SQLite; it reads every newest message anew",
    POSTGRES: "as quitbutton, on PostgreSQL; the database beside the load on the other core",
    LITELLM_PROXY: "its proxy, one worker, no database, no logs",
    BEFORE: "as quitbutton, at the revision given by `--against`",
    BEFORE_LOCAL: "as quitbutton + local, at that revision",
}

NGINX_CONF = """\
{user}worker_processes 1;
error_log stderr error;
pid {folder}/nginx.pid;
daemon off;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  keepalive_requests 100000000;
  upstream provider {{ server {upstream}; keepalive 256; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""
LITELLM_CONF = """\
model_list:
  - model_name: m
    litellm_params: {{model: openai/m, api_base: "http://{upstream}/v1", api_key: none}}
litellm_settings: {{request_timeout: 600, set_verbose: false, json_logs: false, telemetry: false, drop_params: true}}
general_settings: {{disable_spend_logs: true, disable_error_logs: true}}
"""


@dataclass
class Target:
    """A server under test."""

    name: str
    port: int
    pids: list[int]
    database: list[int] = field(default_factory=list)
    """Processes of its database server."""
    headers: tuple[str, ...] = ()
    slow: bool = False
    """Left out of cases that would take it minutes."""
    version: str = ""
    """Of another's program."""


class Absent(Exception):
    """A target that this machine does not have; says what is missing."""


class Stage:
    """Starts the targets in front of one provider; all end with the stack."""

    def __init__(self, stack: ExitStack, against: str = "") -> None:
        self.stack, self.against = stack, against
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="quitbutton-bench-")))
        self.folder.chmod(0o755)
        self.port = free_port()
        command = [sys.executable, "-m", "benchmarks.provider", str(self.port)]
        self.provider = stack.enter_context(running(command, self.port, LOAD_CORE))
        self.upstream = f"127.0.0.1:{self.port}"

    def start(self, name: str) -> Target:
        """One target by its name. Raises `Absent`."""
        makers: dict[str, Callable[[], Target]] = {
            DIRECT: self._direct,
            NGINX: self._nginx,
            RELAY: self._relay,
            OTHER: self._other,
            SCRIPTED: lambda: self._quitbutton(SCRIPTED, "scripted"),
            LOCAL: lambda: self._quitbutton(LOCAL, "local"),
            POSTGRES: self._postgres,
            LITELLM_PROXY: self._litellm,
            BEFORE: lambda: self._before(BEFORE, "scripted"),
            BEFORE_LOCAL: lambda: self._before(BEFORE_LOCAL, "local"),
        }
        return makers[name]()

    def _started(self, name: str, command: list[str], port: int, environment: dict[str, str] | None = None) -> Target:
        process: subprocess.Popen[bytes] = self.stack.enter_context(running(command, port, SERVER_CORE, environment))
        pids = tree(process.pid)
        keep_to(SERVER_CORE, pids)
        return Target(name, port, pids)

    def _direct(self) -> Target:
        return Target(DIRECT, self.port, [self.provider.pid])

    def _relay(self) -> Target:
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.relay", str(port), f"http://{self.upstream}"]
        return self._started(RELAY, command, port)

    def _other(self) -> Target:
        if find_spec("uvicorn") is None or find_spec("aiohttp") is None:
            raise Absent("uvicorn and aiohttp are not installed")
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "benchmarks.asgi_relay:app", "--port", str(port)]
        command += ["--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]
        return self._started(OTHER, command, port, {"UPSTREAM": f"http://{self.upstream}"})

    def _nginx(self) -> Target:
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            raise Absent("nginx is not installed")
        port, folder = free_port(), self.folder / "nginx"
        folder.mkdir()
        user = "user root;\n" if os.getuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            NGINX_CONF.format(user=user, folder=folder, port=port, upstream=self.upstream)
        )
        target = self._started(NGINX, [program, "-p", str(folder), "-c", str(folder / "nginx.conf")], port)
        told = subprocess.run([program, "-v"], capture_output=True, text=True).stderr
        target.version = told.partition("nginx/")[2].split()[0] if "nginx/" in told else ""
        return target

    def _before(self, name: str, assessor: str) -> Target:
        """The product as it was at another revision, with the packages of this environment."""
        checkout = self.folder / "before"
        if not checkout.exists():
            checkout.mkdir()
            packed = subprocess.run(["git", "archive", self.against, "src"], cwd=ROOT, capture_output=True, check=True)
            subprocess.run(["tar", "-x"], cwd=checkout, input=packed.stdout, check=True)
        target = self._quitbutton(name, assessor, source=checkout / "src")
        target.version = self.against
        return target

    def _quitbutton(self, name: str, assessor: str, store: str | None = None, source: Path | None = None) -> Target:
        port = free_port()
        command = [sys.executable, "-m", "quitbutton", "serve", "--port", str(port), "--assessor", assessor]
        command += [
            "--second-reader",
            "none",
            "--upstream",
            f"http://{self.upstream}",
            "--data",
            str(self.folder / name.replace(" ", "")),
        ]
        given = {"QUITBUTTON_STORE": store} if store else {}
        given |= {"PYTHONPATH": str(source), "PYTHONSAFEPATH": "1"} if source else {}
        return self._started(name, command, port, given)

    def _postgres(self) -> Target:
        if binaries() is None:
            raise Absent("there is no PostgreSQL server")
        server = Server()
        self.stack.callback(server.close)
        keep_to(LOAD_CORE, server.pids())
        target = self._quitbutton(POSTGRES, "scripted", server.url())
        target.database = server.pids()
        keep_to(LOAD_CORE, target.database)
        with psycopg.connect(server.url()) as connection:
            target.version = f"PostgreSQL {connection.info.server_version // 10000}"
        return target

    def _litellm(self) -> Target:
        if not LITELLM.exists():
            raise Absent("LiteLLM is not installed (make bench LITELLM=1)")
        port, settings = free_port(), self.folder / "litellm.yaml"
        settings.write_text(LITELLM_CONF.format(upstream=self.upstream))
        given = {"LITELLM_MASTER_KEY": KEY, "LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION"}
        given["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        command = [str(LITELLM), "--config", str(settings), "--host", "127.0.0.1", "--port", str(port)]
        target = self._started(LITELLM_PROXY, [*command, "--num_workers", "1"], port, given)
        target.headers, target.slow = (f"authorization: Bearer {KEY}",), True
        for found in LITELLM.parent.parent.glob("lib/*/site-packages/litellm-[0-9]*.dist-info"):
            target.version = found.name.removeprefix("litellm-").removesuffix(".dist-info")
        return target
