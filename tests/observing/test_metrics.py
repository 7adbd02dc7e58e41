"""What Prometheus reads: who may read it, what is counted, that workers add up, that nobody's words are in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from quitbutton.observing.catalogue import METRICS
from quitbutton.observing.metrics import Metrics
from quitbutton.observing.seen import Seen
from tests.conftest import Running, _wait, check_log, free_port
from tests.gateway.inside import CHAT, OPERATOR, Inside, inside, keyed
from tests.gateway.test_passthrough import post
from tests.gateway.test_rights_api import Chat, presses
from tests.upstream import Provider, stream, whole

TOKEN = "metrics-token-0001"


def read(url: str, token: str = "") -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Samples by name and labels."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(url + "/metrics", headers=headers)) as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def total(samples: dict[tuple[tuple[str, str], ...], float], **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for key, value in samples.items() if wanted <= set(key))


def test_a_climb_is_counted_by_action_denial_and_mode_and_nothing_of_the_user_is_told(
    start_gateway: Callable[..., Running], fresh: Provider
) -> None:
    gateway = start_gateway("--upstream", fresh.url, "--assessor", "scripted")
    fresh.answer = presses
    user = Chat(gateway.url, "ursula-franklin")
    assert user.is_ended()["state"] == "ended"
    assert user.says("again")[0] == 400
    bob = Chat(gateway.url, "bob")
    bob.says("[possible] nothing matters")
    bob.says("[possible] nothing")
    bob.says("[crisis] help")
    bob.says("hello")
    with urllib.request.urlopen(gateway.url + "/metrics") as answer:
        assert answer.headers["content-type"].startswith("text/plain")
        text = answer.read().decode()
    assert "ursula" not in text
    assert "abuse]" not in text
    assert CHAT not in text
    found = read(gateway.url)
    decided = found["quitbutton_decisions_total"]
    assert total(decided, action="end", mode="enforce") == 1
    assert total(decided, action="refuse") == 1
    assert total(decided) == 9
    assert total(found["quitbutton_crisis_referrals_total"]) == 3
    crises = found["quitbutton_crises_total"]
    assert (total(crises, strength="possible"), total(crises, strength="clear")) == (1, 2)
    assert total(found["quitbutton_verdicts_total"], label="abuse") >= 3
    assert total(found["quitbutton_requests_total"], route="/v1/chat/completions", status="400") == 1
    assert total(found["quitbutton_added_seconds_count"]) == 9
    assert found["quitbutton_turns"][()] == 0
    assert found["quitbutton_store_connections"][(("state", "all"),)] == 2
    assert found["process_resident_memory_bytes"][()] > 1e7


def test_what_the_upstream_took_is_not_what_the_gateway_added(
    start_gateway: Callable[..., Running], fresh: Provider
) -> None:
    gateway = start_gateway("--upstream", fresh.url, "--assessor", "scripted")
    fresh.answer = lambda seen: stream("a", "b", "c", delay=0.15)
    body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'
    assert post(gateway.url, body)[0] == 200
    found = read(gateway.url)
    assert 0.6 < total(found["quitbutton_upstream_seconds_sum"], upstream="upstream") < 3
    assert total(found["quitbutton_added_seconds_sum"]) < 0.15
    assert 0.1 < total(found["quitbutton_first_byte_seconds_sum"]) < 0.6
    fresh.answer = lambda seen: whole(breaks=True)
    assert post(gateway.url, body)[0] in (200, 502)
    assert total(read(gateway.url)["quitbutton_upstream_failures_total"], upstream="upstream") >= 1


@pytest.mark.parametrize(
    ("text", "token", "status"),
    [
        ("", "", 401),
        ("", TOKEN, 401),
        ("", OPERATOR, 200),
        (f'metrics_token = "{TOKEN}"', TOKEN, 200),
        (f'metrics_token = "{TOKEN}"', TOKEN + "x", 401),
        (f'metrics_token = "{TOKEN}"', CHAT, 403),
        ('metrics = "open"', "", 200),
        ('metrics = "off"', OPERATOR, 404),
    ],
)
def test_who_may_read(tmp_path: Path, text: str, token: str, status: int) -> None:
    async def scene(gateway: Inside) -> None:
        assert (await gateway.ask("GET", "/metrics", key=token)).status_code == status
        if token == TOKEN:
            assert (await gateway.ask("GET", "/v1/quitbutton/keys", key=token)).status_code == 401

    inside(keyed(tmp_path, text), scene)


def test_two_workers_add_up_and_one_that_is_gone_leaves_its_counters(fresh: Provider, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(shared)}
    workers = []
    for name in ("one", "two"):
        port, data = free_port(), tmp_path / name
        data.mkdir()
        given = ["--port", str(port), "--data", str(data), "--upstream", fresh.url, "--assessor", "scripted"]
        with (data / "output.log").open("ab") as out:
            command = [sys.executable, "-m", "quitbutton", "serve", *given]
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        workers.append(Running(f"http://127.0.0.1:{port}", port, data, process, given))
    try:
        for worker in workers:
            _wait(worker)
            for _ in range(3):
                assert post(worker.url, b'{"model":"m","messages":[{"role":"user","content":"hello"}]}')[0] == 200
        deadline = time.monotonic() + 15
        while total((found := read(workers[0].url))["quitbutton_decisions_total"], action="pass") < 6:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert found["quitbutton_workers"][()] == 2
        workers[1].stop()
        pid = str(workers[1].process.pid)
        ended = f"from quitbutton.observing.process import worker_ended; worker_ended({pid})"
        subprocess.run([sys.executable, "-c", ended], env=environment, check=True)
        found = read(workers[0].url)
        assert total(found["quitbutton_decisions_total"], action="pass") == 6
        assert found["quitbutton_workers"][()] == 1
    finally:
        for worker in workers:
            worker.stop()
            check_log(worker)


def test_every_metric_of_the_table_is_there_and_no_other(guarded: Running) -> None:
    with urllib.request.urlopen(guarded.url + "/metrics") as answer:
        told = {
            name for name, _ in re.findall(r"^# TYPE (quitbutton_\w+) (\w+)$", answer.read().decode(), re.MULTILINE)
        }
    names = {one.name for one in METRICS}
    assert names <= told
    assert all(
        any(one == name or one == name.replace("_total", "_created") for name in names) or one.endswith("_created")
        for one in told
    )


def test_a_request_costs_little() -> None:
    """Counting a chat request stays below 15 microseconds; ten times that here, for a machine that is busy."""
    metrics, seen = (
        Metrics(),
        Seen("POST", "/v1/chat/completions", upstream=1.0, store=0.001, assessor=0.002, status=200),
    )
    seen.took, seen.upstream_name, seen.first = 1.1, "upstream", seen.began + 0.5
    best = min(_timed(metrics, seen) for _ in range(5))
    assert best < 150e-6


def _timed(metrics: Metrics, seen: Seen) -> float:
    start = time.perf_counter()
    for _ in range(2000):
        metrics.over(seen, True)
    return (time.perf_counter() - start) / 2000


def test_a_metric_that_fails_fails_no_turn(tmp_path: Path, fresh: Provider) -> None:
    async def scene(gateway: Inside) -> None:
        metrics = gateway.app.observer.metrics
        assert metrics is not None

        def broken(*_: object) -> None:
            raise OSError("the disk is full")

        metrics._child = broken  # type: ignore[method-assign]
        hello = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        assert (await gateway.ask("POST", "/v1/chat/completions", hello, CHAT)).status_code == 200
        assert (await gateway.ask("GET", "/metrics", key=OPERATOR)).status_code == 200

    inside(keyed(tmp_path, upstream=fresh.url), scene)
