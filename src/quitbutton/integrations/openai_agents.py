"""OpenAI Agents SDK: a model behind the guard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents import AgentOutputSchemaBase, FunctionTool, Handoff, Model, ModelResponse, ModelSettings, Tool, Usage
from agents.items import TResponseInputItem
from agents.models.fake_id import FAKE_RESPONSES_ID
from agents.retry import ModelRetryAdvice, ModelRetryAdviceRequest
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
)

from quitbutton.core.errors import SettingsError
from quitbutton.integrations.view import CUT, Heard, Kind, call, named_tools, offered_in, seen
from quitbutton.library import Guard
from quitbutton.turn.tell import ConversationNotice

Name = str | Callable[[], str | None] | None
BROKEN = ("response.failed", "response.incomplete", "response.error", "error")
BEGUN = ("response.created", "response.in_progress", "response.queued")


class GuardedModel(Model):
    """A model behind `guard`: `Agent(model=GuardedModel(OpenAIResponsesModel(...), guard, conversation=...))`.

    `conversation` and `end_user` are names, or functions that give them for the run under way; without a conversation it is
    the provider's `conversation_id`, or the user's own words. `told` is called with the `quitbutton` object of each reply.
    An ended conversation raises `quitbutton.ConversationEnded` out of the run, or answers with the notice where the policy
    says `locked_reply = "message"`. Where the provider keeps the history (`previous_response_id`, `conversation_id`) the
    tool is not offered, since the provider would keep the press as well: let the policy say `press_by = ["string"]`.
    """

    def __init__(
        self,
        inner: Model,
        guard: Guard,
        conversation: Name = None,
        end_user: Name = None,
        told: Callable[[Mapping[str, Any]], object] | None = None,
    ) -> None:
        self.inner, self.guard = inner, guard
        self.conversation, self.end_user = conversation, end_user
        self.told = told or (lambda note: None)

    async def close(self) -> None:
        """Release what the inner model holds; the guard is yours to close."""
        await self.inner.close()

    def get_retry_advice(self, request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
        """What the user must read is not to be asked again."""
        if isinstance(request.error, ConversationNotice):
            return ModelRetryAdvice(suggested=False, reason=request.error.code)
        return self.inner.get_retry_advice(request)

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: Any,
        **more: Any,
    ) -> ModelResponse:
        """Ask the model under guard."""
        asked = _Asked(system_instructions, input, model_settings, tools, output_schema, (handoffs, tracing), more)
        heard: Heard[ModelResponse] = Heard()

        async def ask(request: dict[str, Any]) -> dict[str, Any]:
            reply = await self.inner.get_response(*asked.under(request), **more)
            return heard.view(reply, _text(reply.output), _calls(reply.output))

        answer = await self.guard.chat(**self._turn(asked), answered_by=ask)
        self.told(answer.quitbutton)
        said = answer.raw["choices"][0]["message"]
        reply = heard.original(said) if heard.is_untouched(said) else None
        if reply is not None:
            return reply
        last = heard.originals[-1] if heard.originals else None
        usage = Usage()
        for one in heard.originals:
            usage.add(one.usage)
        return ModelResponse(_rebuilt(last.output if last else [], said), usage, last.response_id if last else None)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: Any,
        **more: Any,
    ) -> AsyncIterator[Any]:
        """Ask the model under guard; words leave as they come."""
        asked = _Asked(system_instructions, input, model_settings, tools, output_schema, (handoffs, tracing), more)
        heard: Heard[Any] = Heard()
        completed: list[ResponseCompletedEvent] = []

        async def ask(request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
            began = bool(completed)
            async for event in self.inner.stream_response(*asked.under(request), **more):
                if event.type in BROKEN:
                    raise _Broken(event)
                if isinstance(event, ResponseCompletedEvent):
                    completed.append(event)
                elif not (began and event.type in BEGUN):
                    yield heard.view(event, *_parts(event))

        number, told = 0, ""
        try:
            async with self.guard.stream(**self._turn(asked), answered_by=ask) as stream:
                async for chunk in stream.chunks():
                    event = _event(heard, chunk, number)
                    if event is None or not told.endswith(_summary(event)):
                        continue
                    told += _parts(event)[0]
                    number = getattr(event, "sequence_number", number) + 1
                    yield event
        except _Broken as broken:
            yield broken.event
            return
        self.told(stream.answer.quitbutton)
        yield _completed(completed, stream.answer.raw["choices"][0]["message"], number)

    def _turn(self, asked: _Asked) -> dict[str, Any]:
        """The turn as the guard sees it."""
        conversation = _named(self.conversation) or asked.more.get("conversation_id")
        if asked.is_kept and conversation is None:
            raise SettingsError(
                "With previous_response_id the history is not in the request: name the conversation, "
                "GuardedModel(..., conversation=...)."
            )
        settings = asked.settings
        kept = [CUT] if asked.is_kept else []
        choice = "none" if asked.is_kept else settings.tool_choice
        schema = asked.schema
        return {
            "messages": [*kept, *seen(_view(one) for one in asked.items)],
            "conversation": conversation,
            "end_user": _named(self.end_user),
            "tools": named_tools(str(tool.name) for tool in asked.tools),
            "tool_choice": choice if choice in (None, "auto", "none") else "required",
            "response_format": {"type": "json_schema"} if schema and not schema.is_plain_text() else None,
        }


@dataclass(frozen=True, slots=True)
class _Asked:
    """The arguments of a model call."""

    system: str | None
    input: str | list[TResponseInputItem]
    settings: ModelSettings
    tools: list[Tool]
    schema: AgentOutputSchemaBase | None
    rest: tuple[Any, ...]
    more: dict[str, Any]

    @property
    def items(self) -> list[Any]:
        """The history's items."""
        return [{"role": "user", "content": self.input}] if isinstance(self.input, str) else self.input

    @property
    def is_kept(self) -> bool:
        """True where the provider keeps the history and the request brings only what is new."""
        return bool(self.more.get("previous_response_id") or self.more.get("conversation_id"))

    def under(self, request: dict[str, Any]) -> tuple[Any, ...]:
        """The same with our notes after the history, and the button among the tools."""
        items = KIND.restored(request["messages"], [[item] for item in self.items])
        offered = [_tool(function) for function in offered_in(request)]
        tools = [*self.tools, *offered] if offered else self.tools
        return self.system, [one for several in items for one in several], self.settings, tools, self.schema, *self.rest


class _Broken(Exception):
    def __init__(self, event: Any) -> None:
        super().__init__(event.type)
        self.event = event


def _named(name: Name) -> str | None:
    return name() if callable(name) else name


def _tool(function: dict[str, Any]) -> FunctionTool:
    async def never(context: Any, arguments: str) -> str:
        raise RuntimeError("The guard answers this tool itself.")

    return FunctionTool(function["name"], function["description"], function["parameters"], never)


def _view(item: Any) -> dict[str, Any]:
    plain = item if isinstance(item, Mapping) else item.model_dump(exclude_none=True)
    kind = plain.get("type", "message")
    if kind != "message":
        return {"role": "tool" if kind.endswith("_output") else "assistant", "content": None}
    return {"role": plain["role"], "content": plain.get("content")}


def _made(message: dict[str, Any]) -> list[Any]:
    """A message of ours as items: a note, a press, the button's answer to it."""
    if message["role"] not in ("assistant", "tool"):
        return [{"role": message["role"], "content": message["content"]}]
    if message["role"] == "tool":
        output = {"type": "function_call_output", "call_id": message["tool_call_id"], "output": message["content"]}
        return [output]
    pressed = [
        {"type": "function_call", "call_id": one["id"], **one["function"]} for one in message.get("tool_calls") or ()
    ]
    return [*([{"role": "assistant", "content": message["content"]}] if message["content"] else ()), *pressed]


def _reworded(items: list[Any], content: Any) -> list[Any]:
    return [{**(one if isinstance(one, Mapping) else one.model_dump()), "content": content} for one in items]


KIND = Kind(lambda items: _view(items[0]), _made, _reworded)


def _text(output: list[Any]) -> str:
    parts = (part for item in output if isinstance(item, ResponseOutputMessage) for part in item.content)
    return "".join(part.text if isinstance(part, ResponseOutputText) else part.refusal for part in parts)


def _calls(output: list[Any]) -> list[dict[str, Any]]:
    return [call(one.call_id, one.name, one.arguments) for one in output if isinstance(one, ResponseFunctionToolCall)]


def _rebuilt(output: list[Any], said: Mapping[str, Any]) -> list[Any]:
    """The items with other words and without the calls that were ours. Reasoning belongs to the words it led to."""
    kept = {one["id"] for one in said.get("tool_calls") or ()}
    text = said.get("content") or ""
    calls = [one for one in output if isinstance(one, ResponseFunctionToolCall) and one.call_id in kept]
    if text == _text(output):
        return [one for one in output if not isinstance(one, ResponseFunctionToolCall) or one in calls]
    return [*([_message(text)] if text else ()), *calls]


def _message(text: str) -> ResponseOutputMessage:
    part = ResponseOutputText(text=text, type="output_text", annotations=[], logprobs=[])
    return ResponseOutputMessage(
        id=FAKE_RESPONSES_ID, content=[part], role="assistant", status="completed", type="message"
    )


def _parts(event: Any) -> tuple[str, list[dict[str, Any]]]:
    """The words and calls of a streamed event."""
    match event.type:
        case "response.output_text.delta" | "response.refusal.delta":
            return event.delta, []
        case "response.output_item.added" if event.item.type == "function_call":
            return "", [call(event.item.call_id, event.item.name, event.item.arguments or "", event.output_index)]
        case "response.function_call_arguments.delta":
            return "", [call("", "", event.delta, event.output_index)]
        case "response.function_call_arguments.done":
            return "", [call("", "", "", event.output_index)]
        case "response.output_item.done" if event.item.type == "function_call":
            return "", [call("", "", "", event.output_index)]
        case _:
            return "", []


def _event(heard: Heard[Any], chunk: dict[str, Any], number: int) -> Any:
    """What the run gets for a chunk: the original where it was left alone, our words, or nothing."""
    said = next((choice.get("delta") or {} for choice in chunk.get("choices") or ()), {})
    original = heard.original(said)
    if original is not None and (heard.is_untouched(said) or said.get("tool_calls")):
        return original
    text = said.get("content")
    if not text:
        return None
    if original is not None:
        return original.model_copy(update={"delta": text})
    return ResponseTextDeltaEvent(
        content_index=0,
        delta=text,
        item_id=FAKE_RESPONSES_ID,
        logprobs=[],
        output_index=0,
        sequence_number=number,
        type="response.output_text.delta",
    )


def _summary(event: Any) -> str:
    """The words that an event repeats: it is left out where not all of them were told before."""
    match event.type:
        case "response.output_text.done":
            return str(event.text)
        case "response.content_part.done":
            return str(getattr(event.part, "text", ""))
        case "response.output_item.done":
            return _text([event.item])
        case _:
            return ""


def _completed(completed: list[ResponseCompletedEvent], said: Mapping[str, Any], number: int) -> ResponseCompletedEvent:
    """The event that closes the reply, with what the guard let through as its output."""
    output = completed[-1].response.output if completed else []
    if completed and len(completed) == 1 and (said.get("content") or "") == _text(output):
        kept = {one["id"] for one in said.get("tool_calls") or ()}
        if all(one["id"] in kept for one in _calls(output)):
            return completed[0]
    changed = {"output": _rebuilt(output, said)}
    response = completed[-1].response if completed else _empty()
    return ResponseCompletedEvent(
        response=response.model_copy(update=changed), sequence_number=number, type="response.completed"
    )


def _empty() -> Response:
    return Response(
        id=FAKE_RESPONSES_ID,
        created_at=0,
        model="",
        object="response",
        output=[],
        parallel_tool_calls=False,
        tool_choice="auto",
        tools=[],
    )
