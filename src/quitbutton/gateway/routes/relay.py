"""Calls that are no turns, relayed as they are: completions, embeddings, token counts, responses that the provider keeps."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import msgspec
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from quitbutton.adapters.responses_parts import without_calls
from quitbutton.core.conversation import owner_of
from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import BadRequest, NotFound, QuitbuttonError
from quitbutton.core.headers import passed_on
from quitbutton.core.keys import Caller
from quitbutton.core.ladder.policy import Mode
from quitbutton.gateway.http import Hangup, HTTPClient, Watch, error_headers, headers_upstream
from quitbutton.gateway.routes.chat import ChatRoute
from quitbutton.interfaces import Upstream
from quitbutton.turn.exchange import content_type_of, whole
from quitbutton.turn.origin import Holdings, no_conversation, no_previous, no_response
from quitbutton.turn.turn import CancelScope

log = logging.getLogger("quitbutton.gateway")


PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~!$&'()*+,;=:@-]+")
"""What a path is made of that means the same to every server, once it was decoded (RFC 3986, section 3.3)."""
T = TypeVar("T")


class Kind(Enum):
    """What a relayed call deals with."""

    PLAIN = "plain"
    """Nothing that a provider keeps."""
    RESPONSES = "responses"
    CONVERSATIONS = "conversations"


NO_SUCH: dict[Kind, Callable[[str], NotFound]] = {Kind.RESPONSES: no_response, Kind.CONVERSATIONS: no_conversation}


class _Body(msgspec.Struct):
    model: str = ""


class _Named(msgspec.Struct):
    """What a call may name of what the provider keeps."""

    previous_response_id: Any = None
    conversation: Any = None
    items: Any = None


class _Made(msgspec.Struct):
    id: str = ""


@dataclass(frozen=True, slots=True)
class RelayRoute:
    """One relayed path as an ASGI application, in a protocol's own words where something goes wrong."""

    chat: ChatRoute
    """The route of the same protocol: its adapter, authenticator, upstreams."""
    kind: Kind = Kind.PLAIN

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        client = HTTPClient(send)
        try:
            await self._answer(scope, receive, client)
        except Hangup:
            return
        except QuitbuttonError as error:
            if not client.is_open:
                body = self.chat.adapter.error(error)
                await client.answer(error.status, error_headers(error), body)
        except Exception:
            log.exception("a request failed")
            if not client.is_open:
                await client.answer(
                    500, [("content-type", "application/json")], self.chat.adapter.error(QuitbuttonError())
                )
        await client.close()

    async def _answer(self, scope: Scope, receive: Receive, client: HTTPClient) -> None:
        caller = await self.chat.services.caller(scope)
        _check_path(scope)
        body = await self.chat.services.read(receive, scope, caller)
        holdings = self._holdings(caller)
        path, named = scope["path"], scope.get("path_params", {})
        kept_id = named.get("response_id") or named.get("conversation_id")
        if kept_id is None:
            await _check_named(holdings, self.kind, body)
            name, upstream = self.chat.services.upstreams.choose(self.chat.adapter.dialect, _model_of(body))
        else:
            name, upstream, known = await self._kept(caller, holdings, kept_id)
            path = path.replace(kept_id, known, 1)
        query = scope["query_string"].decode("latin-1")
        passed = headers_upstream(scope, with_key=not caller.is_known)
        wanted = CancelScope(is_cancelled=False)
        with wanted:
            async with Watch(client, receive, wanted.cancel):
                target = f"{path}?{query}" if query else path
                async with upstream.send(scope["method"], target, passed, body) as exchange:
                    is_json = content_type_of(exchange.headers).startswith("application/json")
                    if is_json and (kept_id is not None or self.kind is Kind.CONVERSATIONS):
                        data = await whole(exchange)
                        if kept_id is None and exchange.status == 200:
                            await _put_made(holdings, data, name)
                        if kept_id is not None:
                            tools = self.chat.services.guard_for(caller, self.chat.adapter.path).tools
                            data = without_calls(data, kept_id, tools)
                        await client.answer(exchange.status, passed_on(exchange.headers), data)
                        return
                    await client.open(exchange.status, passed_on(exchange.headers))
                    async for chunk in exchange.chunks():
                        await client.send(chunk)

    def _holdings(self, caller: Caller) -> Holdings:
        guard = self.chat.services.guard_for(caller, self.chat.adapter.path)
        return Holdings(guard.store, guard.key, caller.tenant, self.chat.services.allows_unknown_ids(caller))

    async def _kept(self, caller: Caller, holdings: Holdings, kept_id: str) -> tuple[str, Upstream, str]:
        """The upstream that keeps it, with its name, and the id it knows it under. Raises `NotFound`."""
        missing = NO_SUCH[self.kind](kept_id)
        asked = self.chat.services.upstreams.speaking(Dialect.OPENAI)
        if self.kind is Kind.RESPONSES:
            guard = self.chat.services.guard_for(caller, self.chat.adapter.path)
            realm = Mode.SHADOW.value if guard.policy.mode is Mode.SHADOW else ""
            origin = await guard.store.origin(owner_of(guard.key, caller.tenant, realm), kept_id)
            if origin is not None and origin.reply is not None and origin.reply.upstream in asked:
                upstream = asked[origin.reply.upstream]
                return origin.reply.upstream, upstream, origin.reply.upstream_id or kept_id
        found = await holdings.check(kept_id, missing)
        if found is not None and found.upstream in asked:
            return found.upstream, asked[found.upstream], kept_id
        if len(asked) == 1:
            name, upstream = next(iter(asked.items()))
            return name, upstream, kept_id
        raise missing


def _check_path(scope: Scope) -> None:
    """Raises `BadRequest` for a path that could lead elsewhere upstream than it does here."""
    path, written = scope["path"], scope.get("raw_path", b"").partition(b"?")[0].lower()
    segments = path.split("/")
    if not PLAIN_PATH.fullmatch(path) or b"%2f" in written or "." in segments or ".." in segments:
        raise BadRequest(
            "The path holds what no id of a response does. Send the id as it was given: letters, digits and any of "
            "- . _ ~ ! $ & ' ( ) * + , ; = : @ are taken, never `..`, and `?` only before a query."
        )


async def _check_named(holdings: Holdings, kind: Kind, body: bytes) -> None:
    """Raises `NotFound` where a call names a response or a conversation that is not its key's."""
    if kind is Kind.PLAIN:
        return
    request = _decoded(body, _Named)
    if kind is Kind.CONVERSATIONS and request.items:
        raise BadRequest("`items` cannot be given here: nobody would read them. Send them as `input` to /v1/responses.")
    if isinstance(request.previous_response_id, str):
        await holdings.check(request.previous_response_id, no_previous(request.previous_response_id))
    conversation = request.conversation.get("id") if isinstance(request.conversation, dict) else request.conversation
    if isinstance(conversation, str):
        await holdings.check(conversation, no_conversation(conversation))


async def _put_made(holdings: Holdings, data: bytes, upstream: str) -> None:
    """Remember whose a conversation is that was just made."""
    with suppress(BadRequest):
        if made := _decoded(data, _Made).id:
            await holdings.put(made, upstream, time.time())


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The request body must be a JSON object: {error}.") from error


def _model_of(body: bytes) -> str:
    return _decoded(body, _Body).model


PATHS: dict[str, tuple[tuple[str, ...], str, Kind]] = {
    "/v1/completions": (("POST",), "openai_chat", Kind.PLAIN),
    "/v1/embeddings": (("POST",), "openai_chat", Kind.PLAIN),
    "/v1/messages/count_tokens": (("POST",), "anthropic_messages", Kind.PLAIN),
    "/v1/responses/input_tokens": (("POST",), "openai_responses", Kind.RESPONSES),
    "/v1/responses/{response_id}": (("GET", "DELETE"), "openai_responses", Kind.RESPONSES),
    "/v1/responses/{response_id}/cancel": (("POST",), "openai_responses", Kind.RESPONSES),
    "/v1/responses/{response_id}/input_items": (("GET",), "openai_responses", Kind.RESPONSES),
    "/v1/conversations": (("POST",), "openai_responses", Kind.CONVERSATIONS),
    "/v1/conversations/{conversation_id}": (("GET", "DELETE"), "openai_responses", Kind.CONVERSATIONS),
    "/v1/conversations/{conversation_id}/items": (("GET",), "openai_responses", Kind.CONVERSATIONS),
}
"""What is relayed without the button, whose protocol it is, and what it names of what the provider keeps."""


def relay_routes(chats: list[ChatRoute]) -> list[Route]:
    """The relayed paths, each over the chat route of its protocol."""
    by_name = {chat.adapter.name: chat for chat in chats}
    return [
        Route(path, RelayRoute(by_name[name], kind), methods=list(methods))
        for path, (methods, name, kind) in PATHS.items()
    ]
