"""LiteLLM: the guard as a guardrail of its proxy. A turn begins before the call and is settled after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import litellm
from fastapi import HTTPException
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.types.guardrails import GuardrailEventHooks
from litellm.types.utils import ModelResponseStream

from quitbutton.adapters.identity import conversation_of, first_of, is_background
from quitbutton.core.errors import QuitbuttonError
from quitbutton.library import Guard, Stream
from quitbutton.library.answer import Answer

CHAT = ("completion", "acompletion")
VIEWED = ("model", "messages", "tools", "tool_choice", "response_format", "n", "functions", "user", "max_tokens")
"""Members of a request that the guard looks at."""
PATIENCE = 1800.0
"""Seconds after which a call that LiteLLM never told the end of is given up; nothing is counted then."""


@dataclass(slots=True)
class _Turn:
    """A turn between the hook before the call and the one after it."""

    asked: asyncio.Future[dict[str, Any]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    replied: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    stream: Stream | None = None
    task: asyncio.Task[Any] | None = None
    """Comes to the answer; of a stream, to its opening."""


class QuitButton(CustomGuardrail):
    """The guardrail. In the proxy's `config.yaml`:

        guardrails:
          - guardrail_name: quitbutton
            litellm_params:
              guardrail: quitbutton.integrations.litellm.QuitButton
              mode: [pre_call, post_call]
              default_on: true
              store: quitbutton.sqlite3
              policy: policy.toml

    The model gets the button, and a press never reaches the client. A locked turn is an HTTP 400 raised inside the proxy,
    which LiteLLM neither retries nor moves to a fallback; with `locked_reply = "message"` it is the notice, and no model is
    asked. The tenant is the virtual key, the end user `user` or the key's, the conversation a header of the gateway's list or
    LiteLLM's session id. Chat completions only.
    """

    def __init__(
        self,
        guard: Guard | None = None,
        policy: Any = None,
        store: str = "quitbutton.sqlite3",
        assessor: str = "local",
        **given: Any,
    ) -> None:
        hooks = [GuardrailEventHooks.pre_call, GuardrailEventHooks.post_call]
        super().__init__(supported_event_hooks=hooks, **{"event_hook": hooks, **given})
        self.guard = guard or Guard(policy=policy, store=store, assessor=assessor)
        self._turns: dict[str, _Turn] = {}

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> Any:
        """Begin the turn. Raises `HTTPException` 400 on a locked one."""
        if call_type not in CHAT or not data.get("messages"):
            return data
        turn = self._begun(data, user_api_key_dict)
        assert turn.task is not None  # noqa: S101 - _begun() made it
        await asyncio.wait([turn.asked, turn.task], return_when=asyncio.FIRST_COMPLETED)
        if turn.asked.done():
            asked = turn.asked.result()
            data |= {name: asked[name] for name in ("messages", "tools") if name in asked}
            return data
        try:
            answer = await _whole(turn)
        except QuitbuttonError as error:
            raise _refusal(error) from error
        # The guard speaks itself, and no model is asked.
        self._turns[str(data["litellm_call_id"])] = turn
        data["mock_response"] = answer.text
        return data

    async def async_post_call_success_hook(self, data: dict[str, Any], user_api_key_dict: Any, response: Any) -> Any:
        """Settle the turn; the reply without a press, with the `quitbutton` object."""
        turn = self._turns.pop(str(data.get("litellm_call_id")), None)
        if turn is None or turn.task is None or not hasattr(response, "choices"):
            return response
        if not turn.asked.done():
            response.quitbutton = (await _whole(turn)).quitbutton
            return response
        turn.replied.set_result(response)
        try:
            answer: Answer = await turn.task
        except QuitbuttonError as error:
            raise _refusal(error) from error
        told = litellm.ModelResponse(**{name: value for name, value in answer.raw.items() if name != "quitbutton"})
        told._hidden_params = response._hidden_params
        if answer.quitbutton:
            told.quitbutton = answer.quitbutton
        return told

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[str, Any]
    ) -> AsyncIterator[Any]:
        """Settle a streamed turn; words leave as they come, and the last chunk has the `quitbutton` object."""
        turn = self._turns.pop(str(request_data.get("litellm_call_id")), None)
        if turn is None or turn.stream is None or turn.task is None:
            async for part in response:
                yield part
            return
        if not turn.asked.done():
            async for part in response:
                yield part
            yield _chunk({"choices": [], "quitbutton": turn.stream.answer.quitbutton})
            return
        turn.replied.set_result(response)
        try:
            await turn.task
            async for chunk in turn.stream.chunks():
                yield _chunk(chunk)
        except QuitbuttonError as error:
            raise _refusal(error) from error
        finally:
            await turn.stream.__aexit__()

    async def async_post_call_failure_hook(
        self, request_data: dict[str, Any], original_exception: Exception, *_: Any, **__: Any
    ) -> None:
        """The call failed: nothing is counted."""
        turn = self._turns.pop(str(request_data.get("litellm_call_id")), None)
        if turn is not None and turn.task is not None and not turn.replied.done():
            turn.replied.set_exception(original_exception)
            with suppress(Exception):
                await turn.task

    def _begun(self, data: dict[str, Any], key: Any) -> _Turn:
        turn, call_id = _Turn(), str(data["litellm_call_id"])

        async def ask(request: dict[str, Any]) -> Any:
            if turn.asked.done():
                return await _again(data, request)
            turn.asked.set_result(request)
            async with asyncio.timeout(PATIENCE):
                return await turn.replied

        request = {name: data[name] for name in VIEWED if data.get(name) is not None} | _names(data, key)
        if data.get("stream"):
            turn.stream = self.guard.stream(**request, answered_by=ask)
            turn.task = asyncio.create_task(turn.stream.__aenter__())
        else:
            turn.task = asyncio.create_task(self.guard.chat(**request, answered_by=ask))
        self._turns[call_id] = turn
        turn.task.add_done_callback(lambda task: self._forget(call_id, task))
        return turn

    def _forget(self, call_id: str, task: asyncio.Task[Any]) -> None:
        """A turn that came to its end has no need of the hook that never came."""
        self._turns.pop(call_id, None)
        if not task.cancelled():
            task.exception()


def _names(data: Mapping[str, Any], key: Any) -> dict[str, Any]:
    """Whose turn it is, and in which conversation."""
    request = data.get("proxy_server_request") or {}
    headers = {name.lower(): str(value) for name, value in (request.get("headers") or {}).items()}
    metadata = {**(data.get("litellm_metadata") or {}), **(data.get("metadata") or {})}
    session = data.get("litellm_session_id") or metadata.get("session_id") or metadata.get("conversation_id")
    return {
        "tenant": str(getattr(key, "api_key", None) or ""),
        "end_user": data.get("user") or getattr(key, "end_user_id", None),
        "conversation": conversation_of(headers) or session,
        "background": is_background(headers),
        "language": first_of(headers, ("accept-language",)) or "",
    }


async def _again(data: Mapping[str, Any], request: dict[str, Any]) -> Any:
    """The one extra call of a turn, the way the first one went."""
    from litellm.proxy.proxy_server import llm_router  # noqa: PLC0415 - set when the proxy has started

    body = (data.get("proxy_server_request") or {}).get("body") or {}
    kept = {name: value for name, value in body.items() if name not in ("guardrails", "metadata", "litellm_session_id")}
    asked = {**kept, **{name: request[name] for name in ("messages", "tools", "stream") if name in request}}
    call = llm_router.acompletion if llm_router is not None else litellm.acompletion
    return await call(**{**asked, "model": data["model"]}, metadata=dict(data.get("metadata") or {}))


async def _whole(turn: _Turn) -> Answer:
    """The guard's own words. Raises `ConversationEnded` on a locked turn."""
    if turn.task is None:
        raise RuntimeError("The turn has not begun.")
    answer = await turn.task
    if turn.stream is None:
        return answer  # type: ignore[no-any-return]
    try:
        return turn.stream.answer
    except RuntimeError:
        _ = [part async for part in turn.stream.chunks()]
        return turn.stream.answer


def _refusal(error: QuitbuttonError) -> HTTPException:
    """What LiteLLM neither retries nor moves to another model: an error 400 from inside of it."""
    note = getattr(error, "quitbutton", None)
    detail = {"error": str(error), "type": error.type, "code": error.code, **({"quitbutton": note} if note else {})}
    return HTTPException(400 if note else error.status, detail, {"x-should-retry": "false"} if note else None)


def _chunk(chunk: dict[str, Any]) -> ModelResponseStream:
    made = ModelResponseStream(**{name: value for name, value in chunk.items() if name != "quitbutton"})
    if "quitbutton" in chunk:
        made.quitbutton = chunk["quitbutton"]
        made.provider_specific_fields = {"quitbutton": chunk["quitbutton"]}  # what LiteLLM's short way of writing keeps
    return made
