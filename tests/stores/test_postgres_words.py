"""What goes to PostgreSQL as it is: texts with NUL in them, URLs with passwords that nobody else hears of."""

from __future__ import annotations

import asyncio
import logging

import pytest

from quitbutton.core.errors import SettingsError, StoreFailed
from quitbutton.settings.installation import Settings
from quitbutton.stores.postgres import Postgres
from quitbutton.stores.sql import SQLStore
from tests.postgres import Server


@pytest.mark.parametrize("text", ["a\x00b", "\x1a", "\x1a0\x00\x1a1", "plain"])
def test_texts_come_back_as_they_were_kept(postgres: Server, text: str) -> None:
    """PostgreSQL has no NUL in its texts, people do."""

    async def scene() -> None:
        store = SQLStore(Postgres(postgres.new(), connections=1))
        await store.put_feedback("t", "about", "up", text, 1.0)
        rows = await store._database.read("SELECT text FROM feedback WHERE text = :text", {"text": text})
        assert [tuple(row) for row in rows] == [(text,)]
        store.close()

    asyncio.run(scene())


def said(error: BaseException | None) -> str:
    """What an error and those behind it say."""
    return "" if error is None else f"{error!r} {error} {said(error.__cause__ or error.__context__)}"


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:hunter22%zz@127.0.0.1:1/db", "postgresql://u:hunter22@127.0.0.1:1/db?nonsense=1"],
)
def test_a_url_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="no URL that PostgreSQL takes") as raised:
        Postgres(url)
    assert "hunter22" not in said(raised.value)


def test_no_password_is_told_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    database = Postgres("postgresql://u:hunter22@127.0.0.1:1/db", connections=1)
    with pytest.raises(StoreFailed) as raised:
        SQLStore(database)
    database.close()
    assert "hunter22" not in said(raised.value) + caplog.text


def test_settings_do_not_show_it() -> None:
    assert "hunter22" not in repr(Settings(store="postgresql://u:hunter22@h/db"))
