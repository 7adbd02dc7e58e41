"""The frameworks' own OpenAI models behind the guard, in front of a real HTTP server that plays the provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest

import quitbutton
from tests.integrations.test_real_client import presses
from tests.upstream import Provider

STATES = ["redirected", "redirected", "warned", "ended"]


@pytest.fixture
def provider() -> Iterator[Provider]:
    one = Provider()
    one.answer = presses  # type: ignore[assignment]
    yield one
    one.close()


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_pydantic_ais_own_model(provider: Provider, streams: bool) -> None:
    pytest.importorskip("pydantic_ai")
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    from quitbutton.integrations.pydantic_ai import GuardedModel

    async def story() -> None:
        client = openai.AsyncOpenAI(base_url=provider.url, api_key="none", max_retries=0)
        async with client, quitbutton.Guard(assessor="scripted") as guard:
            model = OpenAIChatModel("m", provider=OpenAIProvider(openai_client=client))
            agent = Agent(GuardedModel(model, guard, end_user="u"))
            history: list[Any] = []
            states = []
            for turn in range(4):
                if streams:
                    async with agent.run_stream(f"[abuse] {turn}", message_history=history) as run:
                        assert (await run.get_output()).strip()
                        history = run.all_messages()
                else:
                    history = (await agent.run(f"[abuse] {turn}", message_history=history)).all_messages()
                states.append(history[-1].metadata["quitbutton"]["state"])
            assert states == STATES
            with pytest.raises(quitbutton.ConversationEnded):
                await agent.run("hello?", message_history=history)

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_the_agents_sdks_own_model(provider: Provider, streams: bool) -> None:
    pytest.importorskip("agents")
    from agents import Agent, OpenAIChatCompletionsModel, RunConfig, Runner

    from quitbutton.integrations.openai_agents import GuardedModel

    async def story() -> None:
        client = openai.AsyncOpenAI(base_url=provider.url, api_key="none", max_retries=0)
        async with client, quitbutton.Guard(assessor="scripted") as guard:
            notes: list[Any] = []
            inner = OpenAIChatCompletionsModel("m", client)
            model = GuardedModel(inner, guard, conversation="c", end_user="u", told=notes.append)
            agent, quiet = Agent(name="a", instructions="Be kind.", model=model), RunConfig(tracing_disabled=True)
            history: list[Any] = []
            for turn in range(4):
                asked = [*history, {"role": "user", "content": f"[abuse] {turn}"}]
                if streams:
                    result: Any = Runner.run_streamed(agent, asked, run_config=quiet)
                    heard = str([event async for event in result.stream_events()])
                    assert "end_conversation" not in heard
                else:
                    result = await Runner.run(agent, asked, run_config=quiet)
                assert str(result.final_output).strip()
                history = result.to_input_list()
            assert [note["state"] for note in notes] == STATES
            with pytest.raises(quitbutton.ConversationEnded):
                await Runner.run(agent, [*history, {"role": "user", "content": "hello?"}], run_config=quiet)

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_langchains_own_model(provider: Provider, streams: bool) -> None:
    pytest.importorskip("langchain_openai")
    from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
    from langchain_openai import ChatOpenAI

    from quitbutton.integrations.langchain import GuardedChatModel

    async def story() -> None:
        inner = ChatOpenAI(model="m", base_url=provider.url, api_key="none", max_retries=0)  # type: ignore[arg-type]
        async with quitbutton.Guard(assessor="scripted") as guard:
            model = GuardedChatModel(inner=inner, guard=guard).bind(conversation="c", end_user="u")
            history: list[BaseMessage] = []
            states = []
            for turn in range(4):
                history.append(HumanMessage(f"[abuse] {turn}"))
                if streams:
                    parts: list[Any] = [part async for part in model.astream(history)]
                    reply = parts[0]
                    for part in parts[1:]:
                        reply = reply + part
                else:
                    reply = await model.ainvoke(history)
                assert not reply.tool_calls
                history.append(AIMessage(reply.text))
                states.append(reply.response_metadata["quitbutton"]["state"])
            assert states == STATES
            with pytest.raises(quitbutton.ConversationEnded):
                await model.ainvoke([*history, HumanMessage("hello?")])

    asyncio.run(story())
