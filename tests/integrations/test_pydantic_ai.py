"""The guard around a Pydantic AI model, against the real package."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("pydantic_ai", reason="pip install 'quitbutton[pydantic-ai]', or: make integrations")

from pydantic_ai import Agent
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaThinkingPart, DeltaToolCall, FunctionModel

import quitbutton
from quitbutton.core.notices import ENGLISH
from quitbutton.integrations.pydantic_ai import GuardedModel


class Scripted:
    """A function model, whole and streamed, that presses whenever it can."""

    def __init__(self) -> None:
        self.seen: list[tuple[list[ModelMessage], list[str]]] = []

    def parts(self, messages: list[ModelMessage], info: AgentInfo) -> list[Any]:
        tools = [tool.name for tool in info.function_tools]
        self.seen.append((messages, tools))
        newest = messages[-1].parts[-1]
        if isinstance(newest, UserPromptPart) and "weather" in str(newest.content):
            return [ThinkingPart("Hm."), ToolCallPart("weather", {"city": "Bern"}, "w1")]
        if "fine" in str(newest):
            return [TextPart("All is well.")]
        if "end_conversation" in tools and not any("Sunny" in str(part) for part in messages[-1].parts):
            return [ToolCallPart("end_conversation", {"reason": "abuse", "explanation": "x"}, "c1")]
        return [TextPart("Let us talk about trains.")]

    async def whole(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(self.parts(messages, info))

    async def stream(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        for place, part in enumerate(self.parts(messages, info)):
            if isinstance(part, TextPart):
                for word in part.content.split(" "):
                    yield f"{word} "
            elif isinstance(part, ThinkingPart):
                yield {place: DeltaThinkingPart(content=part.content)}
            else:
                yield {place: DeltaToolCall(part.tool_name, "", tool_call_id=part.tool_call_id)}
                arguments = json.dumps(part.args)
                yield {place: DeltaToolCall(json_args=arguments[:4])}
                yield {place: DeltaToolCall(json_args=arguments[4:])}


def agent_of(guard: quitbutton.Guard, inner: Scripted) -> Agent[None, str]:
    model = FunctionModel(inner.whole, stream_function=inner.stream)
    agent = Agent(GuardedModel(model, guard, end_user="u"), instructions="Be kind.")

    @agent.tool_plain
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"[abuse] [crisis] Sunny in {city}."

    return agent


async def ask(agent: Agent[None, str], text: str, history: Any, streams: bool) -> tuple[str, list[ModelMessage]]:
    if not streams:
        result = await agent.run(text, message_history=history)
        return result.output, result.all_messages()
    async with agent.run_stream(text, message_history=history) as stream:
        parts = [part async for part in stream.stream_text(delta=True, debounce_by=None)]
        return "".join(parts), stream.all_messages()


def note(messages: list[ModelMessage]) -> dict[str, Any]:
    last = messages[-1]
    assert isinstance(last, ModelResponse)
    assert not last.tool_calls
    return (last.metadata or {})["quitbutton"]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_the_ladder_to_its_end(streams: bool) -> None:
    async def story() -> None:
        inner = Scripted()
        async with quitbutton.Guard(assessor="scripted") as guard:
            agent, history, states = agent_of(guard, inner), [], []
            for turn in range(4):
                before = history
                text, history = await ask(agent, f"[abuse] {turn}", history, streams)
                assert text.strip()
                states.append(note(history)["state"])
            assert states == ["redirected", "redirected", "warned", "ended"]
            asked = len(inner.seen)
            with pytest.raises(quitbutton.ConversationEnded, match=r"abuse that went on after a warning.*new chat"):
                await ask(agent, "hello?", history, streams)
            assert len(inner.seen) == asked
            _, edited = await ask(agent, "Let us talk about trains.", before[:2], streams)
            assert note(edited)["state"] == "redirected"
            assert inner.seen[0][0][0].instructions == "Be kind."  # type: ignore[union-attr]

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_own_tools_and_thinking_are_untouched_and_a_tool_result_is_nobodys_words(streams: bool) -> None:
    async def story() -> None:
        inner = Scripted()
        async with quitbutton.Guard(assessor="scripted") as guard:
            text, history = await ask(agent_of(guard, inner), "weather in Bern?", [], streams)
            assert text.strip() == "Let us talk about trains."
            assert inner.seen[0][1] == ["weather", "end_conversation"]
            assert [type(part) for part in history[1].parts] == [ThinkingPart, ToolCallPart]
            assert history[1].parts[1].args_as_dict() == {"city": "Bern"}  # type: ignore[union-attr]
            assert note(history)["decision"] == "pass"

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_crisis_takes_the_button_away_and_words_leave_as_they_came(streams: bool) -> None:
    async def story() -> None:
        inner = Scripted()
        async with quitbutton.Guard(assessor="scripted") as guard:
            text, history = await ask(agent_of(guard, inner), "[crisis] [abuse]", [], streams)
            assert note(history)["decision"] == "support"
            assert inner.seen[0][1] == ["weather"]
            text, history = await ask(agent_of(guard, inner), "I am fine", [], streams)
            assert text.strip() == "All is well."

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_texts_of_ours_in_the_history_do_not_reach_the_model_and_calls_stay(streams: bool) -> None:
    call = ToolCallPart("weather", {"city": "Bern"}, "w1")
    history: list[ModelMessage] = [
        ModelRequest([UserPromptPart("one")]),
        ModelResponse([TextPart(ENGLISH.redirect_abuse)]),
        ModelRequest([UserPromptPart("two")]),
        ModelResponse([ThinkingPart("Hm."), TextPart(f"No.\n\n{ENGLISH.warn_harm}")]),
        ModelRequest([UserPromptPart("three")]),
        ModelResponse([TextPart(ENGLISH.warn_abuse), call]),
        ModelRequest([ToolReturnPart("weather", "Sunny.", "w1")]),
    ]

    async def story() -> None:
        inner = Scripted()
        async with quitbutton.Guard(assessor="scripted") as guard:
            await ask(agent_of(guard, inner), "fine?", history, streams)
        replies = [one.parts for one in inner.seen[0][0] if isinstance(one, ModelResponse)]
        assert replies == [[ThinkingPart("Hm."), TextPart("No.")], [call]]
        said = [part.content for one in inner.seen[0][0] for part in one.parts if isinstance(part, UserPromptPart)]
        assert said == ["one", "two", "three", "fine?"]

    asyncio.run(story())
