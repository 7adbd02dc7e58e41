"""A stopped turn whose receipt the store does not take: the client hears of the turn, which is on record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.inside import CHAT, HELLO, Inside, inside, keyed

from quitbutton.core.errors import StoreFailed
from quitbutton.gateway.services import Turns
from quitbutton.stores.sql import SQLStore
from quitbutton.upstreams.scripted import Line, ScriptedUpstream


def test_a_receipt_that_is_not_kept_is_no_failure_of_the_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    turns = Turns()

    async def fails(*_: object) -> None:
        raise StoreFailed("Nothing was counted; try again.")

    def stops(request: dict[str, Any]) -> Line:
        for turn in turns.running.values():
            turn.stop("user")
        return Line("Hi.", delay=5)

    async def scene(gateway: Inside) -> None:
        told = await gateway.ask("POST", "/v1/chat/completions", HELLO, CHAT)
        assert (told.status_code, told.json()["error"]["code"]) == (400, "stopped")

    monkeypatch.setattr("quitbutton.gateway.app.Turns", lambda: turns)
    monkeypatch.setattr(SQLStore, "put_receipt", fails)
    inside(keyed(tmp_path), scene, upstream=ScriptedUpstream(stops))
    assert len(turns.finished) == 1
