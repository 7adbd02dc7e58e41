"""An id adds locks and lifts none: the old history is known again by its tail, whatever was said under the id meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from quitbutton.core.appeals import AppealState
from quitbutton.stores.rights import Rights
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.upstreams.scripted import press
from tests.play import Ear, Message, Play, say

NAMED = {"x-quitbutton-conversation": "chat-1"}
ENDING = [say("No."), say("No, really."), press(), press(), press()]
ABUSE = [f"[abuse] number {number}" for number in range(4)]


def user(text: str) -> Message:
    return {"role": "user", "content": text}


async def ended(play: Play, **members: Any) -> list[Message]:
    """A conversation with an id that has ended; its history."""
    await play.says("hello", headers=NAMED, **members)
    for text in ABUSE:
        ear = await play.says(text, headers=NAMED, **members)
    assert ear.state == "ended"
    return list(play.history)


def later(history: list[Message], lost: int) -> list[Message]:
    """The history without its first messages, and what the user says next."""
    return [*history[lost:], user("and now go on")]


def scene(run: Callable[[Play], Any], **doors: Any) -> None:
    asyncio.run(run(Play([say("Hello."), *ENDING, *[say("Yes?")] * 6], **doors)))


@pytest.mark.parametrize("members", [{}, {"user": "ann"}])
@pytest.mark.parametrize("lost", [1, 2, 4, 6, 7, 8])
def test_a_fresh_message_does_not_unlock_the_old_tail(members: dict[str, str], lost: int) -> None:
    async def run(play: Play) -> None:
        history = await ended(play, **members)
        fresh: Ear = await play.sends([user("good morning")], headers=NAMED, **members)
        assert (fresh.status, fresh.state) == (200, "open")
        again = await play.sends(later(history, lost), headers=NAMED, **members)
        assert (again.status, again.note["state"]) == (400, "ended")
        assert again.note["end_id"] == (await play.sends(later(history, 0), headers=NAMED, **members)).note["end_id"]
        if lost < 8:  # the ended message alone is a new chat that may begin with it
            assert (await play.sends([*history[lost:-1]], headers=NAMED, **members)).status == 400
        assert len(play.upstream.sent) == 7

    scene(run)


def test_what_is_said_anew_under_the_same_id_goes_on_also_when_its_own_beginning_is_lost() -> None:
    async def run(play: Play) -> None:
        history = await ended(play)
        play.history = []
        for text in ("good morning", "how is the weather", "and tomorrow"):
            assert (await play.says(text, headers=NAMED)).status == 200
        assert (await play.sends([*play.history[2:], user("thanks")], headers=NAMED)).state == "open"
        edited = [*history[:-2], user("sorry, what I meant is another thing"), *play.history[-1:]]
        assert (await play.sends([*edited, user("so?")], headers=NAMED)).status == 200
        assert (await play.sends([*edited[2:], user("so then?")], headers=NAMED)).status == 200

    scene(run)


def test_the_same_words_in_another_conversation_are_not_locked() -> None:
    async def run(play: Play) -> None:
        history = await ended(play, user="ann")
        other = {"x-quitbutton-conversation": "chat-2"}
        await play.sends([user("good morning")], headers=other, user="ann")
        assert (await play.sends(later(history, 2), headers=other, user="ann")).status == 200

    scene(run)


def test_an_upheld_appeal_opens_the_tail_too() -> None:
    database = SQLite(":memory:")

    async def run(play: Play) -> None:
        history = await ended(play)
        refused = await play.sends(later(history, 0), headers=NAMED)
        await play.sends([user("good morning")], headers=NAMED)
        assert (await play.sends(later(history, 2), headers=NAMED)).status == 400
        rights = Rights(database)
        appeal = await rights.appeal(refused.note["end_id"], "it was a quote", play.now())
        await rights.decide(appeal.id, AppealState.UPHELD, "op", "it was", play.now())
        assert (await play.sends(later(history, 2), headers=NAMED)).status == 200

    scene(run, store=SQLStore(database))
