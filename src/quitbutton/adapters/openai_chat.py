"""OpenAI chat completions: decodes a request, and writes what goes upstream with as few bytes changed as can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from quitbutton.adapters import identity
from quitbutton.adapters.attachments import digest_of
from quitbutton.adapters.members import MAX_MESSAGES, member
from quitbutton.adapters.openai_replies import StreamReader, StreamWriter, WholeReader, WholeWriter
from quitbutton.adapters.splice import Fields, appended, encode, fields_of, items_of, joined
from quitbutton.adapters.sse import frame_of
from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import BadRequest, QuitbuttonError
from quitbutton.core.messages import ChatRequest, Message, Press, Reply, Role
from quitbutton.core.origins import KeptReply

ROLES = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}
TEXT_PARTS = ("text", "input_text", "output_text")


class _Message(msgspec.Struct):
    role: str
    content: str | list[msgspec.Raw] | None = None


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


_message = msgspec.json.Decoder(_Message)
_part = msgspec.json.Decoder(_Part)


class OpenAIChat:
    """The adapter of `POST /v1/chat/completions`."""

    name = "openai_chat"
    path = "/v1/chat/completions"
    dialect = Dialect.OPENAI

    def decode(self, body: bytes, headers: Mapping[str, str]) -> ChatRequest:
        """The request as the guard sees it. Raises `BadRequest` with the member that is wrong."""
        fields = fields_of(body)
        if "messages" not in fields:
            raise BadRequest("`messages` is missing: send an array with at least one message.")
        raw_messages = items_of(fields["messages"], "messages")
        if not 0 < len(raw_messages) <= MAX_MESSAGES:
            raise BadRequest(f"`messages` must hold 1 to {MAX_MESSAGES} messages, not {len(raw_messages)}.")
        model = member(fields, "model", str, "")
        if not model:
            raise BadRequest("`model` is missing: name a model; GET /v1/models lists them.")
        metadata = member(fields, "metadata", dict[str, Any], {})
        user = identity.named(member(fields, "safety_identifier", str, "")) or identity.named(
            member(fields, "user", str, "")
        )
        session = identity.in_metadata(metadata) or identity.named(member(fields, "litellm_session_id", Any, None))
        return ChatRequest(
            model=model,
            messages=tuple(_decode_message(raw, place) for place, raw in enumerate(raw_messages)),
            raw=body,
            stream=member(fields, "stream", bool, False),
            can_offer=_can_offer(fields),
            wants_prose=not (_wants_json(fields) or _forces_tool(fields)),
            max_tokens=_limit(fields),
            **identity.Identity.of(headers, user, session).fields(),
        )

    def forward(
        self,
        request: ChatRequest,
        tool: dict[str, object] | None = None,
        notes: Sequence[str] = (),
        role: str = "system",
        without: Sequence[int] = (),
    ) -> bytes:
        """The body that goes upstream: the client's own, plus our tool and notes after the history.

        `without` are the places of messages to leave out: notices of ours that came back as history.
        """
        if tool is None and not notes and not without:
            return request.raw
        fields = fields_of(request.raw)
        if without:
            kept = [raw for place, raw in enumerate(items_of(fields["messages"], "messages")) if place not in without]
            fields["messages"] = msgspec.Raw(encode(kept))
        if notes:
            fields["messages"] = appended(fields["messages"], [{"role": role, "content": note} for note in notes])
        if tool is not None:
            fields["tools"] = appended(fields.get("tools"), [{"type": "function", "function": tool}])
        return joined(fields)

    def follow_up(self, body: bytes, reply: Reply, press: Press, result: str, role: str = "system") -> bytes:
        """The body of the one extra call: what was sent, then the press and the button's answer to it."""
        fields, said = fields_of(body), reply.text
        if press.means == "tool":
            function = {"name": "end_conversation", "arguments": press.arguments}
            call = {"id": press.call_id, "type": "function", "function": function}
            turn: list[object] = [
                {"role": "assistant", "content": said or None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": press.call_id, "content": result},
            ]
        else:
            turn = [*([{"role": "assistant", "content": said}] if said else []), {"role": role, "content": result}]
        fields["messages"] = appended(fields["messages"], turn)
        return joined(fields)

    def ask(self, request: ChatRequest, said: str, question: str, role: str = "system") -> bytes:
        """The body of the out-of-band question: the conversation and the question, a whole reply of a few tokens."""
        fields = fields_of(request.raw)
        turn = [*([{"role": "assistant", "content": said}] if said else []), {"role": role, "content": question}]
        return encode(
            {
                "model": request.model,
                "messages": appended(fields["messages"], turn),
                "max_tokens": 16,
                "temperature": 0,
                "stream": False,
            }
        )

    def continued(self, request: ChatRequest, kept: KeptReply) -> ChatRequest:
        """The request as it is: chat completions bring their whole history."""
        return request

    def reader(self, content_type: str) -> StreamReader | WholeReader:
        """What reads the upstream's reply, by its content type."""
        return StreamReader() if content_type.startswith("text/event-stream") else WholeReader()

    def writer(self, request: ChatRequest, streams: bool) -> StreamWriter | WholeWriter:
        """What writes the reply for the client."""
        return StreamWriter(request.model) if streams else WholeWriter(request.model)

    def error(self, error: QuitbuttonError, more: Mapping[str, object] | None = None) -> bytes:
        """An error body in OpenAI's shape."""
        return encode(
            {"error": {"message": str(error), "type": error.type, "param": None, "code": error.code, **(more or {})}}
        )

    def error_frame(self, error: QuitbuttonError) -> bytes:
        """The same as a frame of a stream."""
        return frame_of(self.error(error))


def _decode_message(raw: msgspec.Raw, place: int) -> Message:
    try:
        message = _message.decode(raw)
        role = ROLES.get(message.role, Role.SYSTEM)
        if not isinstance(message.content, list):
            return Message(role, message.content or "")
        texts: list[str] = []
        attachments: list[bytes] = []
        for part_raw in message.content:
            part = _part.decode(part_raw)
            if part.type in TEXT_PARTS:
                texts.append(part.text or "")
            else:
                attachments.append(digest_of(part_raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"`messages[{place}]` cannot be read: {error}.") from error
    return Message(role, "\n".join(texts), tuple(attachments))


def _can_offer(fields: Fields) -> bool:
    """False where one more tool would change what the client gets."""
    forced = _forces_tool(fields) or _wants_json(fields)
    several = member(fields, "n", int, 1) != 1
    refuses_tools = _choice(fields) == "none"
    has_namesake = b'"end_conversation"' in bytes(fields.get("tools", b""))
    old_style = "functions" in fields
    if not bytes(fields.get("tools", b"[")).lstrip().startswith((b"[", b"null")):
        return False
    return not (forced or several or refuses_tools or has_namesake or old_style)


def _forces_tool(fields: Fields) -> bool:
    choice = _choice(fields)
    return choice == "required" or isinstance(choice, dict)


def _choice(fields: Fields) -> object:
    return member(fields, "tool_choice", Any, None)


def _wants_json(fields: Fields) -> bool:
    shape = member(fields, "response_format", Any, None)
    return isinstance(shape, dict) and shape.get("type") not in (None, "text")


def _limit(fields: Fields) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = member(fields, name, Any, None)
        if isinstance(value, int) and value > 0:
            return value
    return None
