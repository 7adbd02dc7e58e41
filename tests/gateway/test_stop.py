"""The user's stop, and a client that hangs up: the upstream is closed within 250 ms, and the turn is on record."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.conftest import Running
from tests.gateway.test_passthrough import post
from tests.upstream import Provider, Reply, stream

LIMIT = 0.25


def open_request(
    gateway: Running, text: str, streams: bool, user: str = "u", **more: Any
) -> http.client.HTTPConnection:
    parts = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "stream": streams, "user": user, **more}
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    return connection


def wait_for(condition: Any, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def api(gateway: Running, method: str, path: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(gateway.url + path, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


SILENT = Reply([], content_type="text/event-stream", hang=True)
WAITS = {
    "before the first byte": (Reply([b""] * 100, delay=0.2), False),
    "whole": (Reply([b'{"choices": '], hang=True), False),
    "silent stream": (SILENT, True),
    "flowing stream": (stream(*["word "] * 400, delay=0.05), True),
}


@pytest.mark.parametrize("way", list(WAITS))
def test_a_client_that_hangs_up_closes_the_upstream_at_once(guarded: Running, fresh: Provider, way: str) -> None:
    reply, streams = WAITS[way]
    fresh.answer = lambda seen: reply
    connection = open_request(guarded, f"hang up {way}", streams)
    wait_for(lambda: fresh.seen)
    time.sleep(0.1)
    left_at = time.monotonic()
    connection.sock.close()
    connection.close()
    wait_for(lambda: fresh.seen[0].closed_at is not None)
    assert (fresh.seen[0].closed_at or 0) - left_at < LIMIT


def test_a_stop_closes_the_upstream_and_gives_a_receipt(guarded: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: stream(*["word "] * 400, delay=0.02)
    connection = open_request(guarded, f"stop {uuid.uuid4()}", True, max_tokens=500)
    answer = connection.getresponse()
    request_id = answer.getheader("x-quitbutton-request-id")
    read = b""
    while read.count(b"word") < 3:
        read += answer.read1()
    stopped_at = time.monotonic()
    status, receipt = api(guarded, "POST", f"/v1/quitbutton/stop/{request_id}")
    wait_for(lambda: fresh.seen[0].closed_at is not None)
    assert (fresh.seen[0].closed_at or 0) - stopped_at < LIMIT
    rest = answer.read()
    assert status == 200
    assert (receipt["stopped"], receipt["stopped_by"], receipt["upstream_closed"]) == (True, "user", True)
    delivered = (read + rest).count(b"word")
    assert receipt["tokens_delivered"] == delivered < 400
    assert receipt["tokens_saved_estimate"] == 500 - delivered
    assert receipt["tokens_billed"] is None
    assert rest.rstrip().endswith(b"data: [DONE]"), "the client's stream ends in good order"
    assert api(guarded, "POST", f"/v1/quitbutton/stop/{request_id}") == (200, receipt), "the same on every repeat"


def test_a_stop_before_the_first_word_is_an_error_the_client_understands(guarded: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: SILENT
    connection = open_request(guarded, f"early {uuid.uuid4()}", False)
    wait_for(lambda: fresh.seen)
    assert api(guarded, "POST", "/v1/quitbutton/stop/req_unknown")[0] == 404
    connection.close()


def test_another_key_can_neither_stop_nor_see_a_request(guarded: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: stream(*["word "] * 400, delay=0.02)
    connection = open_request(guarded, f"mine {uuid.uuid4()}", True)
    request_id = connection.getresponse().getheader("x-quitbutton-request-id")
    path = f"{guarded.url}/v1/quitbutton/stop/{request_id}"
    stranger = urllib.request.Request(path, method="POST", headers={"authorization": "Bearer other"})
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(stranger)
    connection.close()


def test_a_crisis_holds_also_when_its_reply_was_stopped(guarded: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: stream(*["word "] * 400, delay=0.02)
    user, words = str(uuid.uuid4()), f"[crisis] {uuid.uuid4()}"
    connection = open_request(guarded, words, True, user)
    connection.getresponse().read1()
    connection.close()
    wait_for(lambda: fresh.seen[0].closed_at is not None)
    time.sleep(0.2)
    fresh.answer = lambda seen: stream("I am here.")
    messages = [{"role": "user", "content": words}, {"role": "user", "content": "[abuse] what"}]
    body = json.dumps({"model": "m", "messages": messages, "user": user, "stream": True}).encode()
    assert b'"decision":"support"' in post(guarded.url, body)[2]


def test_stopping_the_model_stops_a_ladder_step_that_nobody_heard(guarded: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: SILENT
    user, words = str(uuid.uuid4()), f"[abuse] {uuid.uuid4()}"
    connection = open_request(guarded, words, True, user)
    wait_for(lambda: fresh.seen)
    time.sleep(0.1)
    connection.close()
    wait_for(lambda: fresh.seen[0].closed_at is not None)
    time.sleep(0.2)
    fresh.answer = lambda seen: stream("Hm.")
    messages = [{"role": "user", "content": words}, {"role": "user", "content": "hello"}]
    body = json.dumps({"model": "m", "messages": messages, "user": user, "stream": True}).encode()
    assert b'"state":"open"' in post(guarded.url, body)[2]
