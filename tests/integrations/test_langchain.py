"""The guard around a LangChain chat model and in an agent, against the real packages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("langchain", reason="pip install 'quitbutton[langchain]', or: make integrations")

from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain.tools import tool
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

import quitbutton
from quitbutton.core.notices import ENGLISH
from quitbutton.integrations.langchain import GuardedChatModel, QuitButtonMiddleware

Script = Callable[[list[BaseMessage], list[str]], AIMessage]


def presses(messages: list[BaseMessage], tools: list[str]) -> AIMessage:
    if "end_conversation" not in tools:
        return AIMessage("Let us talk about something else.")
    return AIMessage(
        "", tool_calls=[{"name": "end_conversation", "args": {"reason": "abuse", "explanation": "x"}, "id": "c1"}]
    )


def name_of(tool: Any) -> str:
    return str(getattr(tool, "name", None) or tool.__name__)


class Scripted(BaseChatModel):
    """A chat model that follows a script; `seen` is what it was asked."""

    script: Any = presses
    seen: Any = None

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(
            tools=[one if isinstance(one, dict) else {"function": {"name": name_of(one)}} for one in tools], **kwargs
        )

    def _reply(self, messages: list[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        names = [one["function"]["name"] for one in kwargs.get("tools") or ()]
        self.seen.append((messages, names, kwargs))
        return self.script(messages, names)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages, kwargs))])

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        reply = self._reply(messages, kwargs)
        for place, word in enumerate(reply.text.split(" ") if reply.text else ()):
            yield ChatGenerationChunk(message=AIMessageChunk(word if not place else f" {word}"))
        for place, one in enumerate(reply.tool_calls):
            part = {"name": one["name"], "args": "", "id": one["id"], "index": place}
            yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[part]))
            for half in (json.dumps(one["args"])[:5], json.dumps(one["args"])[5:]):
                more = {"name": None, "args": half, "id": None, "index": place}
                yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[more]))


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"[abuse] [crisis] Sunny in {city}."


async def ask(model: Any, history: list[Any], how: str) -> AIMessage:
    if how == "ainvoke":
        return await model.ainvoke(history)
    if how == "invoke":
        return await asyncio.to_thread(model.invoke, history)
    parts = list(model.stream(history)) if how == "stream" else [part async for part in model.astream(history)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


@pytest.mark.parametrize("how", ["ainvoke", "astream", "invoke", "stream"])
def test_a_chat_model_climbs_to_its_end_in_every_way_of_asking(how: str) -> None:
    async def story() -> None:
        inner = Scripted(seen=[])
        async with quitbutton.Guard(assessor="scripted") as guard:
            model = GuardedChatModel(inner=inner, guard=guard).bind(conversation="c", end_user="u")
            history: list[BaseMessage] = [SystemMessage("Be kind.")]
            states = []
            for turn in range(4):
                history.append(HumanMessage(f"[abuse] {turn}"))
                reply = await ask(model, history, how)
                history.append(AIMessage(reply.text))
                states.append(reply.response_metadata["quitbutton"]["state"])
                assert reply.text.strip()
                assert not reply.tool_calls
            assert states == ["redirected", "redirected", "warned", "ended"]
            asked = len(inner.seen)
            with pytest.raises(quitbutton.ConversationEnded, match=r"abuse that went on after a warning.*new chat"):
                await ask(model, [*history, HumanMessage("hello?")], how)
            assert len(inner.seen) == asked
            edited = await ask(model, [*history[:3], HumanMessage("Let us talk about trains.")], how)
            assert edited.response_metadata["quitbutton"]["state"] == "redirected"
            assert inner.seen[0][0][0] == SystemMessage("Be kind.")
            assert "conversation" not in inner.seen[0][2]

    asyncio.run(story())


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_an_agent_with_its_own_tools_climbs_to_its_end(sync: bool) -> None:
    def script(messages: list[BaseMessage], tools: list[str]) -> AIMessage:
        if isinstance(messages[-1], HumanMessage) and "weather" in messages[-1].text:
            return AIMessage("", tool_calls=[{"name": "weather", "args": {"city": "Bern"}, "id": "w1"}])
        return (
            presses(messages, tools)
            if any("[abuse]" in one.text for one in messages if one.type == "human")
            else AIMessage("Sunny.")
        )

    async def story() -> None:
        inner = Scripted(script=script, seen=[])
        guard = quitbutton.Guard(assessor="scripted")
        agent = create_agent(inner, [weather], middleware=[QuitButtonMiddleware(guard)], checkpointer=InMemorySaver())

        async def say(text: str) -> AIMessage:
            given = {"messages": [HumanMessage(text)]}, {"configurable": {"thread_id": "t", "user_id": "u"}}
            out = await asyncio.to_thread(agent.invoke, *given) if sync else await agent.ainvoke(*given)
            return out["messages"][-1]

        first = await say("weather in Bern?")
        assert (first.text, first.response_metadata["quitbutton"]["decision"]) == ("Sunny.", "pass")
        assert inner.seen[0][1] == ["weather", "end_conversation"]
        states = [(await say(f"[abuse] {turn}")).response_metadata["quitbutton"]["state"] for turn in range(4)]
        assert states == ["redirected", "redirected", "warned", "ended"]
        with pytest.raises(quitbutton.ConversationEnded):
            await say("hello?")
        await guard.close()

    asyncio.run(story())


def test_a_structured_answer_is_left_alone_and_the_ladder_still_counts() -> None:
    class City(BaseModel):
        name: str

    def script(messages: list[BaseMessage], tools: list[str]) -> AIMessage:
        assert tools == ["City"], "where a tool is forced, the button is not offered"
        return AIMessage("", tool_calls=[{"name": "City", "args": {"name": "Bern"}, "id": "c"}])

    async def story() -> None:
        inner = Scripted(script=script, seen=[])
        async with quitbutton.Guard(assessor="scripted") as guard:
            middleware = [QuitButtonMiddleware(guard)]
            agent = create_agent(inner, [], middleware=middleware, response_format=ToolStrategy(City))
            out = await agent.ainvoke({"messages": [HumanMessage("[abuse] The capital?")]})
            assert out["structured_response"] == City(name="Bern")
            assert out["messages"][-2].response_metadata["quitbutton"]["state"] == "redirected"

    asyncio.run(story())


def test_streamed_messages_of_an_agent_carry_no_press() -> None:
    async def story() -> None:
        inner = Scripted(
            script=lambda m, t: presses(m, t) if m[-1].type == "human" else AIMessage("All is well."), seen=[]
        )
        async with quitbutton.Guard(assessor="scripted") as guard:
            agent = create_agent(inner, [weather], middleware=[QuitButtonMiddleware(guard)])
            given = {"messages": [HumanMessage("Good morning")]}
            parts = [part async for part, _ in agent.astream(given, stream_mode="messages")]
            assert "".join(part.text for part in parts) == "All is well."
            assert len([part for part in parts if part.text]) == 3, "words leave as they come"
            assert not any(part.tool_call_chunks for part in parts)

    asyncio.run(story())


def test_a_crisis_takes_the_button_away_and_what_the_model_raises_comes_through() -> None:
    class Busy(Exception):
        pass

    def script(messages: list[BaseMessage], tools: list[str]) -> AIMessage:
        if messages[0].text == "fail":
            raise Busy
        assert "end_conversation" not in tools
        return AIMessage("I am here.", id="mine", response_metadata={"model_name": "x"})

    async def story() -> None:
        async with quitbutton.Guard(assessor="scripted") as guard:
            model = GuardedChatModel(inner=Scripted(script=script, seen=[]), guard=guard)
            reply = await model.ainvoke([HumanMessage("[crisis] [abuse]")])
            assert reply.response_metadata["quitbutton"]["decision"] == "support"
            assert (reply.id, reply.response_metadata["model_name"]) == ("mine", "x"), "left as it came"
            with pytest.raises(Busy):
                await model.ainvoke([HumanMessage("fail")])

    asyncio.run(story())


def test_texts_of_ours_in_the_history_do_not_reach_the_model_and_calls_stay() -> None:
    call = {"name": "weather", "args": {"city": "Bern"}, "id": "w1", "type": "tool_call"}
    silent = AIMessage(ENGLISH.warn_abuse, tool_calls=[call])
    both = AIMessage([{"type": "text", "text": f"No.\n\n{ENGLISH.warn_harm}"}, {"type": "image", "url": "x"}])
    history = [
        HumanMessage("one"),
        AIMessage(ENGLISH.redirect_abuse),
        HumanMessage("two"),
        both,
        HumanMessage("three"),
        silent,
        ToolMessage("Sunny.", tool_call_id="w1"),
        HumanMessage("four"),
    ]

    async def story() -> None:
        inner = Scripted(script=lambda messages, tools: AIMessage("Fine."), seen=[])
        async with quitbutton.Guard(assessor="scripted") as guard:
            await GuardedChatModel(inner=inner, guard=guard).ainvoke(history)
        one, two, cut, three, called, result, four = inner.seen[0][0]
        assert [one, two, three, result, four] == [history[place] for place in (0, 2, 4, 6, 7)]
        assert cut.content == [{"type": "text", "text": "No."}, {"type": "image", "url": "x"}]
        assert (called.content, called.tool_calls) == ("", [call])
        assert silent.content == ENGLISH.warn_abuse, "the caller's own history stays"

    asyncio.run(story())
