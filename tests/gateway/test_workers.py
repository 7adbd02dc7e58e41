"""`--workers`: several processes behind one address; one that dies is replaced, a signal stops all in order."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Running
from tests.gateway.test_rights_api import Chat, presses
from tests.gateway.test_stop import api, open_request
from tests.upstream import Provider, stream, whole

from quitbutton.core.errors import SettingsError
from quitbutton.settings.installation import Settings

GIVEN = ("--assessor", "scripted", "--workers", "2")


def workers_of(gateway: Running) -> list[int]:
    text = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text()
    return [int(pid) for pid in text.split()]


def test_an_end_holds_at_every_worker(start_gateway: Callable[..., Running], fresh: Provider) -> None:
    fresh.answer = presses
    gateway = start_gateway("--upstream", fresh.url, *GIVEN)
    assert len(workers_of(gateway)) == 2
    user = Chat(gateway.url, "ada")
    end = user.is_ended()["end_id"]
    for _ in range(12):  # each from a connection of its own, so that both are met
        later = Chat(gateway.url, "ada")
        later.messages = list(user.messages)
        status, refused = later.says("go on")
        assert (status, refused["error"]["quitbutton"]["end_id"]) == (400, end)


def test_a_stop_reaches_whichever_worker_answers(start_gateway: Callable[..., Running], fresh: Provider) -> None:
    fresh.answer = lambda seen: stream(*["word "] * 400, delay=0.02)
    gateway = start_gateway("--upstream", fresh.url, *GIVEN)
    for number in range(6):  # by chance half of these are asked of the other one
        connection = open_request(gateway, f"stop {number}", True, max_tokens=500)
        answer = connection.getresponse()
        request_id = answer.getheader("x-quitbutton-request-id")
        status, receipt = api(gateway, "POST", f"/v1/quitbutton/stop/{request_id}")
        assert (status, receipt["stopped_by"]) == (200, "user")
        assert answer.read().rstrip().endswith(b"data: [DONE]")
        connection.close()
    assert api(gateway, "POST", "/v1/quitbutton/stop/req_unknown")[0] == 404


def test_a_worker_that_dies_is_replaced_and_a_signal_stops_all(
    start_gateway: Callable[..., Running], fresh: Provider
) -> None:
    fresh.answer = lambda seen: whole()
    gateway = start_gateway("--upstream", fresh.url, *GIVEN)
    before = workers_of(gateway)
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 20
    while (now := workers_of(gateway)) == before or len(now) < 2:
        assert time.monotonic() < deadline, now
        time.sleep(0.05)
    assert Chat(gateway.url, "bob").says("hello")[0] == 200
    gateway.process.terminate()
    assert gateway.process.wait(20) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in now)


@pytest.mark.parametrize("settings", [{"store": ":memory:"}, {"upstream": None}], ids=["memory", "embedded"])
def test_workers_need_what_they_share(settings: dict[str, str | None]) -> None:
    with pytest.raises(SettingsError, match="Several workers need"):
        Settings(**{"workers": 2, "upstream": "http://127.0.0.1:1", **settings})  # type: ignore[arg-type]
