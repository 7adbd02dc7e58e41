"""A slow assessor: the call is begun beside it, and nothing of the answer leaves before the verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from quitbutton.assessors.scripted import ScriptedAssessor
from quitbutton.core.ladder.policy import Mode, Policy, Speaker
from quitbutton.core.ladder.verdicts import Verdict
from quitbutton.core.messages import Message
from quitbutton.turn.prefetch import Ahead
from quitbutton.upstreams.http import HTTPUpstream
from tests.play import Ear, Play
from tests.upstream import Provider, Seen, stream, whole

pytestmark = pytest.mark.alone
"""It watches the clock."""
SLOW = 0.3
WAYS = pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])


class Slow:
    """Takes its time, then says what it was told to."""

    name = "slow@1"

    def __init__(self, seconds: float = SLOW) -> None:
        self.seconds = seconds
        self.said_at: list[float] = []
        self.on_verdict: Callable[[], None] = lambda: None

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        await asyncio.sleep(self.seconds)
        self.said_at.append(time.monotonic())
        self.on_verdict()
        return ScriptedAssessor().classify(messages)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


async def play_on(provider: Provider, streams: bool, **more: Any) -> Play:
    play = Play(stream=streams, **more)
    upstream: Any = HTTPUpstream(provider.url, None, 5, 5)
    play.upstream = upstream
    (await play.guard()).begins_ahead = True
    return play


def timed(provider: Provider, streams: bool) -> list[float]:
    """When the provider was asked."""
    asked: list[float] = []

    def answer(seen: Seen) -> Any:
        asked.append(time.monotonic())
        return stream("Hello", " there.") if streams else whole()

    provider.answer = answer
    return asked


def notes_in(seen: Seen) -> list[str]:
    return [one["content"] for one in seen.json["messages"] if one["role"] == "system"]


@WAYS
def test_a_clean_turn_is_asked_at_once_and_answered_after_the_verdict(provider: Provider, streams: bool) -> None:
    async def scene() -> None:
        slow, ear, asked = Slow(), Ear(), timed(provider, streams)
        heard_before: list[bytes | bool] = []
        slow.on_verdict = lambda: heard_before.extend([ear.is_open, ear.body])
        play = await play_on(provider, streams, assessor=slow)
        await play.says("hi", ear=ear)
        assert (ear.status, ear.text) == (200, "Hello there." if streams else "Hello.")
        assert asked[0] < slow.said_at[0] - SLOW / 2
        assert heard_before == [False, b""]
        assert len(provider.seen) == 1
        assert "end_conversation" in provider.seen[0].body.decode()
        assert [one["kind"] for one in await play.events(ear)] == ["turn.pass"]

    asyncio.run(scene())


@WAYS
@pytest.mark.parametrize("word", ["abuse", "crisis"])
def test_what_is_not_clean_is_sent_anew_with_our_note(provider: Provider, streams: bool, word: str) -> None:
    async def scene() -> None:
        timed(provider, streams)
        play = await play_on(provider, streams, assessor=Slow())
        ear = await play.says(f"[{word}] you")
        first, second = provider.seen
        assert (notes_in(first), len(notes_in(second))) == ([], 1)
        assert ear.text.count("Hello") == 1
        await asyncio.sleep(0.05)
        assert first.closed_at is not None, "the first call is over"
        assert len(await play.events(ear)) == 1

    asyncio.run(scene())


def test_a_quick_assessor_is_waited_for(provider: Provider) -> None:
    async def scene() -> None:
        timed(provider, False)
        play = await play_on(provider, False, assessor=Slow(0.001))
        await play.says("[abuse] you")
        assert len(provider.seen) == 1

    asyncio.run(scene())


def test_on_the_ladder_every_verdict_is_waited_for(provider: Provider) -> None:
    async def scene() -> None:
        timed(provider, False)
        slow = Slow(0.001)
        play = await play_on(provider, False, assessor=slow)
        await play.says("[abuse] you")
        slow.seconds = SLOW
        await play.says("fine")
        await play.says("[abuse] you")
        assert len(provider.seen) == 3

    asyncio.run(scene())


def test_in_shadow_one_call_is_made_whatever_the_verdict(provider: Provider) -> None:
    async def scene() -> None:
        asked, slow = timed(provider, False), Slow()
        play = await play_on(provider, False, assessor=slow, policy=Policy(mode=Mode.SHADOW))
        for text in ("hi", "[abuse] you", "[abuse] you again"):
            assert (await play.says(text)).text == "Hello."
        assert len(provider.seen) == 3
        assert all(one < said for one, said in zip(asked, slow.said_at, strict=True))

    asyncio.run(scene())


@WAYS
def test_a_stop_before_the_verdict_ends_the_call_at_once(provider: Provider, streams: bool) -> None:
    async def scene() -> None:
        timed(provider, streams)
        slow = Slow()
        play = await play_on(provider, streams, assessor=slow)
        guard, ear = await play.guard(), Ear()
        task = asyncio.create_task(play.says("hi", ear=ear))
        await asyncio.sleep(SLOW / 2)
        next(iter(guard.under_way.values())).stop("user")
        with pytest.raises(Exception, match="stopped"):
            await task
        closed_at = provider.seen[0].closed_at
        assert closed_at is not None
        assert closed_at < slow.said_at[0]
        assert ear.body == b""

    asyncio.run(scene())


def test_where_the_gateway_speaks_itself_the_model_is_not_asked(provider: Provider) -> None:
    async def scene() -> None:
        timed(provider, False)
        policy = Policy(assist=True, speaker=Speaker.GATEWAY)
        play = await play_on(provider, False, assessor=Slow(), policy=policy)
        await play.says("[abuse] you")
        assert provider.seen == []

    asyncio.run(scene())


class Call:
    """An upstream's call that tells whether it was left."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.left = seconds, 0

    async def __aenter__(self) -> Any:
        await asyncio.sleep(self.seconds)
        return self

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        self.left += 1
        self.error = error


@pytest.mark.parametrize("rounds", range(6))
def test_a_call_is_left_whenever_whoever_waits_for_it_is_cancelled(rounds: int) -> None:
    async def scene() -> None:
        call = Call(0)
        ahead = Ahead(call, b"")

        async def read() -> None:
            async with ahead:
                await asyncio.sleep(10)

        task = asyncio.create_task(read())
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if rounds == 0:
            ahead.cancel()  # as a turn does at its end with what it never entered
        await asyncio.sleep(0.01)
        assert call.left == 1 or rounds < 2
        assert ahead._task.done()

    asyncio.run(scene())


def test_a_call_hears_what_went_wrong_with_its_answer() -> None:
    async def scene() -> None:
        call = Call(0)
        with pytest.raises(ValueError, match="broken"):
            async with Ahead(call, b""):
                raise ValueError("broken")
        assert (call.left, str(call.error)) == (1, "broken")

    asyncio.run(scene())


def test_a_call_that_failed_ahead_is_told_as_ever(provider: Provider) -> None:
    async def scene() -> None:
        play = await play_on(provider, False, assessor=Slow(0.1))
        unreachable: Any = HTTPUpstream("http://127.0.0.1:9", None, 1, 1)
        play.upstream = unreachable
        with pytest.raises(Exception, match="cannot be reached"):
            await play.says("hi")

    asyncio.run(scene())


def test_an_assessor_that_never_answers_holds_up_a_clean_turn_no_longer_than_its_time(provider: Provider) -> None:
    async def scene() -> None:
        timed(provider, False)
        play = await play_on(provider, False, assessor=Slow(30), policy=Policy(assess_timeout=0.2))
        ear = await play.says("hi")
        assert (ear.text, len(provider.seen)) == ("Hello.", 1)

    asyncio.run(scene())
