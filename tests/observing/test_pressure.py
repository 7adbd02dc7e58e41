"""Memory stays bounded: a client that does not read pauses its upstream, idle streams are cheap, too many are told so."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import anthropic
import openai
import pytest

from tests.conftest import Running
from tests.observing import until_ready
from tests.observing.floods import Flood, request, rss
from tests.observing.test_metrics import read, total

MEGABYTE = 1 << 20


@pytest.fixture
def flood() -> Iterator[Flood]:
    one = Flood(frames=4000, size=64 * 1024)  # 250 MB
    yield one
    one.close()


@pytest.fixture
def idle() -> Iterator[Flood]:
    one = Flood()
    yield one
    one.close()


def connected(gateway: Running, number: int = 0) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
    one.sendall(request(gateway.port, number))
    return one


def test_a_client_that_does_not_read_pauses_the_upstream(start_gateway: Callable[..., Running], flood: Flood) -> None:
    gateway = start_gateway("--upstream", flood.url, "--assessor", "scripted")
    until_ready(gateway)
    before = rss(gateway.process.pid)
    with connected(gateway) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        time.sleep(1.5)
        sent = flood.sent
        assert sent < 30 * MEGABYTE, "what the sockets' buffers hold, of 250 MB"
        time.sleep(1)
        assert flood.sent == sent
        assert rss(gateway.process.pid) - before < 40 * MEGABYTE
        left = 20 * MEGABYTE
        while left > 0:
            left -= len(client.recv(1 << 16))
        assert flood.sent > sent, "and it goes on where the client does"
    deadline = time.monotonic() + 5
    while flood.open:
        assert time.monotonic() < deadline, "a client that leaves ends it"
        time.sleep(0.05)


def test_300_idle_streams_take_little_memory_and_give_it_back(
    start_gateway: Callable[..., Running], idle: Flood
) -> None:
    gateway = start_gateway("--upstream", idle.url, "--assessor", "scripted")
    until_ready(gateway)
    with ExitStack() as open_clients:
        for number in range(20):  # what is only made once
            with connected(gateway, number) as client:
                assert client.recv(1000)
        before = rss(gateway.process.pid)
        clients = [open_clients.enter_context(connected(gateway, number)) for number in range(300)]
        for client in clients:
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        assert (rss(gateway.process.pid) - before) / 300 < 150 * 1024
        assert total(read(gateway.url)["quitbutton_streams"]) == 300
    deadline = time.monotonic() + 10
    while total(read(gateway.url)["quitbutton_turns"]) or idle.open:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_over_max_turns_clients_are_told_when_to_come_back_and_do(
    start_gateway: Callable[..., Running], idle: Flood, tmp_path: Path
) -> None:
    config = tmp_path / "quitbutton.toml"
    config.write_text("max_turns = 2\n")
    gateway = start_gateway("--upstream", idle.url, "--assessor", "scripted", "--config", str(config))
    with connected(gateway, 1) as one, connected(gateway, 2) as two:
        for client in (one, two):
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        with connected(gateway, 3) as third:
            answer = third.recv(5000).decode()
            while not answer.endswith("}}"):
                answer += third.recv(5000).decode()
        assert answer.startswith("HTTP/1.1 503")
        assert "retry-after: 1" in answer.lower()
        error = json.loads(answer.partition("\r\n\r\n")[2])["error"]
        assert (error["code"], "max_turns" in error["message"]) == ("overloaded", True)
        assert total(read(gateway.url)["quitbutton_turned_away_total"]) == 1
        hello = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
        asked = openai.OpenAI(base_url=gateway.url + "/v1", api_key="k", max_retries=1)
        with pytest.raises(openai.InternalServerError) as told:
            asked.chat.completions.create(**hello)  # type: ignore[call-overload]
        assert told.value.code == "overloaded"
        with pytest.raises(anthropic.InternalServerError):
            anthropic.Anthropic(base_url=gateway.url, api_key="k", max_retries=1).messages.create(**hello)  # type: ignore[call-overload]
        assert total(read(gateway.url)["quitbutton_turned_away_total"]) == 5, "both clients came back once"
