"""The database, its log and the keys are their owner's alone, whatever umask the process was started with."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quitbutton.audit.trail import audit_log_of
from quitbutton.settings.files import private_folder, tighten
from quitbutton.settings.installation import load
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from tests.play import Play, say


@pytest.fixture(params=[0o000, 0o022])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def lives(folder: Path) -> SQLStore:
    settings = load(None, {}, data=folder)
    store = SQLStore(SQLite(settings.store_path))

    async def scene() -> None:
        await Play([say("Hi.")], store=store).says("hello")
        await audit_log_of(settings, store._database).append(1.0)

    asyncio.run(scene())
    return store


@pytest.mark.usefixtures("umask")
def test_what_is_made_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    store = lives(folder)
    try:
        files = {one.name: mode(one) for one in folder.iterdir()}
        names = [
            "quitbutton.sqlite3",
            "quitbutton.sqlite3-wal",
            "quitbutton.sqlite3-shm",
            "audit.key",
            "audit-head.note",
        ]
        assert files == dict.fromkeys(names, 0o600)
        assert [mode(one) for one in (folder, folder.parent)] == [0o700, 0o700]
    finally:
        store.close()


def test_files_that_were_open_to_others_are_tightened_and_folders_of_others_left(tmp_path: Path) -> None:
    lives(tmp_path).close()
    tmp_path.chmod(0o755)
    for one in tmp_path.iterdir():
        one.chmod(0o664)
    store = lives(tmp_path)
    try:
        assert {mode(one) for one in tmp_path.iterdir()} == {0o600}
        assert mode(tmp_path) == 0o755
    finally:
        store.close()


def test_a_file_that_cannot_be_tightened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "a"
    file.touch(0o644)

    def refuses(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuses)
    tighten(file)
    assert "(mode 644), and it is not ours to change" in caplog.text


def test_settings_with_keys_that_others_may_read_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "quitbutton.toml"
    for text, is_secret in (
        ('port = 8000\nstore = "postgresql://user@host/name"', False),
        ('upstream_key = "k"', True),
        ('store = "postgresql://user:word@host/name"', True),
    ):
        caplog.clear()
        file.write_text(text)
        file.chmod(0o644)
        load(file, {})
        assert ("chmod 600" in caplog.text) is is_secret
        file.chmod(0o600)
        caplog.clear()
        load(file, {})
        assert not caplog.text


def test_a_command_that_makes_a_database_makes_it_private(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "quitbutton", "keys", "list", "--data", str(tmp_path / "d")]
    before = os.umask(0)
    try:
        subprocess.run(command, check=True, capture_output=True)
    finally:
        os.umask(before)
    assert {one.name: oct(mode(one)) for one in (tmp_path / "d").iterdir()} == {"quitbutton.sqlite3": "0o600"}
    assert mode(tmp_path / "d") == 0o700


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o755)
    private_folder(tmp_path / "theirs" / "ours")
    assert [mode(tmp_path / "theirs"), mode(tmp_path / "theirs" / "ours")] == [0o755, 0o700]
