"""Killed with SIGKILL under load, thirty times: it restarts consistent, and no acknowledged warning or end is lost."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from tests.conftest import Running
from tests.gateway.test_passthrough import post
from tests.upstream import Provider, Reply, Seen, press, whole

KILLS = 30
CLIENTS = 4


@dataclass
class Acknowledged:
    """What clients were told before the kill."""

    warned: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    ended: dict[str, tuple[list[dict[str, str]], str]] = field(default_factory=dict)


def send(gateway: Running, user: str, messages: list[dict[str, str]]) -> tuple[int, dict]:
    body = json.dumps({"model": "m", "messages": messages, "safety_identifier": user}).encode()
    status, _, got = post(gateway.url, body)
    return status, json.loads(got)


def climb(gateway: Running, known: Acknowledged, stopped: threading.Event) -> None:
    """One client after another climbs the ladder, until the gateway is gone."""
    while not stopped.is_set():
        user, messages = uuid.uuid4().hex, []
        for turn in range(4):
            messages = [*messages, {"role": "user", "content": f"[abuse] {turn}"}]
            try:
                status, body = send(gateway, user, messages)
            except Exception:  # cut off in the middle of anything
                return
            if status != 200:
                return
            note = body["quitbutton"]
            if note["state"] == "warned":
                known.warned[user] = messages
            if note["state"] == "ended":
                known.warned.pop(user, None)
                known.ended[user] = (messages, note["end_id"])


def check_file(gateway: Running) -> None:
    with sqlite3.connect(gateway.data / "quitbutton.sqlite3") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        orphans = "SELECT COUNT(*) FROM turns WHERE end_id IS NOT NULL AND end_id NOT IN (SELECT id FROM ends)"
        assert db.execute(orphans).fetchone() == (0,)
        lost = "SELECT COUNT(*) FROM ends WHERE address NOT IN (SELECT address FROM turns WHERE rung = 'ended')"
        assert db.execute(lost).fetchone() == (0,)
        headless = "SELECT COUNT(*) FROM conversations WHERE head NOT IN (SELECT address FROM turns)"
        assert db.execute(headless).fetchone() == (0,)
        ends, events = (
            db.execute(f"SELECT COUNT(*) FROM {what}").fetchone() for what in ("ends", "events WHERE kind = 'turn.end'")
        )
        assert ends == events, "a turn and its event are written together"


def check_promises(gateway: Running, known: Acknowledged) -> None:
    for user, (messages, end_id) in known.ended.items():
        status, body = send(gateway, user, [*messages, {"role": "user", "content": "hello"}])
        assert status == 400
        assert body["error"]["quitbutton"]["end_id"] == end_id
    for user, messages in known.warned.items():
        status, body = send(gateway, user, [*messages, {"role": "user", "content": "[abuse] after the crash"}])
        assert (status, body["quitbutton"]["state"]) == (200, "ended"), "the warning still stands"


@pytest.mark.slow
def test_nothing_acknowledged_is_lost(start_gateway: Callable[..., Running], fresh: Provider) -> None:
    def answer(seen: Seen) -> Reply:
        offered = any(tool["function"]["name"] == "end_conversation" for tool in seen.json.get("tools", ()))
        return press(False) if offered else whole()

    fresh.answer = answer
    gateway = start_gateway("--upstream", fresh.url, "--assessor", "scripted")
    dice = random.Random(7)
    warned = ended = 0
    for _ in range(KILLS):
        known, stopped = Acknowledged(), threading.Event()
        clients = [threading.Thread(target=climb, args=(gateway, known, stopped)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(dice.uniform(0.02, 0.25))
        gateway.kill()
        stopped.set()
        for client in clients:
            client.join()
        gateway.restart()
        check_file(gateway)
        check_promises(gateway, known)
        warned, ended = warned + len(known.warned), ended + len(known.ended)
    assert warned > KILLS / 5, "the kills came when warnings stood"
    assert ended > KILLS / 5
    gateway.stop()
