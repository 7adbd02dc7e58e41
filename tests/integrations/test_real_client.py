"""The guard around the real OpenAI client, in front of a real HTTP server that plays the provider."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import openai
import pytest

import quitbutton
from tests.integrations.models import Chat
from tests.upstream import Provider, Seen, press, stream, whole


@pytest.fixture
def provider() -> Iterator[Provider]:
    one = Provider()
    yield one
    one.close()


@asynccontextmanager
async def guarded(provider: Provider) -> AsyncIterator[quitbutton.Guard]:
    client = openai.AsyncOpenAI(base_url=provider.url, api_key="none", max_retries=0)

    async def model(request: dict[str, object]) -> object:
        return await client.chat.completions.create(**request)  # type: ignore[call-overload]

    async with client, quitbutton.Guard(model, assessor="scripted") as guard:
        yield guard


def presses(seen: Seen) -> object:
    streams = bool(seen.json.get("stream"))
    if any(tool["function"]["name"] == "end_conversation" for tool in seen.json.get("tools") or ()):
        return press(streams)
    return stream("Hi ", "there.") if streams else whole()


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_the_ladder_to_its_end(provider: Provider, streams: bool) -> None:
    async def story() -> None:
        provider.answer = presses  # type: ignore[assignment]
        async with guarded(provider) as guard:
            chat = Chat(guard, streams)
            states = [(await chat.says(f"[abuse] {turn}", model="m")).state for turn in range(4)]
            assert states == ["redirected", "redirected", "warned", "ended"]
            with pytest.raises(quitbutton.ConversationEnded):
                await chat.says("hello?", model="m")

    asyncio.run(story())


def test_the_clients_own_error_comes_through(provider: Provider) -> None:
    async def story() -> None:
        provider.answer = lambda seen: whole({"error": {"message": "slow down"}}, status=429)
        async with guarded(provider) as guard:
            with pytest.raises(openai.RateLimitError, match="slow down"):
                await Chat(guard).says("Hi", model="m")

    asyncio.run(story())


def test_leaving_a_stream_early_hangs_up_on_the_provider(provider: Provider) -> None:
    async def story() -> None:
        provider.answer = lambda seen: stream(*["word "] * 1000, delay=0.02)
        async with guarded(provider) as guard:
            async with guard.stream([{"role": "user", "content": "Hi"}], model="m") as heard:
                async for _ in heard:
                    break
            until = time.monotonic() + 5
            while provider.seen[0].closed_at is None and time.monotonic() < until:
                await asyncio.sleep(0.02)
            assert provider.seen[0].closed_at is not None

    asyncio.run(story())
