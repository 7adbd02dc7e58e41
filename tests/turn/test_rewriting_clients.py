"""Clients that wrap, cut or fold their histories climb the ladder like others; whose chat is fresh starts fresh."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quitbutton.core.ladder.policy import LockedReply, Policy, Speaker
from quitbutton.core.provenance import words_of
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


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest) -> Iterator[Database]:
    is_sqlite = request.param == "sqlite"
    one: Database = (
        SQLite(":memory:") if is_sqlite else Postgres(request.getfixturevalue("postgres").new(), connections=2)
    )
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


FRESH = ("Hello there.", "How do I cook rice?", "And how long does it take?")


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_fresh_chat_after_the_end_is_free(client: Client) -> None:
    """Also where it begins with words that were said on the ladder of the ended one."""

    async def scene() -> None:
        shared = play()
        ended = Chat(shared, client, ADA)
        texts = (f"{A} first", FRESH[0], f"{A} 0", f"{A} 1", f"{A} 2")
        assert [(await ended.says(text)).state for text in texts] == ["redirected", *LADDER]
        fresh = Chat(shared, client, ADA)
        assert [(await fresh.says(text)).state for text in FRESH] == ["open"] * 3
        assert (await ended.again("hello?")).status == 400, "the ended one is still locked"

    run(scene())


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_two_chats_of_one_end_user_climb_apart(client: Client) -> None:
    async def scene() -> None:
        shared = play()
        one, two = Chat(shared, client, ADA), Chat(shared, client, ADA)
        assert [(await one.says(f"{A} {turn}")).state for turn in range(3)] == LADDER[:3]
        assert (await two.says("What is rice?")).state == "open"
        assert (await two.says(f"{A} once")).state == "redirected"
        assert (await one.says(f"{A} 3")).state == "ended"
        ear = await two.says("Sorry. How do I cook it?")
        assert (ear.status, ear.state) == (200, "redirected")
        events = await shared.store.events(ear.note["conversation"])
        assert [one["after"]["redirections"] for one in events if one["message"] == ear.note["message"]] == [1]

    run(scene())


@pytest.mark.parametrize("policy", [{}, {"assist": True, "speaker": Speaker.GATEWAY}], ids=("model", "gateway"))
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_the_same_request_twice_counts_once(client: Client, policy: dict[str, Any]) -> None:
    """Also where every reply is the same text of the gateway's."""

    async def scene() -> None:
        chat = Chat(play(**policy), client, ADA)
        states = []
        for turn in range(4):
            await chat.again(f"{A} {turn}")
            states.append((await chat.says(f"{A} {turn}")).state or "locked")
        assert states[:3] == LADDER[:3]

    run(scene())


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_another_end_users_words_are_not_theirs(client: Client) -> None:
    async def scene() -> None:
        shared = play()
        chat = Chat(shared, client, ADA)
        await chat.climbs()
        chat.who = {"user": "bob"}
        ear = await chat.says("And now?")
        assert (ear.status, ear.state in ("open", "redirected")) == (200, True)

    run(scene())


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_crisis_holds_through_a_rewritten_history(client: Client) -> None:
    async def scene() -> None:
        chat = Chat(play(), client, ADA)
        await chat.says(f"{A} 0")
        assert "support" in (await chat.says("[crisis] I cannot go on like this any more")).note
        states = [(await chat.says(f"{A} {turn}")).state for turn in range(1, 5)]
        assert set(states) == {"redirected"}

    run(scene())


def test_a_chat_that_was_pasted_into_a_fresh_one_locks_nothing() -> None:
    """Somebody asks about a chat of theirs that was ended: that is a fresh chat, whatever the paste looks like."""

    async def scene() -> None:
        shared = play()
        ended = Chat(shared, lambda said, text: [*clients.history(said), user(text)], ADA)
        await ended.climbs()
        pasted = clients.transcript(ended.said, "Was that fair?")
        ear = await shared.sends(pasted, **ADA)
        assert ear.status == 200
        answered = await shared.sends([*pasted, bot(ear.text), user("Tell me more.")], **ADA)
        assert answered.status == 200

    run(scene())


def test_a_paste_of_a_transcript_client_locks_nothing() -> None:
    async def scene() -> None:
        shared = play()
        ended = Chat(shared, clients.transcript, ADA)
        await ended.climbs()
        lines = "\n".join(f"User: {asked}\nAssistant: {heard}" for asked, heard in ended.said)
        ear = await shared.sends([user(f"This chat was ended, why?\n{lines}\nWas that fair?")], **ADA)
        assert ear.status == 200

    run(scene())


def test_a_greeting_of_the_applications_is_no_cut_history() -> None:
    """Every chat begins with it, and once the model said the very same."""

    async def scene() -> None:
        greeting = "Hello! How can I help you with rice today?"
        shared = Play([Line("No, really."), Line(greeting), Line("Gladly."), Line("Boil it.")])
        opening = [bot(greeting), user(f"{A} once")]
        ear = await shared.sends(opening, **ADA)
        assert ear.state == "redirected"
        opening += [bot(ear.text), user("hello")]
        assert (await shared.sends(opening, **ADA)).text == greeting
        assert (await shared.sends([bot(greeting), user("How do I cook rice?")], **ADA)).state == "open"

    run(scene())


def test_words_that_many_say_are_no_proof() -> None:
    """A short word and a short reply are the same in many chats."""

    async def scene() -> None:
        shared = Play([Line("Ok."), Line("Ok."), Line("Ok."), Line("Boil it.")])
        before = [user("go on"), bot("Ok.")]
        assert (await shared.sends([user("What is rice?")], **ADA)).state == "open"
        await shared.sends([user("[abuse]")], **ADA)
        await shared.sends([user("[abuse]"), bot("Ok."), user("go on")], **ADA)
        assert (await shared.sends([*before, user("How do I cook it?")], **ADA)).state == "open"

    run(scene())


def test_nobody_named_shares_nothing() -> None:
    """Without an end user and an id all callers of a key share its scope: nothing but an exact history is followed."""

    async def scene() -> None:
        shared = play()
        chat = Chat(shared, clients.window_of_four, {})
        states = [(await chat.says(f"{A} {turn}")).state for turn in range(5)]
        assert "warned" not in states[2:]

    run(scene())


@pytest.mark.parametrize("who", [ADA, NAMED], ids=("end user", "id"))
def test_of_a_transcript_only_the_newest_words_are_judged(who: dict[str, Any]) -> None:
    """What was said before stands in the message still, and was judged on its own turn."""

    async def scene() -> None:
        chat = Chat(play(), clients.transcript, who)
        assert (await chat.says(f"{A} 0")).state == "redirected"
        assert (await chat.says("Sorry. What is rice?")).note["decision"] == "pass"
        assert (await chat.says("[crisis] I cannot go on like this")).note["decision"] == "support"

    run(scene())


def test_the_notice_of_a_locked_chat_is_followed_too() -> None:
    """A window that holds nothing but the notice and the next message does not open the chat again."""

    async def scene() -> None:
        chat = Chat(play(locked_reply=LockedReply.MESSAGE), clients.window_of_two, ADA)
        assert await chat.climbs() == LADDER
        ears = [await chat.says(f"hello {turn}?") for turn in range(3)]
        assert [ear.state for ear in ears] == ["ended"] * 3

    run(scene())


def test_a_rung_that_was_forgiven_is_not_found_again() -> None:
    async def scene() -> None:
        chat = Chat(play(), clients.window_of_four, ADA)
        assert (await chat.says(f"{A} 0")).state == "redirected"
        states = [(await chat.says(f"What is rice number {turn}?")).state for turn in range(5)]
        assert states == ["redirected", "redirected", "open", "open", "open"]

    run(scene())


def test_an_everyday_chat_leaves_no_trace(tmp_path: Path) -> None:
    async def scene() -> None:
        chat = Chat(play(SQLite(tmp_path / "a.sqlite3")), clients.crewai, ADA)
        for text in FRESH:
            await chat.says(text)
        with sqlite3.connect(tmp_path / "a.sqlite3") as file:
            assert file.execute("SELECT COUNT(*) FROM traces").fetchone() == (0,)

    run(scene())


def test_what_is_erased_is_not_known_again(opened: Database) -> None:
    """Erasure takes the digests of lines along; the address of the turn itself stays locked."""

    async def scene() -> None:
        own = play(opened)
        chat = Chat(own, clients.window_of_four, ADA)
        await chat.climbs()
        last = await chat.again("hello?")
        await Rights(opened).erase_conversation(last.note["conversation"], 1e9)
        assert (await chat.again("hello?")).status == 200

    run(scene())


@pytest.mark.parametrize("client", [clients.crewai, clients.aider, clients.retrieval], ids=lambda one: one.__name__)
def test_the_same_words_and_the_same_reply_in_two_chats(client: Client) -> None:
    """The gateway's own texts answer both: a chat that has just begun goes on from its own turn."""

    async def scene() -> None:
        shared = play(assist=True, speaker=Speaker.GATEWAY)
        one, two = Chat(shared, client, ADA), Chat(shared, client, ADA)
        for text in ("[abuse] so you say", "[abuse] you idiot of a machine"):
            await one.says(text)
        assert (await two.says("[abuse] you idiot of a machine")).state == "redirected"
        assert (await two.says("[abuse] once more")).state == "redirected", (
            "not the warning that the other chat would get"
        )
        assert (await one.says("[abuse] once more")).state == "warned"

    run(scene())


def test_what_a_framework_merged_is_not_the_users() -> None:
    """smolagents writes a tool's answer and the next task into one message: only the task is the user's."""
    merged = clients.smolagents([("What is rice?", "A grain.")], "Thank you.")[-1]["content"][0]["text"]
    assert "you are an idiot" in merged
    assert "idiot" not in words_of(merged).own
    assert "Thank you." in words_of(merged).own
