"""Clients that get the warning as an error, and then send the warned message as one with the next."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quitbutton.core.merged import MAX_HASHED, MAX_SPLITS, splits_of
from quitbutton.core.messages import Message, Role
from quitbutton.core.notices import ENGLISH
from quitbutton.upstreams.scripted import Line
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.responses import Responses
from tests.turn.formed import Formed, error_of, is_intact

EVERY_STORE = True
A = "[abuse] you again"
LADDER = ["redirected", "redirected", "warned"]
JOINS: dict[str, str | None] = {"line end": "\n", "blank line": "\n\n", "parts": None}
PROTOCOLS = pytest.mark.parametrize(
    "protocol", [ChatCompletions(), Anthropic(), Responses()], ids=["chat", "anthropic", "responses"]
)
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
JOINED = pytest.mark.parametrize("join", JOINS.values(), ids=JOINS)


def run(scene: Any) -> Any:
    return asyncio.run(scene)


class Merging(Formed):
    """smolagents and Instructor in JSON mode: messages of the user's in a row become one."""

    join: str | None = "\n"

    async def asks(self, text: str, **members: Any) -> Any:
        """The next message; an error leaves no reply behind."""
        self.said.append(("user", text))
        ear = await self.again(**members)
        if ear.status == 200:
            self.said.append(("assistant", self.protocol.text(ear) or "(called)"))
        return ear

    async def again(self, members: dict[str, Any] | None = None, **request: Any) -> Any:
        """What was said so far, once more."""
        runs: list[tuple[str, list[str]]] = []
        for role, text in self.said:
            if runs and runs[-1][0] == role == "user":
                runs[-1][1].append(text)
            else:
                runs.append((role, [text]))
        members = self.members if members is None else members
        body = self.protocol.request([(role, (self.join or "\n").join(texts)) for role, texts in runs], **members)
        if self.join is None:
            kind = "input_text" if "input" in body else "text"
            for one, (role, texts) in zip(body.get("messages") or body["input"], runs, strict=True):
                if role == "user":
                    one["content"] = [{"type": kind, "text": text} for text in texts]
        return await self.sends_body(body, **request)

    async def climbs(self, *more: str) -> list[str]:
        """Until the warning, then on."""
        texts = (f"{A}\nand so on, {turn}" for turn in range(3))
        return [self.state_of(await self.asks(text)) for text in (*texts, *more)]

    def state_of(self, ear: Any) -> str:
        note = error_of(ear)["quitbutton"] if ear.status != 200 else self.protocol.note(ear)
        return str(note["state"])


def merging(protocol: Any = None, form: str = "json", join: str | None = "\n", **more: Any) -> Merging:
    play = Merging(protocol or ChatCompletions(), form, **more)
    play.join = join
    return play


@PROTOCOLS
@WAYS
@JOINED
def test_abuse_that_is_sent_as_one_with_the_warned_message_ends(protocol: Any, stream: bool, join: str | None) -> None:
    async def scene() -> None:
        play = merging(protocol, join=join, stream=stream)
        assert await play.climbs() == LADDER
        ended = await play.asks(f"{A}\nas before")
        assert (ended.status, play.state_of(ended), protocol.text(ended)) == (200, "ended", ENGLISH.end_abuse)
        locked = await play.asks("sorry")
        assert (locked.status, error_of(locked)["code"]) == (400, "conversation_ended")

    run(scene())


@PROTOCOLS
@WAYS
@JOINED
def test_an_apology_that_is_sent_as_one_with_the_warned_message_is_read_by_itself(
    protocol: Any, stream: bool, join: str | None
) -> None:
    async def scene() -> None:
        play = merging(protocol, "tool", join, stream=stream)
        await play.climbs()
        asked = play.questions
        for text in ("Sorry.\nWhat is rice?", "And how long does it take?"):
            ear = await play.asks(text)
            assert (ear.status, play.state_of(ear), is_intact(play, ear)) == (200, "warned", True)
            assert protocol.note(ear)["decision"] == "pass"
        assert play.questions == asked, "nobody asks whether to leave over an apology"
        assert play.state_of(await play.asks(f"{A} 4")) == "ended"

    run(scene())


def test_what_was_warned_stays_in_the_request_that_the_model_gets() -> None:
    async def scene() -> None:
        play = merging()
        await play.climbs("Sorry.")
        newest = play.upstream.sent[-1]["messages"][-1]["content"]
        assert newest == f"{A}\nand so on, 2\nSorry."

    run(scene())


def test_the_same_request_twice_counts_once() -> None:
    async def scene() -> None:
        play = merging()
        assert await play.climbs() == LADDER
        assert play.state_of(await play.again()) == "warned"
        play.said.append(("user", "Sorry."))
        heard = [await play.again(), await play.again()]
        notes = [play.protocol.note(ear) for ear in heard]
        assert notes[0]["message"] == notes[1]["message"]
        events = await play.store.events(notes[0]["conversation"])
        assert [one["after"]["clean_turns"] for one in events[-2:]] == [1, 1]
        play.said.append(("user", A))
        assert [play.state_of(await play.again()) for _ in range(2)] == ["ended", "ended"]

    run(scene())


@pytest.mark.parametrize("who", ["x-quitbutton-conversation", "x-quitbutton-end-user"])
def test_whoever_is_named_is_followed_too_and_nobody_else(who: str) -> None:
    async def scene() -> None:
        play = merging()
        ada, bob = {"headers": {who: "ada"}}, {"headers": {who: "bob"}}
        states = []
        for turn in range(4):
            play.said.append(("user", f"{A} {turn}"))
            ear = await play.again(**ada)
            states.append(play.state_of(ear))
            if states[-1] == "redirected":
                play.said.append(("assistant", play.protocol.text(ear)))
        assert states == [*LADDER, "ended"]
        assert (await play.again(**bob)).status == 200
        assert (await play.again(**ada)).status == 400

    run(scene())


def test_an_ended_message_that_is_sent_as_one_with_the_next_stays_locked() -> None:
    """A client that cannot parse the farewell keeps no reply of that turn either."""

    async def scene() -> None:
        play = merging()
        assert (await play.climbs(A))[-1] == "ended"
        play.said.pop()
        sent = len(play.upstream.sent)
        for text in ("Sorry.", "Hello?"):
            ear = await play.asks(text)
            assert (ear.status, error_of(ear)["code"]) == (400, "conversation_ended")
        assert len(play.upstream.sent) == sent

    run(scene())


def test_a_turn_that_failed_between_leaves_three_messages_in_one() -> None:
    class Failing(Merging):
        fails = False

        def _line(self, sent: dict[str, Any]) -> Line:
            return Line("overloaded", status=529) if self.fails else super()._line(sent)

    async def scene() -> None:
        play = Failing(ChatCompletions(), "json")
        assert await play.climbs() == LADDER
        play.fails = True
        assert (await play.asks("Sorry.")).status == 529
        play.fails = False
        assert play.state_of(await play.asks(A)) == "ended"

    run(scene())


def test_somebody_in_a_crisis_is_answered_and_not_ended() -> None:
    async def scene() -> None:
        play = merging()
        await play.climbs()
        ear = await play.asks("[crisis] I cannot go on")
        assert (ear.status, is_intact(play, ear), play.protocol.note(ear)["decision"]) == (200, True, "support")
        assert play.state_of(await play.asks(A)) == "warned"

    run(scene())


def test_a_picture_that_is_sent_as_one_with_the_warned_message_is_new() -> None:
    def picture(byte: str) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{byte}"}}

    async def scene() -> None:
        play = merging()
        await play.climbs()
        history, words = play.said[:-1], {"type": "text", "text": f"{A} with a picture"}
        states = []
        for parts in ([words, picture("AAAA")], [words, picture("AAAA"), picture("BBBB")]):
            body = play.protocol.request([*history, ("user", "")], **play.members)
            body["messages"][-1]["content"] = parts
            states.append(play.protocol.note(await play.sends_body(body)))
        assert [(one["state"], one.get("decision")) for one in states] == [("warned", "warn"), ("warned", "pass")]

    run(scene())


def test_where_the_provider_keeps_the_history_it_ends_too() -> None:
    async def scene() -> None:
        play = Formed(Responses(), "json")
        kept: dict[str, Any] = {**play.members, "store": True}
        states, words = [], ""
        for turn in range(4):
            words = f"{words}\n\n{A} {turn}" if states[-1:] == ["warned"] else f"{A} {turn}"
            ear = await play.sends_body(play.protocol.request([("user", words)], **kept))
            states.append(play.protocol.note(ear)["state"])
            if ear.status == 200:
                kept["previous_response_id"] = ear.whole.get("id") or play.protocol.response(ear)["id"]
        assert states == [*LADDER, "ended"]

    run(scene())


def test_a_client_that_wants_prose_edits_a_message_when_it_goes_on_in_it() -> None:
    """It was given the warning and the farewell as replies: a longer message in the same place is an edit."""

    async def scene() -> None:
        play = merging()
        assert (await play.climbs(A))[-1] == "ended"
        play.said.pop()
        play.said.append(("user", "Sorry."))
        ear = await play.again(members={})
        assert (ear.status, play.state_of(ear)) == (200, "redirected")

    run(scene())


def test_after_a_reply_the_same_words_in_a_longer_message_are_new_words() -> None:
    async def scene() -> None:
        play = merging()
        await play.climbs("Sorry.")
        assert play.state_of(await play.asks(f"{A}\nand so on, 2\nis what I said. Sorry.")) == "ended"

    run(scene())


KEY, PARENT = b"k" * 32, b"p" * 32


def test_a_message_is_taken_apart_at_a_bounded_number_of_places() -> None:
    def many(text: str, pictures: int = 0) -> int:
        return len(splits_of(KEY, PARENT, Message(Role.USER, text, (b"d" * 32,) * pictures)))

    assert many("a") == 0
    assert many("a\n\n \nb\r\nc") == 2
    assert many("a\nb", 1) == 3
    assert many("a\n" * 10_000) == MAX_SPLITS
    assert many("a\n" * 10_000, 9) <= MAX_SPLITS
    assert many("long line " * 100_000 + "a\n" * 10_000) <= MAX_HASHED // 1_000_000
    assert many("a\n" * (MAX_HASHED // 2 + 1)) == 0


def test_the_first_and_the_last_line_ends_are_looked_at() -> None:
    lines = [str(one) for one in range(2_000)]
    told = [split.told.text for split in splits_of(KEY, PARENT, Message(Role.USER, "\n".join(lines)))]
    assert told[0] == "0"
    assert told[-1] == "\n".join(lines[:-1])
