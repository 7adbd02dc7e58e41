"""What a trace shows, seen by a real OTLP receiver: the client's trace goes on, upstream too; nobody's words are in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.conftest import Running, _wait, check_log, free_port
from tests.gateway.test_passthrough import post
from tests.observing import until_ready
from tests.observing.collector import Collector, values
from tests.upstream import DEFAULT as PLAIN
from tests.upstream import Provider, Reply, stream, whole

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CLIENT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "shop=1", "authorization": "Bearer sk-secret-key"}
SECRET = b'{"model":"gpt-x","user":"ursula","messages":[{"role":"user","content":"[abuse] my private garbage"}]}'
DEFAULT = "/v1/chat/completions"


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.close()


def traced(start: Callable[..., Running], provider: Provider, endpoint: str, tmp_path: Path) -> Running:
    file = tmp_path / "quitbutton.toml"
    file.write_text(f'otel_endpoint = "{endpoint}"\nreply_assessor = "scripted"\n')
    gateway = start("--upstream", provider.url, "--assessor", "scripted", "--config", str(file))
    until_ready(gateway)
    return gateway


def redirects(provider: Provider) -> None:
    """From now on the model redirects, as the scripted reader of replies sees it."""
    body: dict[str, Any] = deepcopy(PLAIN)
    body["choices"][0]["message"]["content"] = "[redirected] Let us talk of trains."
    provider.answer = lambda seen: whole(body)


def server_span(spans: list[Span], name: str = f"POST {DEFAULT}") -> list[Span]:
    return [span for span in spans if span.name == name]


def test_the_clients_trace_goes_on_through_every_part(
    start_gateway: Callable[..., Running], fresh: Provider, collector: Collector, tmp_path: Path
) -> None:
    gateway = traced(start_gateway, fresh, collector.url, tmp_path)
    redirects(fresh)
    assert post(gateway.url, SECRET, CLIENT)[0] == 200
    spans = collector.until(lambda spans: bool(server_span(spans)))
    ours = [span for span in spans if span.trace_id.hex() == TRACE]
    server = server_span(ours)[0]
    assert (server.parent_span_id.hex(), server.kind) == (PARENT, Span.SPAN_KIND_SERVER)
    told = values(server)
    assert (told["http.request.method"], told["http.route"]) == ("POST", DEFAULT)
    assert told["http.response.status_code"] == 200
    assert (told["quitbutton.decision"], told["quitbutton.standing"]) == ("redirect", "redirected")
    assert told["quitbutton.mode"] == "enforce"
    by_name = {span.name: span for span in ours}
    assert {"assess", "read reply", "store read", "store write", "chat gpt-x"} <= set(by_name)
    assert all(span.parent_span_id == server.span_id for span in ours if span is not server)
    assert values(by_name["assess"])["quitbutton.verdict"] == "abuse"
    model = by_name["chat gpt-x"]
    said = values(model)
    assert model.kind == Span.SPAN_KIND_CLIENT
    assert (said["gen_ai.operation.name"], said["gen_ai.request.model"]) == ("chat", "gpt-x")
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (3, 2)
    assert (said["gen_ai.provider.name"], said["server.address"]) == ("openai", "127.0.0.1")
    assert said["server.port"] == int(fresh.url.split(":")[2].split("/")[0])
    sent = fresh.seen[-1].headers
    assert sent["traceparent"] == f"00-{TRACE}-{model.span_id.hex()}-01"
    assert sent["tracestate"] == "shop=1"
    assert collector.resource["service.name"] == "quitbutton"
    for word in (b"garbage", b"secret", b"ursula", b"Bearer"):
        assert word not in collector.raw
    assert server.start_time_unix_nano <= model.start_time_unix_nano < model.end_time_unix_nano
    assert model.end_time_unix_nano <= server.end_time_unix_nano


def test_a_failure_is_marked_and_a_stream_lasts_to_its_end(
    start_gateway: Callable[..., Running], fresh: Provider, collector: Collector, tmp_path: Path
) -> None:
    gateway = traced(start_gateway, fresh, collector.url, tmp_path)
    fresh.answer = lambda seen: whole({"error": {"message": "busy"}}, status=500)
    assert post(gateway.url, SECRET)[0] == 500
    spans = collector.until(lambda spans: bool(server_span(spans)))
    assert server_span(spans)[0].status.code == Status.STATUS_CODE_ERROR
    failed = next(span for span in spans if span.name == "chat gpt-x")
    assert values(failed)["error.type"] == "500"
    collector.spans.clear()
    fresh.answer = lambda seen: stream("a", "b", delay=0.2)
    assert post(gateway.url, SECRET.replace(b'"user"', b'"stream":true,"user"', 1))[0] == 200
    spans = collector.until(lambda spans: bool(server_span(spans)))
    model = next(span for span in spans if span.name == "chat gpt-x")
    assert model.end_time_unix_nano - model.start_time_unix_nano > 0.7e9


@pytest.mark.parametrize("fault", ["away", "refuses"])
def test_a_collector_that_fails_slows_nobody_and_holds_up_no_stop(
    start_gateway: Callable[..., Running], fresh: Provider, tmp_path: Path, fault: str
) -> None:
    broken = Collector(503)
    endpoint = broken.url if fault == "refuses" else f"http://127.0.0.1:{free_port()}"
    gateway = traced(start_gateway, fresh, endpoint, tmp_path)
    post(gateway.url, SECRET)
    began = time.monotonic()
    for _ in range(20):
        assert post(gateway.url, SECRET)[0] == 200
    assert time.monotonic() - began < 4
    began = time.monotonic()
    gateway.process.terminate()
    assert gateway.process.wait(20) == 0
    assert time.monotonic() - began < 8
    broken.close()


def test_the_standard_variables_ask_for_traces_too(fresh: Provider, collector: Collector, tmp_path: Path) -> None:
    fresh.answer = lambda seen: Reply([b"{}"])
    own = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "shop-gateway"}
    port = free_port()
    given = ["--port", str(port), "--data", str(tmp_path), "--upstream", fresh.url, "--assessor", "scripted"]
    with (tmp_path / "output.log").open("ab") as out:
        command = [sys.executable, "-m", "quitbutton", "serve", *given]
        process = subprocess.Popen(command, env={**os.environ, **own}, stdout=out, stderr=subprocess.STDOUT)
    gateway = Running(f"http://127.0.0.1:{port}", port, tmp_path, process, given)
    try:
        _wait(gateway)
        collector.until(lambda spans: bool(server_span(spans, "GET /readyz")))
        assert collector.resource["service.name"] == "shop-gateway"
    finally:
        gateway.stop()
        check_log(gateway)


def test_without_being_asked_for_nothing_is_imported(tmp_path: Path) -> None:
    script = """
import asyncio, sys
from quitbutton.gateway.app import create_app
from quitbutton.settings.installation import load
async def run():
    app = create_app(load(None, {}, upstream="http://127.0.0.1:9/v1", assessor="scripted", store=":memory:"))
    await app.start()
    await app.stop()
asyncio.run(run())
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr
