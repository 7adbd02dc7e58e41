"""LangChain: a chat model behind the guard, and the agent middleware that puts it there."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import reduce
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables.config import ensure_config, var_child_runnable_config
from pydantic import ConfigDict, Field, PrivateAttr

from quitbutton.integrations.blocking import Loop
from quitbutton.integrations.view import Heard, Kind, call, named_tools, offered_in, seen
from quitbutton.library import Guard

ROLES = {"human": "user", "ai": "assistant", "tool": "tool", "system": "system"}
OURS = ("tools", "conversation", "end_user")
"""Bound to the guarded model, and not for the inner one as they are."""
METADATA = "quitbutton"
"""Where a reply's `response_metadata` carries the object for programs."""


class GuardedChatModel(BaseChatModel):
    """`inner` behind `guard`, to be used wherever a chat model is.

    `bind(conversation=..., end_user=...)` names them; inside a graph they are `thread_id` and `user_id` of its
    `configurable`. Each reply has the `quitbutton` object in its `response_metadata`. An ended conversation raises
    `quitbutton.ConversationEnded`, or answers with the notice where the policy says `locked_reply = "message"`. Callbacks
    see the guarded reply alone, never a press. Replies are not cached: a cached one would pass by the guard.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    inner: BaseChatModel
    guard: Guard = Field(exclude=True)
    cache: bool = False
    _loop: Loop = PrivateAttr(default_factory=Loop)

    @property
    def _llm_type(self) -> str:
        return f"quitbutton-{self.inner._llm_type}"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """The same with tools, for the inner model to bind in its own way."""
        return self.bind(tools=list(tools), **kwargs)

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        heard: Heard[AIMessage] = Heard()

        async def ask(request: dict[str, Any]) -> dict[str, Any]:
            model, sent = self._asked(request, messages, kwargs)
            reply = await model.ainvoke(sent, stop=stop)
            return heard.view(reply, reply.text, _calls(reply))

        answer = await self.guard.chat(**self._turn(messages, kwargs), answered_by=ask)
        said = answer.raw["choices"][0]["message"]
        reply = heard.original(said) if heard.is_untouched(said) else _rebuilt(heard.originals, said)
        note = {METADATA: answer.quitbutton} if answer.quitbutton else {}
        told = (reply or AIMessage("")).model_copy(
            update={"response_metadata": {**(reply.response_metadata if reply else {}), **note}}
        )
        return ChatResult(generations=[ChatGeneration(message=told)])

    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncGenerator[ChatGenerationChunk, None]:
        heard: Heard[AIMessageChunk] = Heard()

        async def ask(request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
            model, sent = self._asked(request, messages, kwargs)
            async for part in model.astream(sent, stop=stop):
                yield heard.view(part, part.text, _call_parts(part))

        async with self.guard.stream(**self._turn(messages, kwargs), answered_by=ask) as stream:
            async for chunk in stream.chunks():
                yield ChatGenerationChunk(message=_chunk(heard, chunk))

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return self._loop.run(self._agenerate(messages, stop, None, **kwargs))

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        return self._loop.iterate(self._astream(messages, stop, None, **kwargs))

    def _turn(self, messages: list[BaseMessage], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The turn as the guard sees it."""
        names = ensure_config().get("configurable") or {}
        forced = kwargs.get("tool_choice")
        binds = type(self.inner).bind_tools is not BaseChatModel.bind_tools
        choice = None if binds and forced in (None, "auto") else "required" if binds and forced != "none" else "none"
        return {
            "messages": seen(_view(one) for one in messages),
            "conversation": kwargs.get("conversation") or names.get("thread_id"),
            "end_user": kwargs.get("end_user") or names.get("user_id"),
            "tools": named_tools(_name(tool) for tool in kwargs.get("tools") or ()),
            "tool_choice": choice,
            "response_format": {"type": "json_schema"} if kwargs.get("response_format") else None,
        }

    def _asked(self, request: dict[str, Any], messages: list[BaseMessage], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """The inner model with its tools and the button, and the messages it gets; callbacks are not for its ears."""
        var_child_runnable_config.set({**ensure_config(), "callbacks": None})
        given = {name: value for name, value in kwargs.items() if name not in OURS}
        offered = [{"type": "function", "function": function} for function in offered_in(request)]
        tools = [*(kwargs.get("tools") or ()), *offered]
        model: Any = self.inner
        if tools:
            model = model.bind_tools(tools, **given)
        elif given:
            model = model.bind(**given)
        return model, KIND.restored(request["messages"], messages)


class QuitButtonMiddleware(AgentMiddleware[Any, Any, Any]):
    """Puts the guard around the model of an agent: `create_agent(model, middleware=[QuitButtonMiddleware(guard)])`.

    Put it last in the list, next to the model, and retries and fallbacks before it: an ended conversation raises
    `quitbutton.ConversationEnded`, which is to be shown, not retried; see `GuardedChatModel`.
    """

    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self.guard = guard

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Ask the guarded model instead."""
        return handler(self._guarded(request))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """Ask the guarded model instead."""
        return await handler(self._guarded(request))

    def _guarded(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        model = GuardedChatModel(inner=request.model, guard=self.guard, profile=request.model.profile)
        return request.override(model=model)


def _view(message: BaseMessage) -> dict[str, Any]:
    # Text that a middleware put in a user's place (a summary) is nobody's own words.
    is_made = bool(message.additional_kwargs.get("lc_source"))
    content = message.content
    if isinstance(content, list):
        content = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
    calls = [one["name"] for one in message.tool_calls] if isinstance(message, AIMessage) else []
    more = {"tool_calls": calls} if calls else {}
    return {"role": "system" if is_made else ROLES.get(message.type, "system"), "content": content, **more}


def _made(message: dict[str, Any]) -> BaseMessage:
    """A message of ours in LangChain's kind: a note, a press, the button's answer to it."""
    text = message["content"] or ""
    if message["role"] == "tool":
        return ToolMessage(text, tool_call_id=message["tool_call_id"])
    if message["role"] != "assistant":
        return HumanMessage(text) if message["role"] == "user" else SystemMessage(text)
    calls = [
        {"name": one["function"]["name"], "args": _arguments(one["function"]["arguments"]), "id": one["id"]}
        for one in message.get("tool_calls") or ()
    ]
    return AIMessage(text, tool_calls=calls)


def _reworded(message: BaseMessage, content: Any) -> BaseMessage:
    return message.model_copy(update={"content": content or ""})


KIND = Kind(_view, _made, _reworded)


def _rebuilt(replies: list[AIMessage], said: dict[str, Any]) -> AIMessage:
    """The last reply with other words and without the calls that were ours."""
    last = replies[-1] if replies else AIMessage("")
    kept = {one["id"] for one in said.get("tool_calls") or ()}
    return AIMessage(
        said.get("content") or "",
        id=last.id,
        tool_calls=[one for one in last.tool_calls if one["id"] in kept],
        invalid_tool_calls=[one for one in last.invalid_tool_calls if one["id"] in kept],
        response_metadata=last.response_metadata,
        usage_metadata=_usage(replies),
    )


def _usage(replies: list[AIMessage]) -> UsageMetadata | None:
    """The tokens of all calls of a turn: the caller pays for each."""
    counted = [one.usage_metadata for one in replies if one.usage_metadata is not None]
    return reduce(add_usage, counted) if counted else None


def _chunk(heard: Heard[AIMessageChunk], chunk: dict[str, Any]) -> AIMessageChunk:
    said = next((choice.get("delta") or {} for choice in chunk.get("choices") or ()), {})
    original = heard.original(said)
    told = AIMessageChunk(content="") if original is None else original
    if not heard.is_untouched(said):
        calls = [
            tool_call_chunk(
                name=one["function"].get("name") or None,
                args=one["function"].get("arguments"),
                id=one.get("id") or None,
                index=one.get("index"),
            )
            for one in said.get("tool_calls") or ()
        ]
        usage = original.usage_metadata if original is not None else None
        told = AIMessageChunk(content=said.get("content") or "", tool_call_chunks=calls, usage_metadata=usage)
    note = chunk.get("quitbutton")
    more = {"response_metadata": {**told.response_metadata, METADATA: note}} if note else {}
    return told.model_copy(update={"id": None, "chunk_position": None, **more})


def _calls(reply: AIMessage) -> list[dict[str, Any]]:
    calls = [call(one["id"], one["name"], json.dumps(one["args"])) for one in reply.tool_calls]
    return calls + [call(one["id"], one["name"] or "", one["args"] or "") for one in reply.invalid_tool_calls]


def _call_parts(part: AIMessageChunk) -> list[dict[str, Any]]:
    return [
        call(one["id"], one["name"] or "", one["args"] or "", one["index"] if isinstance(one["index"], int) else place)
        for place, one in enumerate(part.tool_call_chunks)
    ]


def _name(tool: Any) -> str:
    if isinstance(tool, dict):
        return str(tool.get("name") or (tool.get("function") or {}).get("name") or tool.get("type") or "")
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", ""))


def _arguments(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


__all__ = ["GuardedChatModel", "QuitButtonMiddleware"]
