"""What the log says of a request: enough to find it again, never a word of a user, never a key."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quitbutton.observing import logs
from tests.conftest import Running
from tests.gateway.test_passthrough import post
from tests.gateway.test_rights_api import call
from tests.observing import until_ready
from tests.upstream import Provider, whole

SECRET = b'{"model":"m","messages":[{"role":"user","content":"[abuse] my private garbage"}]}'


def lines(gateway: Running, wanted: int, wanted_word: str = "") -> list[str]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = [line for line in gateway.log.read_text("utf-8").splitlines() if "requests" in line]
        if len(found) >= wanted and wanted_word in found[-1]:
            return found
        time.sleep(0.05)
    raise AssertionError("no lines")


def test_one_json_line_a_request(start_gateway: Callable[..., Running], fresh: Provider) -> None:
    given = ("--upstream", fresh.url, "--assessor", "scripted", "--log-level", "info", "--log-format", "json")
    gateway = start_gateway(*given)
    until_ready(gateway)
    fresh.answer = lambda seen: whole(delay=0.2)
    post(gateway.url, SECRET)  # with the first that is to be read the model of replies is loaded
    _, headers, _ = post(gateway.url, SECRET)
    assert call(gateway.url + "/v1/quitbutton/conversations/conv_nope")[0] == 404
    told: list[dict[str, Any]] = [json.loads(line) for line in lines(gateway, 4, "404")]
    chat = next(one for one in told if one.get("id") == headers["x-quitbutton-request-id"])
    assert chat["route"] == "/v1/chat/completions"
    assert (chat["status"], chat["decision"], chat["state"], chat["mode"]) == (200, "redirect", "redirected", "enforce")
    assert chat["ms"] > 200 > chat["added_ms"] > 0
    other = next(one for one in told if one["status"] == 404)
    assert other["route"] == "/v1/quitbutton/conversations/{conversation}", (
        "the path as the route has it, without its id"
    )
    everything = gateway.log.read_text("utf-8")
    assert "garbage" not in everything
    served = [json.loads(line) for line in everything.splitlines() if '"quitbutton.server"' in line]
    assert any("serving" in one["message"] for one in served)


def test_text_lines_and_none_below_the_level(start_gateway: Callable[..., Running], fresh: Provider) -> None:
    gateway = start_gateway("--upstream", fresh.url, "--assessor", "scripted", "--log-level", "info")
    post(gateway.url, SECRET)
    line = next(line for line in lines(gateway, 2, "/v1/chat") if "/v1/chat" in line)
    assert " INFO quitbutton.requests: request id=req_" in line
    assert " status=200 " in line
    assert " decision=redirect " in line
    quiet = start_gateway("--upstream", fresh.url, "--assessor", "scripted")
    post(quiet.url, SECRET)
    assert "quitbutton.requests" not in quiet.log.read_text("utf-8")


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    one = logging.getLogger()
    before = (one.handlers[:], one.level)
    yield one
    one.handlers[:] = before[0]
    one.setLevel(before[1])


def test_a_log_that_nobody_takes_stops_nobody(root: logging.Logger, tmp_path: Path) -> None:
    listener = logs.begin("json", "info")
    listener.stop()  # nobody writes any more
    began = time.monotonic()
    for number in range(logs.MOST + 500):
        root.info("line %d", number)
    assert time.monotonic() - began < 5
    assert root.handlers[0].dropped == 500  # type: ignore[attr-defined]
