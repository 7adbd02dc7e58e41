"""Answers with an async callable of this process: any model that can be called can be guarded."""

from __future__ import annotations

import inspect
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from quitbutton.adapters.splice import encode
from quitbutton.adapters.sse import frame_of
from quitbutton.core.errors import UpstreamFailed
from quitbutton.interfaces import Headers
from quitbutton.upstreams.assembled import Assembly

Model = Callable[[dict[str, Any]], Any]
"""Gets a chat request in OpenAI's shape (`model`, `messages`, perhaps `tools`, `stream`, ...) and returns, or is an
awaitable of, one of: a text; a message or a chat completion, as dict or pydantic object; an async iterator of texts,
deltas or chunks."""

REFUSED = (400, 404, 422, 500)
"""Statuses, on the exceptions of SDKs, with which a server refuses a request for its form."""
ALLOWED = "text, a message, a chat completion, or an async iterator of texts or chunks"


class ModelFailed(UpstreamFailed):
    """The callable raised; `error` is what it raised."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"The model failed: {type(error).__name__}. Try again.")
        self.error = error


@dataclass(slots=True)
class CallableExchange:
    """One answer of a callable, under way."""

    status: int
    headers: Headers
    body: AsyncIterator[bytes]

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises `ModelFailed` when the callable raises."""
        return self.body


class CallableUpstream:
    """Satisfies `Upstream` over an async callable. What was asked for as a stream comes as one, however it was given."""

    max_tokens: int | None = None

    def __init__(self, model: Model) -> None:
        self._model = model

    @asynccontextmanager
    async def send(self, method: str, path: str, headers: Headers, body: bytes) -> AsyncIterator[CallableExchange]:
        """Call the model. Leaving early cancels it. Raises `ModelFailed` when it raises."""
        request: dict[str, Any] = msgspec.json.decode(body)
        made = await self._called(request)
        try:
            if request.get("stream"):
                frames = _frames(made, str(request.get("model", "")))
                yield CallableExchange(200, [("content-type", "text/event-stream")], frames)
            else:
                whole = _once(made, str(request.get("model", "")))
                yield CallableExchange(200, [("content-type", "application/json")], whole)
        finally:
            await _let_go(made)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _called(self, request: dict[str, Any]) -> Any:
        try:
            made = self._model(request)
            return await made if inspect.isawaitable(made) else made
        except Exception as error:
            failure = ModelFailed(error)
            if getattr(error, "status_code", None) in REFUSED:
                failure.said = str(error)
            raise failure from error


async def _let_go(made: Any) -> None:
    """Close an iterator that may not have come to its end: a generator, or a client's stream."""
    close = getattr(made, "aclose", None) or getattr(made, "close", None)
    if close is not None and hasattr(made, "__aiter__"):
        closed = close()
        if inspect.isawaitable(closed):
            await closed


async def _once(made: Any, model: str) -> AsyncIterator[bytes]:
    """A whole reply's bytes, put together where it came in parts."""
    if not hasattr(made, "__aiter__"):
        yield _json(_completion(made, model))
        return
    assembly = Assembly()
    async for chunk in _chunks(made, model):
        assembly.add(_json(chunk).decode())
    yield _json(assembly.whole())


async def _frames(made: Any, model: str) -> AsyncIterator[bytes]:
    """A streamed reply's frames, cut from a whole one where it came at once."""
    if hasattr(made, "__aiter__"):
        async for chunk in _chunks(made, model):
            yield frame_of(_json(chunk))
    else:
        for chunk in _cut(_completion(made, model)):
            yield frame_of(_json(chunk))
    yield frame_of(b"[DONE]")


async def _chunks(made: AsyncIterator[Any], model: str) -> AsyncIterator[dict[str, Any]]:
    """Chunks in OpenAI's shape; one with a finish reason follows where the model gave none."""
    head, finish, calls = _head("chat.completion.chunk", model), None, False
    items = aiter(made)
    while True:
        try:
            part = _plain(await anext(items))
        except StopAsyncIteration:
            break
        except Exception as error:
            raise ModelFailed(error) from error
        if isinstance(part, str):
            part = {"content": part}
        if "choices" not in part:
            part = {**head, "choices": [{"index": 0, "delta": part, "finish_reason": None}]}
        for choice in part["choices"]:
            finish = choice.get("finish_reason") or finish
            calls = calls or bool((choice.get("delta") or {}).get("tool_calls"))
        yield {**head, **part}
    if finish is None:
        yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}]}


def _completion(made: Any, model: str) -> dict[str, Any]:
    """A chat completion from a text, a message or a completion."""
    plain = _plain(made)
    if isinstance(plain, str):
        plain = {"content": plain}
    head = _head("chat.completion", model)
    if "choices" in plain:
        return {**head, **plain}
    if "content" not in plain and "tool_calls" not in plain:
        raise UpstreamFailed(f"The model returned a dict without content, tool_calls or choices. Return {ALLOWED}.")
    message = {"role": "assistant", "content": None, **plain}
    finish = "tool_calls" if message.get("tool_calls") else "stop"
    return {**head, "choices": [{"index": 0, "message": message, "finish_reason": finish}]}


def _cut(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """A whole reply as a stream of two chunks."""
    first, last = [], []
    for choice in whole["choices"]:
        message = dict(choice.get("message") or {})
        if message.get("tool_calls"):
            message["tool_calls"] = [{"index": place, **call} for place, call in enumerate(message["tool_calls"])]
        rest = {name: value for name, value in choice.items() if name not in ("message", "finish_reason")}
        first.append({**rest, "delta": message, "finish_reason": None})
        last.append(
            {"index": choice.get("index", 0), "delta": {}, "finish_reason": choice.get("finish_reason") or "stop"}
        )
    head = {**whole, "object": "chat.completion.chunk"}
    usage = {"usage": head.pop("usage")} if head.get("usage") else {}
    return [{**head, "choices": first}, {**head, "choices": last, **usage}]


def _plain(made: Any) -> Any:
    """Text or dict. Raises `UpstreamFailed` for anything else, with what is allowed."""
    if isinstance(made, str):
        return made
    if isinstance(made, Mapping):
        return dict(made)
    if hasattr(made, "model_dump"):
        return made.model_dump(mode="json", exclude_none=True)
    raise UpstreamFailed(f"The model returned {type(made).__name__}. Return {ALLOWED}.")


def _json(value: object) -> bytes:
    try:
        return encode(value)
    except TypeError as error:
        raise UpstreamFailed(f"The model's reply cannot be written as JSON: {error}.") from error


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), "model": model}
