"""The guard around a model of the OpenAI Agents SDK, against the real package."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

pytest.importorskip("agents", reason="pip install 'quitbutton[openai-agents]', or: make integrations")

from agents import Agent, Model, ModelResponse, ModelSettings, RunConfig, Runner, Usage, function_tool
from agents.models.interface import ModelTracing
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
)

import quitbutton
from quitbutton.core.notices import ENGLISH
from quitbutton.integrations.openai_agents import GuardedModel

RUN = RunConfig(tracing_disabled=True)


def words(text: str) -> ResponseOutputMessage:
    part = ResponseOutputText(text=text, type="output_text", annotations=[], logprobs=[])
    return ResponseOutputMessage(id="m", content=[part], role="assistant", status="completed", type="message")


def tool_call(name: str, arguments: str, call_id: str) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(arguments=arguments, call_id=call_id, name=name, type="function_call", id="f")


class Scripted(Model):
    """A model, whole and streamed, that presses whenever it can."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, list[str], dict[str, Any]]] = []
        self.text = "Let us talk about trains."

    def output(self, items: Any, tools: list[Any], more: dict[str, Any]) -> list[Any]:
        names = [tool.name for tool in tools]
        self.seen.append((items, names, more))
        newest = items if isinstance(items, str) else str(items[-1])
        if newest.startswith("{'content': 'weather") or newest.startswith("{'role': 'user', 'content': 'weather"):
            return [tool_call("weather", '{"city": "Bern"}', "w1")]
        if "end_conversation" in names and "Sunny" not in newest and "Not ended" not in newest:
            return [tool_call("end_conversation", '{"reason": "abuse", "explanation": "x"}', f"c{len(self.seen)}")]
        return [words(self.text)]

    async def get_response(
        self, system: Any, input: Any, settings: Any, tools: Any, *rest: Any, **more: Any
    ) -> ModelResponse:
        return ModelResponse(self.output(input, tools, more), Usage(requests=1, output_tokens=3), "r")

    async def stream_response(
        self, system: Any, input: Any, settings: Any, tools: Any, *rest: Any, **more: Any
    ) -> AsyncIterator[Any]:
        output = self.output(input, tools, more)
        at: dict[str, Any] = {"output_index": 0, "sequence_number": 0}
        for item in output:
            if isinstance(item, ResponseFunctionToolCall):
                bare = item.model_copy(update={"arguments": ""})
                yield ResponseOutputItemAddedEvent(item=bare, type="response.output_item.added", **at)
                for part in (item.arguments[:4], item.arguments[4:]):
                    kind: Any = "response.function_call_arguments.delta"
                    yield ResponseFunctionCallArgumentsDeltaEvent(delta=part, item_id="f", type=kind, **at)
            else:
                for word in re.findall(r"\S+\s*", item.content[0].text):
                    yield ResponseTextDeltaEvent(
                        content_index=0,
                        delta=word,
                        item_id="m",
                        logprobs=[],
                        type="response.output_text.delta",
                        **at,
                    )
            yield ResponseOutputItemDoneEvent(item=item, type="response.output_item.done", **at)
        response = Response(
            id="r", created_at=0, model="m", object="response", output=output, parallel_tool_calls=False,
            tool_choice="auto", tools=[],
        )  # fmt: skip
        yield ResponseCompletedEvent(response=response, sequence_number=9, type="response.completed")


@function_tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"[abuse] [crisis] Sunny in {city}."


class Talk:
    """A conversation with an agent, whole or streamed."""

    def __init__(self, guard: quitbutton.Guard, streams: bool, **more: Any) -> None:
        self.inner, self.streams = Scripted(), streams
        self.notes: list[Any] = []
        model = GuardedModel(
            self.inner, guard, **{"conversation": "c", "end_user": lambda: "u", **more}, told=self.notes.append
        )
        self.agent = Agent(name="a", instructions="Be kind.", model=model, tools=[weather])
        self.history: list[Any] = []
        self.deltas: list[Any] = []

    async def says(self, text: str, **more: Any) -> str:
        asked = [*self.history, {"role": "user", "content": text}]
        if self.streams:
            run = Runner.run_streamed(self.agent, asked, run_config=RUN, **more)
            self.deltas = [event.data async for event in run.stream_events() if event.type == "raw_response_event"]
            result: Any = run
        else:
            result = await Runner.run(self.agent, asked, run_config=RUN, **more)
        self.history = result.to_input_list()
        return str(result.final_output)


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_the_ladder_to_its_end(streams: bool) -> None:
    async def story() -> None:
        async with quitbutton.Guard(assessor="scripted") as guard:
            talk = Talk(guard, streams)
            for turn in range(4):
                before = talk.history
                assert (await talk.says(f"[abuse] {turn}")).strip()
            assert [note["state"] for note in talk.notes] == ["redirected", "redirected", "warned", "ended"]
            assert "end_conversation" not in str(talk.history)
            asked = len(talk.inner.seen)
            with pytest.raises(quitbutton.ConversationEnded, match=r"abuse that went on after a warning.*new chat"):
                await talk.says("hello?")
            assert len(talk.inner.seen) == asked
            talk.history = before[:2]
            await talk.says("Let us talk about trains.")
            assert talk.notes[-1]["state"] == "redirected"

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_own_tools_are_untouched_and_a_tool_result_is_nobodys_words(streams: bool) -> None:
    async def story() -> None:
        async with quitbutton.Guard(assessor="scripted") as guard:
            talk = Talk(guard, streams)
            assert (await talk.says("weather in Bern?")).strip() == "Let us talk about trains."
            assert talk.inner.seen[0][1] == ["weather", "end_conversation"]
            assert [item.get("type", "message") for item in talk.history] == [
                "message", "function_call", "function_call_output", "message",
            ]  # fmt: skip
            assert talk.notes[-1]["decision"] == "pass"

    asyncio.run(story())


def test_no_press_in_a_stream_and_words_leave_as_they_come() -> None:
    async def story() -> None:
        async with quitbutton.Guard(assessor="scripted") as guard:
            talk = Talk(guard, streams=True)
            await talk.says("Good morning")
            assert "end_conversation" not in str(talk.deltas)
            assert len([one for one in talk.deltas if one.type == "response.output_text.delta"]) == 5
            assert len([one for one in talk.deltas if one.type == "response.completed"]) == 1
            assert len([one for one in talk.deltas if one.type == "response.output_item.done"]) == 1

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_a_crisis_takes_the_button_away(streams: bool) -> None:
    async def story() -> None:
        async with quitbutton.Guard(assessor="scripted") as guard:
            talk = Talk(guard, streams)
            await talk.says("[crisis] [abuse]")
            assert talk.notes[-1]["decision"] == "support"
            assert talk.inner.seen[0][1] == ["weather"]

    asyncio.run(story())


def test_an_exit_string_never_reaches_the_caller_in_any_event() -> None:
    async def story() -> None:
        policy = {"press_by": ["string"], "exit_string": "[[LEAVE]]"}
        async with quitbutton.Guard(policy=policy, assessor="scripted") as guard:
            talk = Talk(guard, streams=True)
            talk.inner.text = "I am done. [[LEAVE]]"
            heard = ""
            for turn in range(4):
                await talk.says(f"[abuse] {turn}")
                heard += str(talk.deltas)
            assert talk.notes[-1]["state"] == "ended"
            assert "I am done." in str(talk.deltas[-1])
            assert "LEAVE" not in heard

    asyncio.run(story())


def test_where_the_provider_keeps_the_history_the_lock_holds_and_the_tool_is_not_offered() -> None:
    async def story() -> None:
        policy = {"assist": True, "speaker": "gateway"}
        async with quitbutton.Guard(policy=policy, assessor="scripted") as guard:
            talk = Talk(guard, streams=False, conversation=None)
            for turn in range(4):
                talk.history = []
                await talk.says(f"[abuse] {turn}", conversation_id="kept")
            assert talk.notes[-1]["state"] == "ended"
            talk.history = []
            with pytest.raises(quitbutton.ConversationEnded):
                await talk.says("hello?", conversation_id="kept")
            talk.history = []
            await talk.says("Hello", conversation_id="another")
            assert "end_conversation" not in talk.inner.seen[-1][1]
            with pytest.raises(quitbutton.SettingsError, match="name the conversation"):
                await talk.says("Hello", previous_response_id="r")

    asyncio.run(story())


def test_retries_are_advised_against_for_an_ended_conversation() -> None:
    async def story() -> None:
        from agents.retry import ModelRetryAdviceRequest

        async with quitbutton.Guard(assessor="scripted") as guard:
            model = GuardedModel(Scripted(), guard)
            request = ModelRetryAdviceRequest(quitbutton.ConversationEnded("x"), 1, False)
            advice = model.get_retry_advice(request)
            assert advice is not None
            assert advice.suggested is False
            plain = await model.get_response(None, "Hi", ModelSettings(), [], None, [], ModelTracing.DISABLED)
            assert plain.output[0].content[0].text == "Let us talk about trains."  # type: ignore[union-attr]

    asyncio.run(story())


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_texts_of_ours_in_the_history_do_not_reach_the_model(streams: bool) -> None:
    async def story() -> None:
        async with quitbutton.Guard(assessor="scripted") as guard:
            talk = Talk(guard, streams)
            ours = words(ENGLISH.redirect_abuse).model_dump()
            both = words(f"No.\n\n{ENGLISH.warn_harm}").model_dump()
            user = {"role": "user", "content": "one"}
            talk.history = [user, ours, user, both]
            await talk.says("two")
            sent = talk.inner.seen[0][0]
            assert sent[:2] == [user, user]
            assert sent[2]["content"][0]["text"] == "No."
            assert (sent[2]["id"], sent[2]["role"]) == ("m", "assistant")
            assert sent[3] == {"role": "user", "content": "two"}

    asyncio.run(story())
