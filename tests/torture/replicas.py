"""What is tortured: three gateways, each behind a proxy of its own, on one PostgreSQL; and a provider that presses."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.conftest import Running, check_log, free_port, plain_environment
from tests.postgres import Server
from tests.torture.model import POLICY
from tests.torture.provider import Model
from tests.torture.proxy import Proxy
from tests.upstream import Provider

PRODUCT = ("quitbutton", "serve")
START_SECONDS = 60
SETTINGS = 'store = "{store}"\naudit_key = "{key}="\naudit_trust_store = true\npublic_url = "http://quitbutton.example"\n[policy]\n{policy}'


class Replica:
    """A gateway, and the proxy between it and the database."""

    def __init__(self, number: int, folder: Path, store: str, database: Server, provider: str, program: Sequence[str]):
        self.number, self.proxy, self.lock = number, Proxy(database.port), threading.Lock()
        self.data = folder / f"gateway-{number}"
        self.data.mkdir()
        self.config = self.data / "quitbutton.toml"
        own = store.replace(f":{database.port}/", f":{self.proxy.port}/")
        self.config.write_text(SETTINGS.format(store=own, key="A" * 43, policy=POLICY))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        given = ["--port", str(self.port), "--data", str(self.data), "--config", str(self.config)]
        given += ["--upstream", provider, "--assessor", "scripted"]
        self._command = [sys.executable, "-m", *program, *given]
        self.start()

    def start(self) -> None:
        """Begin; `wait` for it afterwards."""
        environment = plain_environment()
        with (self.data / "output.log").open("ab") as out:
            self.process = subprocess.Popen(self._command, env=environment, stdout=out, stderr=subprocess.STDOUT)

    def wait(self) -> None:
        """Until it answers; begun again where it gave up because its database was away."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.start()
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/healthz", timeout=5):
                return
            time.sleep(0.1)
        raise RuntimeError(f"a gateway did not start: {(self.data / 'output.log').read_text('utf-8')[-2000:]}")

    def send(self, number: signal.Signals) -> None:
        """SIGKILL, SIGSTOP, SIGCONT."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def close(self) -> None:
        """An orderly stop, and a look at what it logged."""
        self.proxy.heal()
        self.send(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.proxy.close()
        check_log(Running(self.url, self.port, self.data, self.process, []))


class Stage:
    """All of it. `program` is what is started as a gateway: the product, or a broken one."""

    def __init__(self, folder: Path, count: int = 3, program: Sequence[str] = PRODUCT) -> None:
        self.database, self.provider, self.model = Server(), Provider(), Model()
        self.provider.answer = self.model.answer
        self.store = self.database.new()
        self.replicas = [
            Replica(number, folder, self.store, self.database, self.provider.url, program) for number in range(count)
        ]
        for replica in self.replicas:
            replica.wait()

    def close(self) -> None:
        """Stop everything."""
        for replica in self.replicas:
            replica.close()
        self.provider.close()
        self.database.close()
