"""The shipped nginx configuration, for real: three gateways on one PostgreSQL behind it. Skipped where nginx is not there."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT, Running, free_port
from tests.gateway.test_rights_api import Chat, call, presses
from tests.observing import until_ready
from tests.postgres import Server
from tests.upstream import Provider, stream, whole

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@dataclass
class Front:
    """nginx and the gateways behind it."""

    url: str
    port: int
    gateways: list[Running]


def configured(folder: Path, port: int, ports: list[int]) -> Path:
    """The shipped files, with ports of this test and a folder of its own in place of /tmp."""
    text = (ROOT / "packaging" / "nginx" / "nginx.conf").read_text("utf-8")
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/tmp/", f"{folder}/")
    text = text.replace("/dev/stdout", f"{folder}/access.log").replace("worker_processes auto", "worker_processes 1")
    (folder / "nginx.conf").write_text(text)
    servers = "".join(f"server 127.0.0.1:{one} max_fails=3 fail_timeout=1s;" for one in ports)
    gateways = (ROOT / "packaging" / "nginx" / "gateways.conf").read_text("utf-8")
    start, _, rest = gateways.partition("    server ")
    start = start.replace("resolver 127.0.0.11 valid=5s;", "")
    (folder / "gateways.conf").write_text(start + servers + rest.partition("\n")[2])
    return folder / "nginx.conf"


@pytest.fixture
def front(start_gateway: Callable[..., Running], postgres: Server, fresh: Provider, tmp_path: Path) -> Iterator[Front]:
    folder, port = tmp_path / "nginx", free_port()
    folder.mkdir()
    tmp_path.chmod(0o755)
    config = tmp_path / "quitbutton.toml"
    lines = [
        f'store = "{postgres.new()}"',
        f'audit_key = "{"A" * 43}="',
        "audit_trust_store = true",
        "shutdown_delay = 0.5",
        "shutdown_grace = 20",
    ]
    config.write_text("\n".join(lines))
    given = ("--upstream", fresh.url, "--assessor", "scripted", "--config", str(config))
    gateways = [start_gateway(*given) for _ in range(3)]
    for one in gateways:
        until_ready(one)
    file = configured(folder, port, [one.port for one in gateways])
    command = [str(NGINX), "-p", str(folder), "-e", "stderr", "-c", str(file)]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stderr
    process = subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        _until_open(port)
        yield Front(f"http://127.0.0.1:{port}", port, gateways)
    finally:
        process.terminate()
        process.wait(10)
        for one in gateways:
            one.stop()


def _until_open(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if call(f"http://127.0.0.1:{port}/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("nginx did not start")


def asked(port: int, streams: bool, number: int = 0) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    message = {"role": "user", "content": f"hello {number}"}
    body = json.dumps({"model": "m", "stream": streams, "user": f"u{number}", "messages": [message]})
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
    return connection


def test_a_stream_leaves_as_it_comes_and_a_client_that_leaves_ends_it(front: Front, fresh: Provider) -> None:
    fresh.answer = lambda seen: stream(*["word "] * 20, delay=0.1)
    connection = asked(front.port, streams=True)
    answer, times = connection.getresponse(), []
    while answer.read1(65536):
        times.append(time.monotonic())
    assert len(times) >= 15
    assert times[-1] - times[0] > 1.5, "piece by piece, not at once at the end"
    fresh.answer = lambda seen: stream(*["word "] * 200, delay=0.1)
    leaving = asked(front.port, streams=True)
    gone = leaving.getresponse()
    assert gone.read1(100)
    gone.close()
    leaving.close()
    deadline = time.monotonic() + 5
    while fresh.seen[-1].closed_at is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_end_holds_whichever_gateway_answers_and_machines_pages_stay_inside(front: Front, fresh: Provider) -> None:
    fresh.answer = presses
    user = Chat(front.url, "ada")
    assert user.is_ended()["state"] == "ended"
    for _ in range(6):
        assert user.says("again")[0] == 400
    for path in ("/metrics", "/readyz", "/livez"):
        connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == 404
        connection.close()


def test_a_rolling_restart_loses_no_request_and_cuts_no_stream(front: Front, fresh: Provider) -> None:
    fresh.answer = lambda seen: stream(*["word "] * 30, delay=0.1) if seen.json.get("stream") else whole()
    said: list[str] = []
    failed: list[int] = []
    over = threading.Event()

    def reading(number: int) -> None:
        said.append(asked(front.port, True, number).getresponse().read().decode())

    def asking() -> None:
        number = 1000
        while not over.is_set():
            number += 1
            connection = asked(front.port, False, number)
            status = connection.getresponse().status
            connection.close()
            if status != 200:
                failed.append(status)
            time.sleep(0.02)

    readers = [threading.Thread(target=reading, args=(number,)) for number in range(9)]
    asker = threading.Thread(target=asking)
    for one in (*readers, asker):
        one.start()
    time.sleep(0.5)
    for gateway in front.gateways:
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(25) == 0
        gateway.restart()
        until_ready(gateway)
    for one in readers:
        one.join(30)
    over.set()
    asker.join(30)
    assert len(said) == 9
    assert all("[DONE]" in text and text.count("word ") == 30 for text in said)
    assert failed == []
