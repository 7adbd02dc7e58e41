"""Anthropic Messages: decodes a request, and writes what goes upstream with as few bytes changed as can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from quitbutton.adapters import identity
from quitbutton.adapters.ambiguity import check
from quitbutton.adapters.anthropic_reader import StreamReader, WholeReader
from quitbutton.adapters.anthropic_writer import StreamWriter, WholeWriter
from quitbutton.adapters.contents import UNREADABLE, Part, Source, message_of, messages_of, one_by_one, role_of
from quitbutton.adapters.history import without_own_words
from quitbutton.adapters.members import ANSWER_TOKENS, MAX_MESSAGES, member
from quitbutton.adapters.notes import service_note, with_notes
from quitbutton.adapters.splice import Fields, appended, encode, fields_of, items_of, joined, with_tool
from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import BadRequest, QuitbuttonError
from quitbutton.core.messages import ChatRequest, Message, Press, Reply, Role
from quitbutton.core.origins import KeptReply

ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
TEXT_BLOCKS = ("text",)
RESULTS = ("tool_result",)
"""Blocks of a user message that are nobody's words: results of the client's tools. Server tools' stand in replies."""
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
}
"""Anthropic's error types by status; others are `api_error`."""


class _Message(msgspec.Struct):
    role: str
    content: str | list[Part] = ""


_message = msgspec.json.Decoder(_Message)
_messages = msgspec.json.Decoder(list[_Message])


class AnthropicMessages:
    """The adapter of `POST /v1/messages`."""

    name = "anthropic_messages"
    path = "/v1/messages"
    dialect = Dialect.ANTHROPIC

    def decode(self, body: bytes, headers: Mapping[str, str]) -> ChatRequest:
        """The request as the guard sees it. Raises `BadRequest` with the member that is wrong."""
        fields = fields_of(body)
        if "messages" not in fields:
            raise BadRequest("`messages` is missing: send an array with at least one message.")
        model = member(fields, "model", str, "")
        if not model:
            raise BadRequest("`model` is missing: name a model; GET /v1/models lists them.")
        messages = _messages_of(fields["messages"])
        if not 0 < len(messages) <= MAX_MESSAGES:
            raise BadRequest(f"`messages` must hold 1 to {MAX_MESSAGES} messages, not {len(messages)}.")
        check(body, "messages")
        metadata = member(fields, "metadata", dict[str, Any], {})
        user, session = identity.of_claude(metadata.get("user_id"))
        limit = member(fields, "max_tokens", Any, None)
        who = identity.Identity.of(headers, user, identity.in_metadata(metadata) or session)
        return ChatRequest(
            model=model,
            messages=messages,
            raw=body,
            stream=member(fields, "stream", bool, False),
            can_offer=_can_offer(fields),
            wants_prose=not (_wants_json(fields) or _forces_tool(fields)),
            max_tokens=limit if isinstance(limit, int) and limit > 0 else None,
            has_tools="tools" in fields,
            **who._asdict(),
        )

    def forward(
        self,
        request: ChatRequest,
        tool: bytes | None = None,
        notes: Sequence[str] = (),
        role: str = "system",
    ) -> bytes:
        """The body that goes upstream: the client's own, plus our tool, and notes as blocks after the user's newest words.

        The protocol has no system message after the history, so `role` does not count: a note says itself whose it is.
        """
        raw = request.raw if tool is None else with_tool(request, _offered(tool))
        if not notes:
            return raw
        fields = fields_of(raw)
        noted = with_notes(items_of(fields["messages"], "messages"), notes, as_parts=True)
        fields["messages"] = msgspec.Raw(encode(noted))
        return joined(fields)

    def without(self, request: ChatRequest, cuts: Mapping[int, int]) -> ChatRequest:
        """The request without our own words in its history; `messages` stay as the client sent them."""
        fields = fields_of(request.raw)
        left = without_own_words(items_of(fields["messages"], "messages"), cuts, TEXT_BLOCKS)
        fields["messages"] = msgspec.Raw(encode(left))
        return replace(request, raw=joined(fields))

    def is_safe_to_abort(self, request: ChatRequest) -> bool:
        """Unless the provider itself calls somebody else's tools."""
        return b'"mcp_servers"' not in request.raw

    def follow_up(self, body: bytes, reply: Reply, press: Press, result: str, role: str = "system") -> bytes:
        """The body of the one extra call: what was sent, then the reply with its thinking, and the button's answer."""
        fields = fields_of(body)
        answer: dict[str, object] = {"type": "text", "text": service_note(result)}
        if press.means == "tool":
            answer = {"type": "tool_result", "tool_use_id": press.call_id, "content": result}
            said: list[object] = [msgspec.Raw(item) for item in reply.items]
        else:
            said = [{"type": "text", "text": reply.text.rstrip()}] if reply.text.strip() else []
        turn = [*([{"role": "assistant", "content": said}] if said else []), {"role": "user", "content": [answer]}]
        fields["messages"] = appended(fields["messages"], turn)
        return joined(fields)

    def ask(self, request: ChatRequest, said: str, question: str, role: str = "system") -> bytes:
        """The body of the out-of-band question: the conversation and the question, a whole reply of a few tokens."""
        fields = fields_of(request.raw)
        turn: list[object] = [{"role": "assistant", "content": said.rstrip()}] if said.strip() else []
        turn.append({"role": "user", "content": service_note(question)})
        kept: dict[str, object] = {name: fields[name] for name in ("system", "tools") if name in fields}
        silent: dict[str, object] = {"tool_choice": {"type": "none"}} if "tools" in kept else {}
        return encode(
            {
                "model": request.model,
                **kept,
                **silent,
                "messages": appended(fields["messages"], turn),
                "max_tokens": 16,
                "stream": False,
            }
        )

    def consult(self, model: str, instructions: str, data: str, schema: Mapping[str, object]) -> list[bytes]:
        """The question with a tool that takes the answer, and the same in prose."""
        asked = [{"role": "user", "content": data}]
        base: dict[str, object] = {"model": model, "system": instructions, "messages": asked}
        base |= {"max_tokens": ANSWER_TOKENS, "stream": False}
        tool = {"name": "answer", "description": "Takes the answer.", "input_schema": schema}
        forced = {"tools": [tool], "tool_choice": {"type": "tool", "name": "answer"}, "temperature": 0}
        return [encode({**base, **forced}), encode(base)]

    def continued(self, request: ChatRequest, kept: KeptReply) -> ChatRequest:
        """The request as it is: messages bring their whole history."""
        return request

    def reader(self, content_type: str) -> StreamReader | WholeReader:
        """What reads the upstream's reply, by its content type."""
        return StreamReader() if content_type.startswith("text/event-stream") else WholeReader()

    def writer(self, request: ChatRequest, streams: bool) -> StreamWriter | WholeWriter:
        """What writes the reply for the client."""
        return StreamWriter(request.model) if streams else WholeWriter(request.model)

    def error(self, error: QuitbuttonError, more: Mapping[str, object] | None = None) -> bytes:
        """An error body in Anthropic's shape, with our `code` beside its type."""
        kind = ERROR_TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
        said = {"type": kind, "message": str(error), "code": error.code, **(more or {})}
        return encode({"type": "error", "error": said})

    def error_frame(self, error: QuitbuttonError) -> bytes:
        """The same as an event of a stream."""
        return b"event: error\ndata: " + self.error(error) + b"\n\n"


def _messages_of(raw: bytes) -> tuple[Message, ...]:
    try:
        messages, source = _messages.decode(raw), Source(lambda: raw)
        roles, contents = [one.role for one in messages], [one.content for one in messages]
        return messages_of(
            ROLES, roles, contents, TEXT_BLOCKS, lambda place: _message_of(messages[place], place, source)
        )
    except UNREADABLE:
        raws = items_of(raw, "messages")
        return one_by_one(raws, "messages", lambda raw, source: _message_of(_message.decode(raw), 0, source))


def _message_of(one: _Message, place: int, source: Source) -> Message:
    role, content = role_of(ROLES, one.role), one.content
    if role is Role.USER and isinstance(content, list) and content and all(part.type in RESULTS for part in content):
        return Message(Role.TOOL, "")
    return message_of(role, content, place, source, TEXT_BLOCKS, RESULTS)


@lru_cache(maxsize=64)
def _offered(tool: bytes) -> msgspec.Raw:
    made = msgspec.json.decode(tool)
    mine = {"name": made["name"], "description": made["description"], "input_schema": made["parameters"]}
    return msgspec.Raw(encode(mine))


def _can_offer(fields: Fields) -> bool:
    """False where one more tool would change what the client gets."""
    has_namesake = b'"end_conversation"' in bytes(fields.get("tools", b""))
    if not bytes(fields.get("tools", b"[")).lstrip().startswith((b"[", b"null")):
        return False
    return not (_forces_tool(fields) or _wants_json(fields) or _choice(fields) == "none" or has_namesake)


def _forces_tool(fields: Fields) -> bool:
    return _choice(fields) in ("any", "tool")


def _choice(fields: Fields) -> object:
    choice = member(fields, "tool_choice", Any, None)
    return choice.get("type") if isinstance(choice, dict) else choice


def _wants_json(fields: Fields) -> bool:
    config = member(fields, "output_config", Any, None)
    shapes = (config.get("format") if isinstance(config, dict) else None, member(fields, "output_format", Any, None))
    return any(isinstance(shape, dict) and shape.get("type") not in (None, "text") for shape in shapes)
