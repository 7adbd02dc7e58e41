"""OpenAI chat completions: decodes a request, and writes what goes upstream with as few bytes changed as can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from quitbutton.adapters import contents, identity
from quitbutton.adapters.ambiguity import check
from quitbutton.adapters.contents import TEMPLATE_ROLES, UNREADABLE, Content, Source, message_of, role_of
from quitbutton.adapters.history import without_notes, without_own_words
from quitbutton.adapters.members import ANSWER_TOKENS, MAX_MESSAGES, REASONED_TOKENS, member
from quitbutton.adapters.notes import INLINE, service_note, with_notes
from quitbutton.adapters.openai_replies import StreamReader, StreamWriter, WholeReader, WholeWriter
from quitbutton.adapters.splice import appended, encode, fields_of, items_of, joined, with_tool
from quitbutton.adapters.sse import frame_of
from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import BadRequest, QuitbuttonError
from quitbutton.core.messages import ChatRequest, Message, Press, Reply, Role
from quitbutton.core.origins import KeptReply

ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "tool": Role.TOOL, "function": Role.TOOL}
ROLES |= {"system": Role.SYSTEM, "developer": Role.SYSTEM, **TEMPLATE_ROLES}
HELPER = "x-stainless-helper-method"
"""What OpenAI's libraries send where they sum a stream up, in `chat.completions.stream()`."""
TEXT_PARTS = ("text", "input_text", "output_text")


ABSENT = msgspec.Raw(b"")


class _Message(msgspec.Struct, gc=False):
    role: str
    content: Content = None


class _Request(msgspec.Struct):
    """The members that are looked at, where each is of its kind. The slow way says what is wrong where one is not."""

    model: str
    messages: list[_Message]
    stream: bool | None = None
    metadata: dict[str, Any] | None = None
    safety_identifier: str | None = None
    user: str | None = None
    litellm_session_id: Any = None
    tools: msgspec.Raw = ABSENT
    functions: msgspec.Raw = ABSENT
    tool_choice: Any = None
    response_format: Any = None
    n: int | None = None
    max_completion_tokens: Any = None
    max_tokens: Any = None


KINDS: Mapping[str, Any] = {
    "metadata": dict[str, Any],
    "safety_identifier": str,
    "user": str,
    "stream": bool,
    "n": int,
}
"""Members that must be of a kind."""
_request = msgspec.json.Decoder(_Request)
_message = msgspec.json.Decoder(_Message)


class OpenAIChat:
    """The adapter of `POST /v1/chat/completions`."""

    name = "openai_chat"
    path = "/v1/chat/completions"
    dialect = Dialect.OPENAI

    def decode(self, body: bytes, headers: Mapping[str, str]) -> ChatRequest:
        """The request as the guard sees it. Raises `BadRequest` with the member that is wrong."""
        try:
            asked = _request.decode(body)
            messages = _messages_of(asked.messages, Source(lambda: fields_of(body)["messages"]))
        except UNREADABLE as error:
            raise _explained(body, error) from error
        if not 0 < len(messages) <= MAX_MESSAGES or not asked.model:
            raise _explained(body, None)
        check(body, "messages")
        user = identity.named(asked.safety_identifier) or identity.named(asked.user)
        session = identity.in_metadata(asked.metadata or {}) or identity.named(asked.litellm_session_id)
        who = identity.Identity.of(headers, user, session)
        forces_tool, wants_json = _forces_tool(asked), _wants_json(asked)
        return ChatRequest(
            asked.model,
            messages,
            without_notes(body),
            bool(asked.stream),
            who.end_user,
            who.conversation_id,
            who.background,
            can_offer=not (forces_tool or wants_json) and _takes_tool(asked),
            wants_prose=not (forces_tool or wants_json),
            max_tokens=_limit(asked),
            chat_page=who.chat_page,
            is_truncated=who.is_truncated,
            has_tools=bool(asked.tools),
            sums_up=headers.get(HELPER, "").endswith("stream"),
        )

    def forward(
        self,
        request: ChatRequest,
        tool: bytes | None = None,
        notes: Sequence[str] = (),
        role: str = "system",
    ) -> bytes:
        """The body that goes upstream: the client's own, plus our tool and notes after the history."""
        raw = request.raw if tool is None else with_tool(request, _offered(tool))
        if not notes:
            return raw
        fields = fields_of(raw)
        if role == INLINE:
            noted = with_notes(items_of(fields["messages"], "messages"), notes)
            fields["messages"] = msgspec.Raw(encode(noted))
        else:
            fields["messages"] = appended(fields["messages"], [{"role": role, "content": note} for note in notes])
        return joined(fields)

    def without(self, request: ChatRequest, cuts: Mapping[int, int]) -> ChatRequest:
        """The request without our own words in its history; `messages` stay as the client sent them."""
        fields = fields_of(request.raw)
        left = without_own_words(items_of(fields["messages"], "messages"), cuts, TEXT_PARTS)
        fields["messages"] = msgspec.Raw(encode(left))
        return replace(request, raw=joined(fields))

    def is_safe_to_abort(self, request: ChatRequest) -> bool:
        """True: nothing is kept, and tools are the client's."""
        return True

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
            fields["messages"] = appended(fields["messages"], turn)
        else:
            fields["messages"] = _then(fields["messages"], said, result, role)
        return joined(fields)

    def ask(self, request: ChatRequest, said: str, question: str, role: str = "system") -> bytes:
        """The body of the out-of-band question: the conversation and the question, a whole reply of a few tokens."""
        fields = fields_of(request.raw)
        return encode(
            {
                "model": request.model,
                "messages": _then(fields["messages"], said, question, role),
                "max_tokens": 16,
                "temperature": 0,
                "stream": False,
            }
        )

    def consult(self, model: str, instructions: str, data: str, schema: Mapping[str, object]) -> list[bytes]:
        """The question with a JSON schema as most servers take it, as models that reason take it, and without a schema."""
        asked = [{"role": "system", "content": instructions}, {"role": "user", "content": data}]
        base: dict[str, object] = {"model": model, "messages": asked, "stream": False}
        shape = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
        small: dict[str, object] = {"max_tokens": ANSWER_TOKENS}
        reasons: dict[str, object] = {"max_completion_tokens": REASONED_TOKENS, "reasoning_effort": "low"}
        return [
            encode({**base, **small, "temperature": 0, "response_format": shape}),
            encode({**base, **reasons, "response_format": shape}),
            encode({**base, **small}),
        ]

    def continued(self, request: ChatRequest, kept: KeptReply) -> ChatRequest:
        """The request as it is: chat completions bring their whole history."""
        return request

    def reader(self, content_type: str) -> StreamReader | WholeReader:
        """What reads the upstream's reply, by its content type."""
        return StreamReader() if content_type.startswith("text/event-stream") else WholeReader()

    def writer(self, request: ChatRequest, streams: bool) -> StreamWriter | WholeWriter:
        """What writes the reply for the client."""
        return StreamWriter(request.model, request.sums_up) if streams else WholeWriter(request.model)

    def error(self, error: QuitbuttonError, more: Mapping[str, object] | None = None) -> bytes:
        """An error body in OpenAI's shape."""
        return encode(
            {
                "error": {
                    "message": str(error),
                    "type": error.type,
                    "param": error.param,
                    "code": error.code,
                    **(more or {}),
                }
            }
        )

    def error_frame(self, error: QuitbuttonError) -> bytes:
        """The same as a frame of a stream."""
        return frame_of(self.error(error))


def _then(messages: bytes, said: str, note: str, role: str) -> msgspec.Raw:
    """The messages, then what the model said, then a note of ours."""
    if role == INLINE and not said:
        return msgspec.Raw(encode(with_notes(items_of(messages, "messages"), [note])))
    told = {"role": "user", "content": service_note(note)} if role == INLINE else {"role": role, "content": note}
    return appended(messages, [*([{"role": "assistant", "content": said}] if said else []), told])


def _offered(tool: bytes) -> msgspec.Raw:
    return msgspec.Raw(b'{"type":"function","function":%b}' % tool)


def _messages_of(messages: Sequence[_Message], source: Source) -> tuple[Message, ...]:
    roles, said = [message.role for message in messages], [message.content for message in messages]
    return contents.messages_of(
        ROLES, roles, said, TEXT_PARTS, lambda place: _message_of(messages[place], place, source)
    )


def _message_of(message: _Message, place: int, source: Source) -> Message:
    return message_of(role_of(ROLES, message.role), message.content, place, source, TEXT_PARTS)


def _explained(body: bytes, error: Exception | None) -> BadRequest:
    """What is wrong with a request, member by member. Raises it, where one of them is told apart."""
    fields = fields_of(body)
    if "messages" not in fields:
        raise BadRequest("`messages` is missing: send an array with at least one message.")
    raw_messages = items_of(fields["messages"], "messages")
    if not 0 < len(raw_messages) <= MAX_MESSAGES:
        raise BadRequest(f"`messages` must hold 1 to {MAX_MESSAGES} messages, not {len(raw_messages)}.")
    if not member(fields, "model", str, ""):
        raise BadRequest("`model` is missing: name a model; GET /v1/models lists them.")
    for name, kind in KINDS.items():
        member(fields, name, kind, None)
    contents.one_by_one(raw_messages, "messages", lambda raw, source: _message_of(_message.decode(raw), 0, source))
    return BadRequest(f"The request body cannot be read: {error}.")


def _takes_tool(asked: _Request) -> bool:
    """False where one more tool would change what the client gets."""
    tools = bytes(asked.tools)
    if tools and (b'"end_conversation"' in tools or not tools.lstrip().startswith((b"[", b"null"))):
        return False
    return (asked.n is None or asked.n == 1) and asked.tool_choice != "none" and not bytes(asked.functions)


def _forces_tool(asked: _Request) -> bool:
    return asked.tool_choice == "required" or isinstance(asked.tool_choice, dict)


def _wants_json(asked: _Request) -> bool:
    shape = asked.response_format
    return isinstance(shape, dict) and shape.get("type") not in (None, "text")


def _limit(asked: _Request) -> int | None:
    for value in (asked.max_completion_tokens, asked.max_tokens):
        if isinstance(value, int) and value > 0:
            return value
    return None
