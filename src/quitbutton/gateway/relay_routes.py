"""Calls that are no turns, relayed as they are: completions, embeddings, token counts, responses that the provider keeps."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

import msgspec
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from quitbutton.adapters.responses_parts import without_press
from quitbutton.core.conversation import owner_of
from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import BadRequest, NotFound, QuitbuttonError
from quitbutton.core.headers import passed_on
from quitbutton.core.keys import Caller
from quitbutton.core.rules import Mode
from quitbutton.gateway.chat_routes import ChatRoute
from quitbutton.gateway.http import Hangup, HTTPClient, Watch, error_headers, headers_upstream
from quitbutton.interfaces import Upstream
from quitbutton.listening import Wanted, content_type_of, whole

log = logging.getLogger("quitbutton.gateway")


PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~!$&'()*+,;=:@-]+")
"""What a path is made of that means the same to every server, once it was decoded (RFC 3986, section 3.3)."""


class _Body(msgspec.Struct):
    model: str = ""


@dataclass(frozen=True, slots=True)
class RelayRoute:
    """One relayed path as an ASGI application, in a protocol's own words where something goes wrong."""

    chat: ChatRoute
    """The route of the same protocol: its adapter, doorkeeper, upstreams."""

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
        caller = await self.chat.caller(scope)
        _check_path(scope)
        body = await self.chat.read(receive, scope, caller)
        reply_id = scope.get("path_params", {}).get("response_id")
        path = scope["path"]
        if reply_id is None:
            _, upstream = self.chat.upstreams.choose(self.chat.adapter.dialect, _model_of(body))
        else:
            upstream, known = await self._kept(caller, reply_id)
            path = path.replace(reply_id, known, 1)
        query = scope["query_string"].decode("latin-1")
        passed = headers_upstream(scope, with_key=not caller.is_known)
        wanted = Wanted(is_cancelled=False)
        with wanted:
            async with Watch(client, receive, wanted.cancel):
                target = f"{path}?{query}" if query else path
                async with upstream.send(scope["method"], target, passed, body) as exchange:
                    if reply_id is not None and content_type_of(exchange.headers).startswith("application/json"):
                        kept = without_press(await whole(exchange), reply_id)
                        await client.answer(exchange.status, passed_on(exchange.headers), kept)
                        return
                    await client.open(exchange.status, passed_on(exchange.headers))
                    async for chunk in exchange.chunks():
                        await client.send(chunk)

    async def _kept(self, caller: Caller, reply_id: str) -> tuple[Upstream, str]:
        """The upstream that keeps a reply, and the id it knows it under. Raises `NotFound`."""
        guard, upstreams = self.chat.guard_for(caller), self.chat.upstreams
        realm = Mode.SHADOW.value if guard.policy.mode is Mode.SHADOW else ""
        origin = await guard.store.origin(owner_of(guard.key, caller.tenant, realm), reply_id)
        asked = upstreams.speaking(Dialect.OPENAI)
        if origin is not None and origin.reply is not None and origin.reply.upstream in asked:
            return asked[origin.reply.upstream], origin.reply.upstream_id or reply_id
        if len(asked) == 1:
            return next(iter(asked.values())), reply_id
        raise NotFound(f"No response {reply_id} was given here, so that it is not known which upstream keeps it.")


def _check_path(scope: Scope) -> None:
    """Raises `BadRequest` for a path that could lead elsewhere upstream than it does here."""
    path, written = scope["path"], scope.get("raw_path", b"").partition(b"?")[0].lower()
    segments = path.split("/")
    if not PLAIN_PATH.fullmatch(path) or b"%2f" in written or "." in segments or ".." in segments:
        raise BadRequest(
            "The path holds what no id of a response does. Send the id as it was given: letters, digits and any of "
            "- . _ ~ ! $ & ' ( ) * + , ; = : @ are taken, never `..`, and `?` only before a query."
        )


def _model_of(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Body).model
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The request body must be a JSON object: {error}.") from error


PATHS: dict[str, tuple[tuple[str, ...], str]] = {
    "/v1/completions": (("POST",), "openai_chat"),
    "/v1/embeddings": (("POST",), "openai_chat"),
    "/v1/messages/count_tokens": (("POST",), "anthropic_messages"),
    "/v1/responses/input_tokens": (("POST",), "openai_responses"),
    "/v1/responses/{response_id}": (("GET", "DELETE"), "openai_responses"),
    "/v1/responses/{response_id}/cancel": (("POST",), "openai_responses"),
    "/v1/responses/{response_id}/input_items": (("GET",), "openai_responses"),
}
"""What is relayed without the button, and whose protocol it is."""


def relay_routes(chats: list[ChatRoute]) -> list[Route]:
    """The relayed paths, each over the chat route of its protocol."""
    by_name = {chat.adapter.name: chat for chat in chats}
    return [Route(path, RelayRoute(by_name[name]), methods=list(methods)) for path, (methods, name) in PATHS.items()]
