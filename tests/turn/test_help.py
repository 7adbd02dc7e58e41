"""Somebody in a crisis is told where help is in every state: on a locked branch, with a full disk, without a store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from quitbutton.core.counting import REFERRED, counted_as
from quitbutton.core.errors import StoreFailed
from quitbutton.core.ladder.policy import Policy, Speaker
from quitbutton.core.notices import ENGLISH
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from tests.docs.test_convention import SCHEMA
from tests.play import Ear, say
from tests.protocols.chat import ChatCompletions
from tests.protocols.play import ProtocolPlay
from tests.turn.test_background import ENDING, PROTOCOLS, ended

WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
SIGNS = pytest.mark.parametrize("text", ["[crisis] I cannot go on", "[possible] nothing matters"])
Breaks = Callable[[SQLite], object]


def is_full(database: SQLite) -> None:
    """It is read and not written, as on a full or read-only disk."""
    for connection in (database._near, database._writer):
        connection.execute("PRAGMA query_only = 1")


def is_gone(database: SQLite) -> None:
    """It is neither read nor written."""
    database._near.close()
    database._writer.close()


def is_well(ear: Ear, stream: bool) -> None:
    """A reply of the client's protocol, with all that the client waits for at its end."""
    assert ear.status == 200
    assert ear.is_stream is stream


@PROTOCOLS
@WAYS
@SIGNS
def test_help_on_a_locked_branch(protocol: Any, stream: bool, text: str) -> None:
    async def scene() -> None:
        play = await ended(protocol, [], stream)
        before = list(play.said)
        ear = await play.talks(text)
        is_well(ear, stream)
        told = protocol.text(ear)
        assert told.startswith(ENGLISH.support)
        assert "findahelpline" in str(protocol.note(ear)["support"])
        assert (play.state(ear), protocol.note(ear)["decision"]) == ("ended", "support")
        jsonschema.validate(protocol.note(ear), SCHEMA)
        assert len(play.upstream.sent) == len(ENDING), "the lock holds: the model is not asked"
        event = (await play.store.events(protocol.note(ear)["conversation"]))[-1]
        assert (event["kind"], event["verdict"]["label"]) == ("turn.refuse", "crisis")
        assert counted_as(event["kind"], event) == ["refused", REFERRED]
        play.said = [*before, ("user", "thank you")]
        assert (await play.sends_body(protocol.request(play.said))).status == 400

    asyncio.run(scene())


@PROTOCOLS
@WAYS
@pytest.mark.parametrize("speaker", list(Speaker))
def test_help_with_a_full_disk(protocol: Any, stream: bool, speaker: Speaker, tmp_path: Path, caplog: Any) -> None:
    async def scene() -> None:
        database = SQLite(tmp_path / "store.sqlite3")
        store = SQLStore(database)
        policy = Policy(assist=speaker is Speaker.GATEWAY, speaker=speaker)
        play = ProtocolPlay(protocol, [say("Hello."), say("I am here."), say("4")], policy, stream=stream, store=store)
        await play.talks("hello")
        is_full(database)
        ear = await play.talks("[crisis] I cannot go on")
        is_well(ear, stream)
        own = speaker is Speaker.GATEWAY
        assert protocol.text(ear).startswith(ENGLISH.support if own else "I am here.")
        assert protocol.note(ear)["support"]["resources"]
        assert protocol.note(ear)["recorded"] is False
        assert len(play.upstream.sent) == 1 + (not own)
        with pytest.raises(StoreFailed):
            await play.talks("what is 2 + 2")

    asyncio.run(scene())
    (told,) = [record for record in caplog.records if "not on record" in record.message]
    assert told.levelno >= logging.WARNING, "at the default level"
    assert "cannot go on" not in told.message


@PROTOCOLS
@WAYS
@SIGNS
def test_help_without_a_store(protocol: Any, stream: bool, text: str, tmp_path: Path, caplog: Any) -> None:
    async def scene() -> None:
        database = SQLite(tmp_path / "store.sqlite3")
        play = ProtocolPlay(protocol, [say("Hello.")], stream=stream, store=SQLStore(database))
        await play.talks("hello")
        is_gone(database)
        ear = await play.talks(text)
        is_well(ear, stream)
        assert protocol.text(ear).startswith(ENGLISH.support)
        assert protocol.note(ear)["support"]["resources"]
        assert (protocol.note(ear)["state"], protocol.note(ear)["recorded"]) == ("unknown", False)
        jsonschema.validate(protocol.note(ear), SCHEMA)
        assert set(protocol.note(ear)) <= set(SCHEMA["properties"]), "every member that we send is described"
        assert len(play.upstream.sent) == 1, "nobody knows whether the branch is locked: the model is not asked"
        with pytest.raises(StoreFailed):
            await play.talks("what is 2 + 2")

    asyncio.run(scene())
    assert [record.name for record in caplog.records] == ["quitbutton.turns"]


@pytest.mark.parametrize("breaks", [None, is_full, is_gone])
def test_a_client_that_waits_for_json_gets_help_in_its_error(breaks: Breaks | None, tmp_path: Path) -> None:
    async def scene() -> None:
        database = SQLite(tmp_path / "store.sqlite3")
        play = await ended(ChatCompletions(), [], store=SQLStore(database))
        if breaks is not None:
            breaks(database)
        ear = await play.talks("[crisis] I cannot go on", response_format={"type": "json_object"})
        error = ear.whole["error"]
        assert (ear.status, error["code"]) == (
            (400, "conversation_ended") if breaks is None else (503, "store_unavailable")
        )
        assert error["message"].startswith(ENGLISH.support)
        assert len(error["message"]) <= 300
        assert error["quitbutton"]["support"]["resources"]
        assert error["quitbutton"].get("recorded", True) is (breaks is None)

    asyncio.run(scene())


@PROTOCOLS
@WAYS
def test_help_where_another_request_ends_the_branch_meanwhile(protocol: Any, stream: bool) -> None:
    async def scene() -> None:
        play = ProtocolPlay(protocol, [*ENDING, say("I am here.")], stream=stream)
        for number in range(3):
            await play.talks(f"[abuse] number {number}")
        history = [*play.said, ("user", "[abuse] number 3"), ("assistant", "..."), ("user", "[crisis] I cannot go on")]
        marks, heard = play.store.marks, []

        async def ended_meanwhile(branch: Any) -> Any:
            found = await marks(branch)
            play.store.marks = marks  # type: ignore[method-assign]
            heard.append(await play.talks("[abuse] number 3"))
            return found

        play.store.marks = ended_meanwhile  # type: ignore[method-assign]
        ear = await play.sends_body(protocol.request(history))
        assert (play.state(heard[0]), play.state(ear)) == ("ended", "ended")
        is_well(ear, stream)
        assert ENGLISH.support in protocol.text(ear)
        assert protocol.note(ear)["support"]["resources"]

    asyncio.run(scene())
