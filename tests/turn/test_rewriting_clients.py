"""Clients that wrap, cut or fold their histories climb the ladder like others; whose chat is fresh starts fresh."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quitbutton.core.rules import LockedReply, Policy
from quitbutton.stores.database import Database
from quitbutton.stores.postgres import Postgres
from quitbutton.stores.rights import Rights
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.upstreams.scripted import Line, press
from tests.play import Ear, Message, Play
from tests.turn import rewriting_clients as clients
from tests.turn.rewriting_clients import CLIENTS, Said, bot, user

Client = Callable[[Said, str], list[Message]]
A = "[abuse] you again, for the time number"
NAMED: dict[str, Any] = {"headers": {"x-quitbutton-conversation": "chat-1"}}
ADA: dict[str, Any] = {"user": "ada"}
WHO = {"id": NAMED, "end user": ADA, "both": {**NAMED, **ADA}}
LADDER = ["redirected", "redirected", "warned", "ended"]
READS = ("transcript", "transcript_from_the_second")


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest) -> Iterator[Database]:
    is_sqlite = request.param == "sqlite"
    one: Database = SQLite(":memory:") if is_sqlite else Postgres(request.getfixturevalue("postgres").new(), connections=2)
    yield one
    one.close()


class Chat:
    """One chat of a client, over a gateway that others may share."""

    def __init__(self, play: Play, client: Client, who: dict[str, Any]) -> None:
        self.play, self.client, self.who = play, client, who
        self.said: list[tuple[str, str]] = []

    async def says(self, text: str) -> Ear:
        """The next message; its reply goes into what was said."""
        ear = await self.again(text)
        if ear.status == 200:
            self.said.append((text, ear.text))
        return ear

    async def again(self, text: str) -> Ear:
        """A message whose reply is thrown away."""
        return await self.play.sends(self.client(self.said, text), **self.who)

    async def climbs(self) -> list[str]:
        return [(await self.says(f"{A} {turn}")).state for turn in range(4)]


def model() -> Callable[[dict[str, Any]], Line]:
    """Presses on abuse wherever it may; else says something new each time."""
    count = 0

    def answer(body: dict[str, Any]) -> Line:
        nonlocal count
        count += 1
        newest = next(one["content"] for one in reversed(body["messages"]) if one["role"] == "user")
        text = newest if isinstance(newest, str) else newest[-1]["text"]
        offered = any(one["function"]["name"] == "end_conversation" for one in body.get("tools", ()))
        if offered and A in text and count > 2:
            return press(text=f"I will not be spoken to like that, for reason {count}.")
        return Line(f"Let us rather speak of rice, variety {count}.\nWhich one do you cook?")

    return answer


def play(database: Database | None = None, **policy: Any) -> Play:
    return Play(model(), policy=Policy(reflect=False, **policy), store=SQLStore(database or SQLite(":memory:")))


def run(scene: Any) -> Any:
    return asyncio.run(scene)


@pytest.mark.parametrize("who", WHO.values(), ids=WHO)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_the_ladder_climbs_and_the_lock_holds(client: Client, who: dict[str, Any], opened: Database) -> None:
    async def scene() -> None:
        chat = Chat(play(opened), client, who)
        assert await chat.climbs() == LADDER
        assert [(await chat.again(text)).status for text in ("hello?", "are you there?")] == [400, 400]

    run(scene())
