"""Pydantic AI: a model behind the guard."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic_ai import messages as ai
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import RunContext, ToolDefinition

from quitbutton.integrations.view import Heard, Kind, call, named_tools, offered_in, seen
from quitbutton.library import Guard, Stream

METADATA = "quitbutton"
"""Where a response's `metadata` carries the object for programs."""
Call = tuple[list[ai.ModelMessage], ModelSettings | None, ModelRequestParameters]


class GuardedModel(WrapperModel):
    """A model behind `guard`: `Agent(GuardedModel("openai:gpt-5", guard))`.

    The conversation is Pydantic AI's own `conversation_id`, which goes with the message history. `end_user` is a name, or a
    function that gives it for the run under way. Each response has the `quitbutton` object in its `metadata`. An ended
    conversation raises `quitbutton.ConversationEnded`, or answers with the notice where the policy says
    `locked_reply = "message"`. Put it inside of a `FallbackModel`, whose `fallback_on` does not name that error.
    """

    def __init__(self, wrapped: Any, guard: Guard, end_user: str | Callable[[], str | None] | None = None) -> None:
        super().__init__(wrapped)
        self.guard = guard
        self.end_user = end_user

    async def request(
        self,
        messages: list[ai.ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ai.ModelResponse:
        """Ask the model under guard."""
        given: Call = (messages, model_settings, model_request_parameters)
        heard: Heard[ai.ModelResponse] = Heard()

        async def ask(request: dict[str, Any]) -> dict[str, Any]:
            reply = await self.wrapped.request(*_asked(request, given))
            return heard.view(reply, _text(reply), _calls(reply))

        answer = await self.guard.chat(**self._turn(given), answered_by=ask)
        said = answer.raw["choices"][0]["message"]
        reply = heard.original(said) if heard.is_untouched(said) else None
        reply = reply or _rebuilt(heard.originals, said, self.model_name)
        note = {METADATA: answer.quitbutton} if answer.quitbutton else {}
        return replace(reply, metadata={**(reply.metadata or {}), **note})

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ai.ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Ask the model under guard; words leave as they come."""
        given: Call = (messages, model_settings, model_request_parameters)
        heard: Heard[ai.ModelResponseStreamEvent] = Heard()
        replies: list[StreamedResponse] = []

        async def ask(request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
            async with self.wrapped.request_stream(*_asked(request, given), run_context) as inner:
                replies.append(inner)
                async for event in inner:
                    if isinstance(event, ai.PartStartEvent | ai.PartDeltaEvent):
                        yield heard.view(event, *_parts(event))

        async with self.guard.stream(**self._turn(given), answered_by=ask) as stream:
            yield GuardedResponse(model_request_parameters, stream, heard, replies, self.wrapped)

    def _turn(self, given: Call) -> dict[str, Any]:
        """The turn as the guard sees it."""
        messages, _, parameters = given
        # A history that came without its ids is known by its words.
        knows_ids = messages[0].conversation_id is not None
        return {
            "messages": seen(_view(one) for one in messages),
            "conversation": messages[-1].conversation_id if knows_ids else None,
            "end_user": self.end_user() if callable(self.end_user) else self.end_user,
            "tools": named_tools(tool.name for tool in parameters.function_tools),
            "tool_choice": None if parameters.allow_text_output or parameters.output_object else "required",
            "response_format": {"type": "json_schema"} if parameters.output_object else None,
        }


@dataclass
class GuardedResponse(StreamedResponse):
    """A response as it comes through the guard."""

    guarded: Stream
    heard: Heard[ai.ModelResponseStreamEvent]
    replies: list[StreamedResponse]
    """The model's own, one a call."""
    model: Model
    _at: datetime = field(default_factory=lambda: datetime.now().astimezone())

    async def _get_event_iterator(self) -> AsyncIterator[ai.ModelResponseStreamEvent]:
        async for chunk in self.guarded.chunks():
            said = next((choice.get("delta") or {} for choice in chunk.get("choices") or ()), {})
            for event in self._events(said):
                yield event
            if note := chunk.get("quitbutton"):
                self.metadata = {**(self.metadata or {}), METADATA: note}
        for reply in self.replies:
            self._usage = self._usage + reply.usage
            is_call = reply.finish_reason == "tool_call" and not self.guarded.answer.tool_calls
            self.finish_reason = "stop" if is_call else reply.finish_reason
            self.provider_response_id, self.provider_details = reply.provider_response_id, reply.provider_details
            self.canonical_system = reply.canonical_system

    def _events(self, said: dict[str, Any]) -> Iterator[ai.ModelResponseStreamEvent]:
        original, parts = self.heard.original(said), self._parts_manager
        place = f"{len(self.replies)}.{getattr(original, 'index', 'ours')}"
        text, calls = said.get("content"), said.get("tool_calls") or ()
        if text:
            part = original.part if isinstance(original, ai.PartStartEvent) else None
            names: dict[str, Any] = (
                {"id": part.id, "provider_name": part.provider_name} if isinstance(part, ai.TextPart) else {}
            )
            yield from parts.handle_text_delta(vendor_part_id=place, content=text, **names)
        for one in calls:
            function = one["function"]
            yield from parts.handle_tool_call_delta_events(
                vendor_part_id=f"{len(self.replies)}.call.{one['index']}",
                tool_name=function["name"] or None,
                args=function["arguments"] or None,
                tool_call_id=one["id"] or None,
            )
        if original is not None and not text and not calls and self.heard.is_untouched(said):
            yield from self._others(original, place)

    def _others(self, event: ai.ModelResponseStreamEvent, place: str) -> Iterator[ai.ModelResponseStreamEvent]:
        """Thinking, files and what else a model may send besides words and calls."""
        if isinstance(event, ai.PartStartEvent) and not isinstance(event.part, ai.TextPart | ai.ToolCallPart):
            yield self._parts_manager.handle_part(vendor_part_id=place, part=event.part)
        elif isinstance(event, ai.PartDeltaEvent) and isinstance(event.delta, ai.ThinkingPartDelta):
            yield from self._parts_manager.handle_thinking_delta(
                vendor_part_id=place,
                content=event.delta.content_delta,
                signature=event.delta.signature_delta,
                provider_name=event.delta.provider_name,
                provider_details=event.delta.provider_details,
            )

    async def close_stream(self) -> None:
        """Stop the model; what was said stays on record."""
        self.guarded.stop()

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self.replies[-1].model_name if self.replies else self.model.model_name

    @property
    def provider_name(self) -> str | None:
        """The provider's name."""
        return self.replies[-1].provider_name if self.replies else None

    @property
    def provider_url(self) -> str | None:
        """The provider's address."""
        return self.replies[-1].provider_url if self.replies else None

    @property
    def timestamp(self) -> datetime:
        """When the response began."""
        return self._at


def _asked(request: dict[str, Any], given: Call) -> Call:
    """What the inner model gets: the originals with our notes, and the button among the tools."""
    messages, settings, parameters = given
    if offered := [_tool(function) for function in offered_in(request)]:
        parameters = replace(parameters, function_tools=[*parameters.function_tools, *offered])
    return KIND.restored(request["messages"], messages), settings, parameters


def _tool(function: dict[str, Any]) -> ToolDefinition:
    name, about, schema = function["name"], function["description"], function["parameters"]
    return ToolDefinition(name=name, parameters_json_schema=schema, description=about)


def _view(message: ai.ModelMessage) -> dict[str, Any]:
    if isinstance(message, ai.ModelResponse):
        calls = [part.tool_name for part in message.parts if isinstance(part, ai.ToolCallPart)]
        return {"role": "assistant", "content": _text(message), **({"tool_calls": calls} if calls else {})}
    prompts = [part.content for part in message.parts if isinstance(part, ai.UserPromptPart)]
    content = [item for prompt in prompts for item in ([prompt] if isinstance(prompt, str) else prompt)]
    return {"role": "user" if prompts else "tool", "content": [_item(one) for one in content if not _is_hint(one)]}


def _item(item: Any) -> dict[str, Any]:
    text = item if isinstance(item, str) else getattr(item, "content", None)
    if isinstance(text, str):
        return {"type": "text", "text": text}
    names = ("url", "data", "file_id", "media_type")
    return {"type": type(item).__name__, **{name: getattr(item, name, None) for name in names}}


def _is_hint(item: Any) -> bool:
    return isinstance(item, ai.CachePoint)


def _made(message: dict[str, Any]) -> ai.ModelMessage:
    """A message of ours in Pydantic AI's kind: a note, a press, the button's answer to it."""
    text = message["content"] or ""
    if message["role"] == "assistant":
        pressed = [
            ai.ToolCallPart(one["function"]["name"], one["function"]["arguments"], one["id"])
            for one in message.get("tool_calls") or ()
        ]
        return ai.ModelResponse(parts=[*([ai.TextPart(text)] if text else ()), *pressed])
    if message["role"] == "tool":
        return ai.ModelRequest(parts=[ai.ToolReturnPart(message["name"], text, message["tool_call_id"])])
    kind = ai.UserPromptPart if message["role"] == "user" else ai.SystemPromptPart
    return ai.ModelRequest(parts=[kind(text)])


def _reworded(message: ai.ModelMessage, text: str | None) -> ai.ModelMessage:
    if not isinstance(message, ai.ModelResponse):
        return message
    others = [part for part in message.parts if not isinstance(part, ai.TextPart)]
    place = next((place for place, part in enumerate(others) if isinstance(part, ai.ToolCallPart)), len(others))
    return replace(message, parts=[*others[:place], *([ai.TextPart(text)] if text else ()), *others[place:]])


KIND = Kind(_view, _made, _reworded)


def _rebuilt(replies: list[ai.ModelResponse], said: dict[str, Any], model: str) -> ai.ModelResponse:
    """The last response with other words and without the calls that were ours."""
    last = replies[-1] if replies else ai.ModelResponse(parts=[], model_name=model)
    kept = {one["id"] for one in said.get("tool_calls") or ()}
    others = [part for part in last.parts if not isinstance(part, ai.TextPart | ai.ToolCallPart)]
    calls = [part for part in last.parts if isinstance(part, ai.ToolCallPart) and part.tool_call_id in kept]
    usage = last.usage
    for earlier in replies[:-1]:
        usage = usage + earlier.usage
    text = [ai.TextPart(said["content"])] if said.get("content") else []
    finish = last.finish_reason if kept else "stop"
    return replace(last, parts=[*others, *text, *calls], usage=usage, finish_reason=finish)


def _parts(event: ai.PartStartEvent | ai.PartDeltaEvent) -> tuple[str, list[dict[str, Any]]]:
    """The words and calls of a streamed event."""
    match event:
        case ai.PartStartEvent(part=ai.TextPart(content=text)):
            return text, []
        case ai.PartDeltaEvent(delta=ai.TextPartDelta(content_delta=text)):
            return text, []
        case ai.PartStartEvent(part=ai.ToolCallPart() as part):
            return "", [call(part.tool_call_id, part.tool_name, _arguments(part.args), event.index)]
        case ai.PartDeltaEvent(delta=ai.ToolCallPartDelta() as delta):
            arguments = _arguments(delta.args_delta)
            return "", [call(delta.tool_call_id, delta.tool_name_delta or "", arguments, event.index)]
        case _:
            return "", []


def _text(reply: ai.ModelResponse) -> str:
    return "".join(part.content for part in reply.parts if isinstance(part, ai.TextPart))


def _calls(reply: ai.ModelResponse) -> list[dict[str, Any]]:
    parts: Sequence[Any] = [part for part in reply.parts if isinstance(part, ai.ToolCallPart)]
    return [call(part.tool_call_id, part.tool_name, part.args_as_json_str()) for part in parts]


def _arguments(given: str | dict[str, Any] | None) -> str:
    return given if isinstance(given, str) else json.dumps(given) if given else ""
