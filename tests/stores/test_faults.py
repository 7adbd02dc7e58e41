"""A store that fails under a running gateway: help in a crisis, a line in the log, not ready; and well again afterwards."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from quitbutton.cli.main import main
from quitbutton.core.errors import StoreFailed
from quitbutton.core.notices import ENGLISH
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from tests.conftest import Running
from tests.gateway.inside import CHAT, Inside, inside, keyed
from tests.gateway.test_rights_api import call
from tests.observing import until_ready
from tests.upstream import Provider

CRISIS = "[crisis] I cannot go on"
BODIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "/v1/chat/completions": lambda text: {"messages": [{"role": "user", "content": text}]},
    "/v1/messages": lambda text: {"messages": [{"role": "user", "content": text}], "max_tokens": 9},
    "/v1/responses": lambda text: {"input": text},
}


def ask(gateway: Running, path: str, text: str, **more: Any) -> httpx.Response:
    return httpx.post(gateway.url + path, json={"model": "m", **BODIES[path](text), **more}, timeout=20)


def records(gateway: Running) -> bool:
    """Whether a turn is taken."""
    return ask(gateway, "/v1/chat/completions", f"hello {os.urandom(4).hex()}").status_code == 200


@pytest.fixture
def alone(start_gateway: Callable[..., Running], fresh: Provider) -> Running:
    """A gateway whose store may be broken."""
    gateway = start_gateway("--upstream", fresh.url, "--assessor", "scripted")
    until_ready(gateway)
    assert records(gateway)
    return gateway


def store_of(gateway: Running) -> Path:
    return gateway.data / "quitbutton.sqlite3"


def test_a_disk_that_is_full_and_has_room_again(alone: Running) -> None:
    """No file of the process may grow, which is what a full disk is to it."""
    room = resource.prlimit(alone.process.pid, resource.RLIMIT_FSIZE)
    log_size = alone.log.stat().st_size + 20_000
    resource.prlimit(alone.process.pid, resource.RLIMIT_FSIZE, (min(log_size, 4096), room[1]))
    refused = ask(alone, "/v1/chat/completions", "hello again")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
    for path in BODIES:
        for stream in (False, True):
            answer = ask(alone, path, CRISIS, stream=stream)
            assert answer.status_code == 200
            assert '"support"' in answer.text
    status, told = call(alone.url + "/readyz")
    assert (status, told["store"]) == (503, "failed")  # type: ignore[index]
    assert call(alone.url + "/livez")[0] == 200
    resource.prlimit(alone.process.pid, resource.RLIMIT_FSIZE, room)
    until_ready(alone)
    assert records(alone)
    said = alone.log.read_text()
    assert "the store does not take what is written" in said
    assert "help was given in a crisis that is not on record" in said
    assert "takes what is written again" in said


@pytest.mark.parametrize("fault", ["deleted", "replaced", "log deleted"])
def test_a_file_that_is_deleted_or_replaced_while_it_is_open(alone: Running, fault: str) -> None:
    file, log = store_of(alone), Path(f"{store_of(alone)}-wal")
    if fault == "replaced":
        shutil.copy(file, file.with_suffix(".copy"))
        os.replace(file.with_suffix(".copy"), file)
    else:
        (log if fault == "log deleted" else file).unlink()
    assert call(alone.url + "/readyz")[0] == 503
    refused = ask(alone, "/v1/chat/completions", "hello again")
    assert refused.status_code == 503
    assert "was deleted or replaced" in refused.json()["error"]["message"]
    helped = ask(alone, "/v1/chat/completions", CRISIS)
    assert helped.status_code == 200
    assert helped.json()["quitbutton"]["support"]["resources"]
    assert "was deleted or replaced" in alone.log.read_text()


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder with a store in it, where this process may only read."""
    folder = Path(tempfile.mkdtemp())
    SQLStore(SQLite(folder / "a.sqlite3")).close()
    (folder / "a.sqlite3").chmod(0o444)
    folder.chmod(0o777)
    was = os.geteuid()
    gc.collect()  # what others left behind is theirs to close
    if was == 0:  # root may write everywhere
        os.seteuid(65534)
    yield folder
    os.seteuid(was)
    folder.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)  # a store may still be closing


@pytest.mark.parametrize(("name", "folder_mode"), [("a.sqlite3", 0o777), ("a.sqlite3", 0o555), ("b.sqlite3", 0o555)])
def test_a_store_that_may_not_be_written_is_a_clear_error_at_the_start(
    closed: Path, name: str, folder_mode: int, capsys: Any
) -> None:
    """The file may not be written, nor its folder be added to, nor a new file be made in it."""
    if folder_mode == 0o555:
        os.seteuid(closed.stat().st_uid)
        closed.chmod(folder_mode)
        os.seteuid(65534 if closed.stat().st_uid == 0 else os.getuid())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUITBUTTON_STORE", str(closed / name))
        patch.chdir("/")
        assert main(["serve", "--upstream", "http://127.0.0.1:9/v1", "--assessor", "scripted"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("quitbutton: Cannot ")
    assert f"the SQLite file {closed / name}" in said
    assert "rights" in said


def test_a_database_that_turns_read_only_is_not_ready(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        await gateway.ask("POST", "/v1/chat/completions", {"model": "m", **BODIES["/v1/messages"]("hi")}, CHAT)
        database: Any = gateway.app.services.guard.store._database.inner  # type: ignore[union-attr]
        connections: list[sqlite3.Connection] = [database._near, database._writer]
        for one in connections:
            one.execute("PRAGMA query_only = 1")
        body = {"model": "m", **BODIES["/v1/chat/completions"](CRISIS)}
        helped = await gateway.ask("POST", "/v1/chat/completions", body, CHAT)
        assert helped.status_code == 200
        assert helped.json()["choices"][0]["message"]["content"].startswith(ENGLISH.support)
        assert (await gateway.ask("GET", "/readyz")).status_code == 503
        for one in connections:
            one.execute("PRAGMA query_only = 0")
        assert (await gateway.ask("GET", "/readyz")).json()["store"] == "ok"

    inside(keyed(tmp_path), scene)


def test_a_caller_whose_key_cannot_be_looked_up_is_told_where_help_is(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        made = await gateway.make("app", "chat")
        key, path = made["secret"], "/v1/chat/completions"
        body = {"model": "m", **BODIES[path](CRISIS)}
        assert (await gateway.ask("POST", path, body, key)).status_code == 200
        await gateway.ask("DELETE", f"/v1/quitbutton/keys/{made['id']}", key="operator-key-0001")
        database: Any = gateway.app.services.guard.store._database.inner  # type: ignore[union-attr]
        database._near.close()
        helped = await gateway.ask("POST", path, body, key)
        assert (helped.status_code, helped.json()["quitbutton"]["state"]) == (200, "unknown")
        assert helped.json()["choices"][0]["message"]["content"].startswith(ENGLISH.support)
        for who, text in ((key, "hello"), ("a-key-never-seen-here", CRISIS)):
            refused = await gateway.ask("POST", path, {"model": "m", **BODIES[path](text)}, who)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")

    inside(keyed(tmp_path), scene)


def test_a_writer_that_fails_answers_everybody(tmp_path: Path) -> None:
    """The thread of a connection that fails in every statement still answers each write, and never leaves one waiting."""
    database = SQLite(tmp_path / "a.sqlite3")
    SQLStore(database)
    database._writer.close()

    async def scene() -> None:
        for _ in range(2):
            with pytest.raises(StoreFailed):
                await asyncio.wait_for(database.write(lambda one: one.execute("SELECT 1"), durable=True), 5)

    asyncio.run(scene())
    database.close()
