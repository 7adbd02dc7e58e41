"""Liveness and readiness are two questions: a store that is away drains a gateway, it restarts none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quitbutton.core.errors import StoreFailed
from quitbutton.stores.postgres import CONNECTIONS
from tests.conftest import Running
from tests.gateway.inside import Inside, inside, keyed
from tests.gateway.test_rights_api import call
from tests.observing import until_ready
from tests.observing.test_metrics import read
from tests.postgres import Server


def test_a_gateway_that_runs_is_ready_and_tells_no_setting(guarded: Running) -> None:
    until_ready(guarded)
    assert call(guarded.url + "/readyz") == (
        200,
        {"ready": True, "store": "ok", "assessor": "ready", "stopping": False, "audit": "ok"},
    )
    assert call(guarded.url + "/livez") == (200, {"status": "ok"})
    assert set(call(guarded.url + "/healthz")[1]) == {"status", "version"}


@pytest.mark.parametrize("fault", ["fails", "hangs"])
def test_a_store_that_does_not_answer_is_not_ready_within_a_second_but_alive(tmp_path: Path, fault: str) -> None:
    async def ping() -> None:
        if fault == "fails":
            raise StoreFailed("away, at postgresql://secret@db.example.org")
        await asyncio.sleep(60)

    async def scene(gateway: Inside) -> None:
        store: Any = gateway.app.services.guard.store
        store.ping = ping
        began = time.monotonic()
        answer = await gateway.ask("GET", "/readyz")
        assert (answer.status_code, time.monotonic() - began < 3) == (503, True)
        assert answer.json()["store"] == {"fails": "failed", "hangs": "slow"}[fault]
        assert "secret" not in answer.text
        assert (await gateway.ask("GET", "/livez")).status_code == 200
        if fault == "fails":
            assert (await gateway.ask("GET", "/healthz")).status_code == 503

    inside(keyed(tmp_path), scene)


def test_weights_that_are_not_loaded_yet_are_waited_for_and_ones_that_fail_stop_nobody(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        loading: Any = gateway.app._loading
        loading.state = "loading"
        assert (await gateway.ask("GET", "/readyz")).status_code == 503
        loading.state = "failed"
        answer = await gateway.ask("GET", "/readyz")
        assert (answer.status_code, answer.json()["assessor"]) == (200, "failed")
        gateway.app.room.is_stopping = True
        assert (await gateway.ask("GET", "/readyz")).status_code == 503

    inside(keyed(tmp_path), scene)


def test_the_local_assessor_is_loaded_before_the_first_message(start_gateway: Callable[..., Running]) -> None:
    gateway = start_gateway("--upstream", "http://127.0.0.1:9/v1")
    until_ready(gateway)
    assert call(gateway.url + "/readyz")[1]["assessor"] == "ready"  # type: ignore[index]


def test_a_postgres_that_stands_still_and_comes_back(start_gateway: Callable[..., Running], tmp_path: Path) -> None:
    server = Server()
    try:
        config = tmp_path / "quitbutton.toml"
        config.write_text(f'store = "{server.new()}"\n')
        given = ("--upstream", "http://127.0.0.1:9/v1", "--assessor", "scripted", "--config", str(config))
        gateway = start_gateway(*given)
        until_ready(gateway)
        told = read(gateway.url)
        assert told["quitbutton_store_connections"][(("state", "all"),)] == CONNECTIONS
        assert told["quitbutton_store_waiting"][()] == 0
        server.pause()
        try:
            assert call(gateway.url + "/readyz")[0] == 503
            assert call(gateway.url + "/livez")[0] == 200
        finally:
            server.resume()
        until_ready(gateway)
        gateway.stop()
    finally:
        server.close()
