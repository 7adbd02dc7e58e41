"""The application is plain ASGI: it runs under another server as well, where a task listens for the client's hang-up."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.conftest import free_port
from tests.upstream import Provider, stream, whole

from quitbutton.gateway.app import create_app
from quitbutton.settings.installation import Settings


@pytest.fixture
def port(tmp_path: Path, fresh: Provider) -> Iterator[int]:
    settings = Settings(upstream=fresh.url, assessor="scripted", data=tmp_path, port=free_port())
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=settings.port, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield settings.port
    server.should_exit = True
    thread.join(20)


def asked(port: int, streams: bool) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    body = {"model": "m", "stream": streams, "messages": [{"role": "user", "content": "hello"}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    return connection


def test_it_answers_streams_and_notices_who_leaves(port: int, fresh: Provider) -> None:
    fresh.answer = lambda seen: whole()
    reply = json.loads(asked(port, False).getresponse().read())
    assert reply["quitbutton"]["state"] == "open"
    fresh.answer = lambda seen: stream("a ", "b")
    assert asked(port, True).getresponse().read().endswith(b"data: [DONE]\n\n")
    fresh.answer = lambda seen: stream(*["word "] * 400, delay=0.02)
    leaving = asked(port, True)
    leaving.getresponse().read1()
    leaving.close()
    deadline = time.monotonic() + 5
    while fresh.seen[-1].closed_at is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert fresh.seen[-1].closed_at is not None
