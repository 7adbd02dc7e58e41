"""SIGTERM: not ready, then no new connections; streams finish, or are cut with an error of their protocol; status 0."""

from __future__ import annotations

import http.client
import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Running
from tests.gateway.test_rights_api import call
from tests.upstream import Provider, Reply, Seen, stream, whole

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
EVENTS: tuple[dict[str, Any], ...] = (
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": "m",
            "usage": {"input_tokens": 1, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    *(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}
        for _ in range(200)
    ),
)


def slow(seen: Seen) -> Reply:
    """A stream of 200 words, one each 50 ms."""
    if seen.path == MESSAGES:
        parts = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in EVENTS]
        return Reply(parts, content_type="text/event-stream", delay=0.05)
    return stream(*["word "] * 200, delay=0.05)


def started(start: Callable[..., Running], provider: Provider, tmp_path: Path, **settings: float) -> Running:
    file = tmp_path / "quitbutton.toml"
    file.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    return start("--upstream", provider.url, "--assessor", "scripted", "--config", str(file))


class Reading(threading.Thread):
    """A client that reads a stream to its end."""

    def __init__(self, gateway: Running, path: str = CHAT, streams: bool = True) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        message = {"role": "user", "content": "hello"}
        body = {"model": "m", "stream": streams, "max_tokens": 500, "messages": [message], "user": "ada"}
        self.connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        self.status, self.text, self.id = 0, "", ""
        self.is_open = threading.Event()
        self.start()

    def run(self) -> None:
        answer = self.connection.getresponse()
        self.status, self.id = answer.status, answer.headers.get("x-quitbutton-request-id", "")
        while piece := answer.read1(65536):
            self.text += piece.decode()
            self.is_open.set()
        self.is_open.set()


def test_a_stream_under_way_finishes_and_the_status_is_0(
    start_gateway: Callable[..., Running], fresh: Provider, tmp_path: Path
) -> None:
    gateway = started(start_gateway, fresh, tmp_path, shutdown_delay=1.0, shutdown_grace=30)
    fresh.answer = lambda seen: stream(*["word "] * 60, delay=0.05)
    reading = Reading(gateway)
    assert reading.is_open.wait(10)
    gateway.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    status, told = call(gateway.url + "/readyz")
    assert (status, told["stopping"]) == (503, True)  # type: ignore[index]
    late = Reading(gateway)  # a balancer that has not looked yet: still answered
    assert late.is_open.wait(10)
    time.sleep(1.5)
    with pytest.raises(OSError, match=r"refused|reset|closed|Remote"):
        call(gateway.url + "/livez")
    for one in (reading, late):
        one.join(20)
        assert (one.status, one.text.count("word "), "[DONE]" in one.text) == (200, 60, True)
    assert gateway.process.wait(10) == 0


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_stream_that_takes_too_long_is_cut_with_an_error_of_its_protocol_and_recorded(
    start_gateway: Callable[..., Running], fresh: Provider, tmp_path: Path, path: str
) -> None:
    gateway = started(start_gateway, fresh, tmp_path, shutdown_grace=0.5)
    fresh.answer = slow
    reading = Reading(gateway, path)
    assert reading.is_open.wait(10)
    began = time.monotonic()
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(10) == 0
    assert time.monotonic() - began < 5
    reading.join(5)
    last = [line for line in reading.text.splitlines() if line.startswith("data: ")][-1]
    error = json.loads(last.removeprefix("data: "))["error"]
    assert (reading.status, error["code"]) == (200, "overloaded")
    assert "[DONE]" not in reading.text
    assert "message_stop" not in reading.text
    assert fresh.seen[-1].closed_at is not None, "the upstream is not left to write for nobody"
    fresh.answer = lambda seen: whole()
    gateway.restart()
    status, receipt = call(f"{gateway.url}/v1/quitbutton/stop/{reading.id}", {})
    assert (status, receipt["stopped_by"]) == (200, "shutdown")  # type: ignore[index]
    assert receipt["tokens_delivered"] > 3  # type: ignore[index]


def test_a_reply_that_has_not_begun_is_answered_503_and_may_be_sent_again(
    start_gateway: Callable[..., Running], fresh: Provider, tmp_path: Path
) -> None:
    gateway = started(start_gateway, fresh, tmp_path, shutdown_grace=0.3)
    fresh.answer = lambda seen: whole(delay=30)
    reading = Reading(gateway, streams=False)
    time.sleep(0.5)
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(10) == 0
    reading.join(5)
    assert (reading.status, json.loads(reading.text)["error"]["code"]) == (503, "overloaded")


def test_a_second_signal_waits_for_nothing(
    start_gateway: Callable[..., Running], fresh: Provider, tmp_path: Path
) -> None:
    gateway = started(start_gateway, fresh, tmp_path, shutdown_delay=30, shutdown_grace=30)
    fresh.answer = slow
    reading = Reading(gateway)
    assert reading.is_open.wait(10)
    for _ in range(2):
        gateway.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
    assert gateway.process.wait(6) == 0
    reading.join(5)
    assert "overloaded" in reading.text
