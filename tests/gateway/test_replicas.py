"""Two gateways on one PostgreSQL, nothing else shared: what one was told holds at the other at once."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Running
from tests.gateway.test_crash import Acknowledged, check_promises, climb
from tests.gateway.test_passthrough import post
from tests.gateway.test_rights_api import A, Chat, call, presses
from tests.postgres import Server
from tests.turn.test_story import lines_of
from tests.upstream import Provider, press, whole

from quitbutton.cli.main import main

BODY = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'


@pytest.fixture(scope="module")
def config(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that both have."""
    file = tmp_path_factory.mktemp("replicas") / "quitbutton.toml"
    file.write_text(f'store = "{postgres.new()}"\naudit_key = "{"A" * 43}="\naudit_trust_store = true\n')
    return file


@pytest.fixture(scope="module")
def replicas(start_gateway: Callable[..., Running], provider: Provider, config: Path) -> Iterator[list[Running]]:
    given = ("--upstream", provider.url, "--assessor", "scripted", "--config", str(config))
    made = [start_gateway(*given) for _ in range(2)]
    yield made
    for one in made:
        one.stop()


def test_an_end_at_one_holds_at_the_other_and_so_does_an_upheld_appeal(
    replicas: list[Running], fresh: Provider
) -> None:
    fresh.answer = presses
    one, other = replicas
    for number in range(5):
        user = Chat(one.url, f"ada-{number}")
        note = user.is_ended()
        there = Chat(other.url, f"ada-{number}")
        there.messages = list(user.messages)
        status, refused = there.says("go on")
        assert (status, refused["error"]["quitbutton"]["end_id"]) == (400, note["end_id"])
        api = f"{other.url}/v1/quitbutton"
        filed: Any = call(f"{api}/ends/{note['end_id']}/appeal", {"text": "A quotation."})[1]
        assert call(f"{api}/appeals/{filed['id']}/decision", {"outcome": "upheld", "reason": "So it was."})[0] == 200
        status, reply = user.says("Let us go on")
        assert (status, reply["quitbutton"]["state"]) == (200, "open")


def test_ends_at_both_at_once_are_one(replicas: list[Running], fresh: Provider) -> None:
    fresh.answer = presses
    for number in range(5):
        users = [Chat(one.url, f"bob-{number}") for one in replicas]
        for turn in range(3):
            users[0].says(f"{A} {turn}")
        users[1].messages = list(users[0].messages)
        with ThreadPoolExecutor() as threads:
            told = list(threads.map(lambda one: one.says(f"{A} last"), users))
        notes = [body.get("quitbutton") or body["error"]["quitbutton"] for _, body in told]
        assert {note["state"] for note in notes} == {"ended"}
        assert len({note["end_id"] for note in notes}) == 1


def test_killed_under_load_its_promises_hold_at_the_other(replicas: list[Running], fresh: Provider) -> None:
    fresh.answer = lambda seen: press(False) if '"end_conversation"' in seen.body.decode() else whole()
    one, other = replicas
    kept = 0
    for round_ in range(5):
        known, stopped = Acknowledged(), threading.Event()
        clients = [threading.Thread(target=climb, args=(one, known, stopped)) for _ in range(4)]
        for client in clients:
            client.start()
        time.sleep(0.1 + round_ / 20)
        one.kill()
        stopped.set()
        for client in clients:
            client.join()
        check_promises(other, known)
        kept += len(known.warned) + len(known.ended)
        one.restart()
    assert kept > 5, "the kills came when warnings and ends stood"


def test_their_trail_is_one_and_sound(
    replicas: list[Running], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines_of(replicas[0])
    assert main(["audit", "check", "--config", str(config), "--data", str(replicas[1].data)]) == 0
    assert capsys.readouterr().out.startswith("sound: ")


def test_a_revoked_key_is_out_at_both_at_once(
    replicas: list[Running], fresh: Provider, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--config", str(config))
    assert main(["keys", "create", "shop", *given]) == 0
    token = re.search(r"qb_\S+", capsys.readouterr().out)[0]
    key = {"authorization": f"Bearer {token}"}
    assert [post(one.url, BODY, key)[0] for one in replicas] == [200, 200]
    assert main(["keys", "list", *given]) == 0
    assert main(["keys", "revoke", re.search(r"key_\S+", capsys.readouterr().out)[0], *given]) == 0
    begun = time.monotonic()
    assert [post(one.url, BODY, key)[0] for one in replicas] == [401, 401]
    assert time.monotonic() - begun < 1
