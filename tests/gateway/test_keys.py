"""Keys over the wire: made, shown once, used, taken over, revoked on every replica at once."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.conftest import Running
from tests.gateway.inside import CHAT, HELLO, OPERATOR, Inside, inside, keyed
from tests.gateway.test_passthrough import post
from tests.upstream import Provider

from quitbutton.cli.main import main
from quitbutton.cli.serve import _greet as greet
from quitbutton.core.errors import SettingsError
from quitbutton.gateway.auth import check_exposure
from quitbutton.settings.installation import Settings
from quitbutton.stores.rights import Rights
from quitbutton.upstreams.scripted import Line, ScriptedUpstream

API = "/v1/quitbutton"
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'


def hello() -> ScriptedUpstream:
    return ScriptedUpstream(lambda sent: Line("Hello."))


def test_a_key_is_shown_once_and_opens_what_it_is_for(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        made = await gateway.make("shop", "chat", requests_per_minute=9, max_body=4096, expires_in="90d")
        assert re.fullmatch(r"qb_[\w-]{43}", made["secret"])
        assert made["id"].startswith("key_")
        assert (await gateway.ask("POST", "/v1/chat/completions", HELLO, made["secret"])).status_code == 200
        (listed,) = (await gateway.ask("GET", f"{API}/keys", key=OPERATOR)).json()["keys"]
        used = listed.pop("last_used_at")
        assert used is not None
        assert {**listed, "last_used_at": None} == {name: made[name] for name in made if name != "secret"}
        assert (listed["state"], listed["created_by"]) == ("active", "setting operator_keys")
        gone = await gateway.ask("DELETE", f"{API}/keys/{made['id']}", key=OPERATOR)
        assert gone.json()["state"] == "revoked"
        refused = await gateway.ask("POST", "/v1/chat/completions", HELLO, made["secret"])
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
        assert (await gateway.ask("DELETE", f"{API}/keys/key_x", key=OPERATOR)).status_code == 404

    inside(keyed(tmp_path), scene, upstream=hello())
    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"shop" in files
    assert b"qb_" not in files, "no key is at rest in clear"
    assert OPERATOR.encode() not in files


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "printable"),
        ({"name": "x", "role": "root"}, "role"),
        ({"name": "x", "requests_per_minute": 0}, "requests_per_minute"),
        ({"name": "x", "max_body": -1}, "max_body"),
        ({"name": "x", "policy": "none"}, "policies.none"),
        ({"name": "x", "expires_in": "soon"}, "90d"),
        ({"name": "x", "expires_in": "999999d"}, "3650"),
        ({"name": "x", "role": "auditor", "max_body": 9}, "role `chat`"),
        ({"name": "x", "wish": 1}, "wish"),
    ],
)
def test_a_wrong_wish_names_what_is_wrong(tmp_path: Path, given: dict[str, object], word: str) -> None:
    async def scene(gateway: Inside) -> None:
        answer = await gateway.ask("POST", f"{API}/keys", given, OPERATOR)
        assert (answer.status_code, word in answer.json()["error"]["message"]) == (400, True), answer.text

    inside(keyed(tmp_path), scene)


def test_a_key_that_moves_from_the_settings_into_the_store_keeps_its_conversations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    token = "a-key-of-the-settings"
    settings = keyed(tmp_path, f'store = "{tmp_path}/a.sqlite3"\n')
    wicked = {"model": "m", "messages": [{"role": "user", "content": "[abuse]"}]}

    async def turn(gateway: Inside) -> dict[str, str]:
        return (await gateway.ask("POST", "/v1/chat/completions", wicked, token)).json()["quitbutton"]

    before = inside(keyed(tmp_path, api_keys=(token,)), turn, upstream=hello())
    monkeypatch.setenv("MOVED", token)
    (tmp_path / "quitbutton.toml").write_text(f'store = "{tmp_path}/a.sqlite3"\n')
    assert main(["keys", "create", "moved", "--from-env", "MOVED"]) == 0
    after = inside(settings, turn, upstream=hello())
    assert before["conversation"] == after["conversation"]
    assert token not in capsys.readouterr().out
    monkeypatch.setenv("MOVED", "short")
    assert main(["keys", "create", "moved", "--from-env", "MOVED"]) == 1


def test_a_revoked_key_is_out_on_every_replica_at_once(
    start_gateway: Callable[..., Running],
    provider: Provider,
    fresh: Provider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "quitbutton.toml"
    config.write_text(f'store = "{tmp_path}/shared.sqlite3"\n')
    assert main(["keys", "create", "shop"]) == 0
    token = re.search(r"qb_\S+", capsys.readouterr().out)[0]
    key = {"authorization": f"Bearer {token}"}
    given = ("--upstream", provider.url, "--assessor", "scripted", "--config", str(config))
    replicas = [start_gateway(*given), start_gateway(*given)]
    for one in replicas:
        assert post(one.url, BODY, key)[0] == 200
        assert post(one.url, BODY)[0] == 401
    with httpx.Client(base_url=replicas[0].url, headers=key, trust_env=False) as client:
        assert client.get("/v1/models").status_code == client.post("/v1/embeddings", json={}).status_code == 200
    assert len(fresh.seen) == 4
    assert all("authorization" not in seen.headers for seen in fresh.seen), "our key stays here"
    assert main(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert token not in listed
    key_id = re.search(r"key_\S+", listed)[0]
    assert main(["keys", "revoke", key_id]) == 0
    begun = time.monotonic()
    assert [post(one.url, BODY, key)[0] for one in replicas] == [401, 401]
    assert time.monotonic() - begun < 1
    assert main(["keys", "revoke", "key_none"]) == 1


def test_a_failing_note_of_the_last_use_refuses_nobody(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        made = await gateway.make("shop", "chat")
        other = sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None)
        other.execute("CREATE TRIGGER full BEFORE UPDATE ON keys BEGIN SELECT RAISE(ABORT, 'full'); END")
        assert (await gateway.ask("POST", "/v1/chat/completions", HELLO, made["secret"])).status_code == 200
        other.close()

    inside(keyed(tmp_path), scene, upstream=hello())


def test_listening_to_others_needs_a_key_of_any_kind() -> None:
    with pytest.raises(SettingsError, match="quitbutton keys create"):
        check_exposure(Settings(host="0.0.0.0"))
    check_exposure(Settings(host="0.0.0.0"), has_keys=True)
    check_exposure(Settings(host="0.0.0.0", operator_keys=(OPERATOR,)))
    check_exposure(Settings(host="0.0.0.0", api_keys=(CHAT,)))


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"api_keys": ("a" * 20,), "operator_keys": ("a" * 20,)}, "keys of their own"),
        ({"operator_keys": ("short",)}, "16"),
        ({"requests_per_minute": -1}, "requests_per_minute"),
        ({"session_idle": 9.0, "session_lifetime": 8.0}, "session_idle"),
    ],
)
def test_wrong_settings_of_keys_say_what_is_wrong(given: dict[str, object], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        Settings(**given)


def test_the_start_says_who_may_come_in_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    for settings, has, said in (
        (Settings(), (False, False), (True, True)),
        (Settings(), (False, True), (True, False)),
        (Settings(), (True, True), (False, False)),
        (Settings(operator_keys=(OPERATOR,)), (False, False), (True, False)),
        (Settings(api_keys=(CHAT,)), (False, False), (False, False)),
        (Settings(host="0.0.0.0"), (False, True), (False, False)),
    ):
        greet(settings, *has)
        words = capsys.readouterr().out
        assert ("no API key is asked for" in words, "whoever is on this machine is the operator" in words) == said


def test_with_a_key_in_the_store_others_may_be_listened_to(
    start_gateway: Callable[..., Running], provider: Provider, fresh: Provider, tmp_path: Path
) -> None:
    config = tmp_path / "quitbutton.toml"
    config.write_text(f'store = "{tmp_path}/a.sqlite3"\nupstream = "{provider.url}"\nassessor = "scripted"\n')
    given = ("--config", str(config))
    serve = [sys.executable, "-m", "quitbutton", "serve", "--host", "0.0.0.0", "--port", "0", *given]
    refused = subprocess.run(serve, capture_output=True, text=True, timeout=60)
    assert (refused.returncode, "quitbutton keys create" in refused.stderr) == (1, True)
    assert main(["keys", "create", "ann", "--role", "operator", *given]) == 0
    running = start_gateway("--host", "0.0.0.0", *given)
    assert post(running.url, BODY)[0] == 401, "no chat key, and nobody chats without one here"
    assert fresh.seen == []


def test_an_operator_signs_in_over_a_real_connection(
    start_gateway: Callable[..., Running], provider: Provider, tmp_path: Path
) -> None:
    config = tmp_path / "quitbutton.toml"
    config.write_text(f'operator_keys = ["{OPERATOR}"]\n')
    running = start_gateway("--upstream", provider.url, "--assessor", "scripted", "--config", str(config))
    with httpx.Client(base_url=running.url, trust_env=False) as browser:
        assert browser.get(f"{API}/keys").status_code == 401
        token = browser.post(f"{API}/session", json={"key": OPERATOR}).json()["csrf_token"]
        assert browser.get(f"{API}/keys").json() == {"keys": []}
        made = browser.post(f"{API}/keys", json={"name": "shop"}, headers={"X-Quitbutton-Csrf": token})
        assert made.status_code == 201
        running.restart()
        assert len(browser.get(f"{API}/keys").json()["keys"]) == 1, "a session outlives a restart"
        browser.delete(f"{API}/session", headers={"X-Quitbutton-Csrf": token})
        assert browser.get(f"{API}/keys").status_code == 401


def test_a_key_may_say_whose_words_are_kept(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        kept = {}
        for retention in ("none", "exits", "all"):
            key = await gateway.make(f"keeps {retention}", "chat", retention=retention)
            assert key["retention"] == retention
            reply = (await gateway.ask("POST", "/v1/chat/completions", HELLO, key["secret"])).json()
            database = gateway.app._store._database
            kept[retention] = len(await Rights(database).words(reply["quitbutton"]["conversation"]))
        assert kept == {"none": 0, "exits": 0, "all": 2}

    inside(keyed(tmp_path), scene, upstream=hello())
