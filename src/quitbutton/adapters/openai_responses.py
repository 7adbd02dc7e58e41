"""OpenAI Responses: decodes a request, and writes what goes upstream with as few bytes changed as can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from quitbutton.adapters import identity
from quitbutton.adapters.ambiguity import check
from quitbutton.adapters.history import without_own_words
from quitbutton.adapters.members import ANSWER_TOKENS, REASONED_TOKENS, member
from quitbutton.adapters.notes import INLINE, service_note, with_notes
from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.adapters.responses_input import TEXT_PARTS, input_items, input_messages
from quitbutton.adapters.responses_reader import StreamReader, WholeReader
from quitbutton.adapters.responses_stream import StreamWriter
from quitbutton.adapters.responses_whole import WholeWriter
from quitbutton.adapters.splice import Fields, appended, encode, fields_of, joined, with_tool
from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import BadRequest, QuitbuttonError
from quitbutton.core.messages import ChatRequest, Press, Reply
from quitbutton.core.origins import KeptReply

INPUT_TEXT = "input_text"
OUR_ANSWER = "Not ended: a press beside other calls does nothing. Go on with the conversation."
"""What a press that the provider still waits for is answered, when the client goes on from its reply."""


class OpenAIResponses:
    """The adapter of `POST /v1/responses`."""

    name = "openai_responses"
    path = "/v1/responses"
    dialect = Dialect.OPENAI

    def decode(self, body: bytes, headers: Mapping[str, str]) -> ChatRequest:
        """The request as the guard sees it. Raises `BadRequest` with the member that is wrong."""
        fields = fields_of(body)
        model = member(fields, "model", str, "")
        if not model:
            raise BadRequest("`model` is missing: name a model; GET /v1/models lists them.")
        metadata = member(fields, "metadata", dict[str, Any], {})
        user = identity.named(member(fields, "safety_identifier", str, "")) or identity.named(
            member(fields, "user", str, "")
        )
        conversation = _conversation(fields)
        limit = member(fields, "max_output_tokens", Any, None)
        who = identity.Identity.of(headers, user, conversation or identity.in_metadata(metadata))
        messages = input_messages(fields)
        check(body, "input")
        return ChatRequest(
            model=model,
            messages=messages,
            raw=body,
            stream=member(fields, "stream", bool, False),
            can_offer=_can_offer(fields),
            wants_prose=not (_wants_json(fields) or _forces_tool(fields)),
            max_tokens=limit if isinstance(limit, int) and limit > 0 else None,
            has_tools="tools" in fields,
            previous=identity.named(member(fields, "previous_response_id", str, "")),
            kept_in=conversation,
            is_kept=_is_stored(fields),
            **who._asdict(),
        )

    def forward(
        self,
        request: ChatRequest,
        tool: bytes | None = None,
        notes: Sequence[str] = (),
        role: str = "system",
    ) -> bytes:
        """The body that goes upstream: the client's own, plus our tool and notes.

        Notes stand after the history. Where the provider keeps it they would stay in it, so there they go into the
        instructions, which hold for one reply.
        """
        raw = request.raw if tool is None else with_tool(request, _offered(tool))
        if not notes:
            return raw
        fields = fields_of(raw)
        if _is_stored(fields) and "prompt" not in fields:
            before = member(fields, "instructions", str, "")
            fields["instructions"] = msgspec.Raw(encode("\n\n".join([*([before] if before else []), *notes])))
        elif role == INLINE:
            fields["input"] = msgspec.Raw(encode(with_notes(input_items(fields), notes, INPUT_TEXT)))
        else:
            fields["input"] = appended(encode(input_items(fields)), [_message(role, note) for note in notes])
        return joined(fields)

    def without(self, request: ChatRequest, cuts: Mapping[int, int]) -> ChatRequest:
        """The request without our own words in its history; `messages` stay as the client sent them."""
        fields = fields_of(request.raw)
        left = without_own_words(input_items(fields), cuts, TEXT_PARTS)
        fields["input"] = msgspec.Raw(encode(left))
        return replace(request, raw=joined(fields))

    def is_safe_to_abort(self, request: ChatRequest) -> bool:
        """False: the provider keeps replies, and runs tools and background jobs of its own."""
        return False

    def follow_up(self, body: bytes, reply: Reply, press: Press, result: str, role: str = "system") -> bytes:
        """The body of the one extra call: it goes on from the reply where the provider keeps that, else brings it along."""
        fields = fields_of(body)
        answer = _note(role, result)
        if press.means == "tool":
            answer = {"type": "function_call_output", "call_id": press.call_id, "output": result}
        if _conversation(fields) is not None:
            fields["input"] = msgspec.Raw(encode([answer]))
        elif _is_stored(fields) and reply.id:
            fields["previous_response_id"] = msgspec.Raw(encode(reply.id))
            fields["input"] = msgspec.Raw(encode([answer]))
        else:
            said = [msgspec.Raw(item) for item in reply.items]
            fields["input"] = appended(encode(input_items(fields)), [*said, answer])
        return joined(fields)

    def ask(self, request: ChatRequest, said: str, question: str, role: str = "system") -> bytes:
        """The body of the out-of-band question: the conversation and the question, a whole reply of a few tokens.

        Raises `BadRequest` for a conversation that the provider keeps: the question would stay in it.
        """
        fields = fields_of(request.raw)
        if _conversation(fields) is not None:
            raise BadRequest("A question cannot be asked beside a conversation that the provider keeps.")
        names = ("instructions", "previous_response_id")
        kept: dict[str, object] = {name: fields[name] for name in names if name in fields}
        asked: dict[str, object] = {
            "input": _then(input_items(fields), said, question, role),
            "max_output_tokens": 16,
            "store": False,
            "stream": False,
        }
        return encode({"model": request.model, **kept, **asked})

    def consult(self, model: str, instructions: str, data: str, schema: Mapping[str, object]) -> list[bytes]:
        """The question, which the provider does not keep, as in chat completions."""
        base: dict[str, object] = {"model": model, "instructions": instructions, "input": [_message("user", data)]}
        base |= {"store": False, "stream": False}
        shape = {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": schema}}
        small: dict[str, object] = {"max_output_tokens": ANSWER_TOKENS}
        reasons: dict[str, object] = {"max_output_tokens": REASONED_TOKENS, "reasoning": {"effort": "low"}}
        return [
            encode({**base, **small, "temperature": 0, "text": shape}),
            encode({**base, **reasons, "text": shape}),
            encode({**base, **small}),
        ]

    def continued(self, request: ChatRequest, kept: KeptReply) -> ChatRequest:
        """The request with the id that the provider knows, and the answer to a press that it still waits for."""
        if kept.upstream_id == request.previous and kept.owed is None:
            return request
        fields = fields_of(request.raw)
        if request.kept_by_provider:
            pass  # the conversation knows where it is
        elif kept.upstream_id is None:
            fields.pop("previous_response_id", None)
        else:
            fields["previous_response_id"] = msgspec.Raw(encode(kept.upstream_id))
        if kept.owed is not None:
            answer = {"type": "function_call_output", "call_id": kept.owed, "output": OUR_ANSWER}
            fields["input"] = msgspec.Raw(encode([answer, *input_items(fields)]))
        previous = request.previous if request.kept_by_provider else kept.upstream_id
        return replace(request, raw=joined(fields), previous=previous)

    def reader(self, content_type: str) -> StreamReader | WholeReader:
        """What reads the upstream's reply, by its content type."""
        return StreamReader() if content_type.startswith("text/event-stream") else WholeReader()

    def writer(self, request: ChatRequest, streams: bool) -> StreamWriter | WholeWriter:
        """What writes the reply for the client."""
        return StreamWriter(request) if streams else WholeWriter(request)

    def error(self, error: QuitbuttonError, more: Mapping[str, object] | None = None) -> bytes:
        """An error body in OpenAI's shape."""
        return OpenAIChat().error(error, more)

    def error_frame(self, error: QuitbuttonError) -> bytes:
        """The same as an event of a stream."""
        said = {"type": "error", "code": error.code, "message": str(error), "param": error.param, "sequence_number": 0}
        return b"event: error\ndata: " + encode(said) + b"\n\n"


@lru_cache(maxsize=64)
def _offered(tool: bytes) -> msgspec.Raw:
    return msgspec.Raw(encode({"type": "function", "strict": False, **msgspec.json.decode(tool)}))


def _message(role: str, words: str) -> dict[str, object]:
    return {"type": "message", "role": role, "content": words}


def _note(role: str, words: str) -> dict[str, object]:
    return _message("user", service_note(words)) if role == INLINE else _message(role, words)


def _then(items: list[msgspec.Raw], said: str, note: str, role: str) -> msgspec.Raw:
    """The items, then what the model said, then a note of ours."""
    if role == INLINE and not said:
        return msgspec.Raw(encode(with_notes(items, [note], INPUT_TEXT)))
    return appended(encode(items), [*([_message("assistant", said)] if said else []), _note(role, note)])


def _conversation(fields: Fields) -> str | None:
    """The provider's conversation that the request is part of."""
    given = member(fields, "conversation", Any, None)
    return identity.named(given.get("id") if isinstance(given, dict) else given)


def _is_stored(fields: Fields) -> bool:
    """True where the provider keeps the reply, so that a later request can go on from it."""
    return member(fields, "store", Any, True) is not False


def _can_offer(fields: Fields) -> bool:
    """False where one more tool would change what the client gets, or where nobody hears the reply come."""
    has_namesake = b'"end_conversation"' in bytes(fields.get("tools", b""))
    if not bytes(fields.get("tools", b"[")).lstrip().startswith((b"[", b"null")):
        return False
    choice, later = member(fields, "tool_choice", Any, None), member(fields, "background", Any, False)
    return choice in (None, "auto") and not (_wants_json(fields) or has_namesake or later)


def _forces_tool(fields: Fields) -> bool:
    choice = member(fields, "tool_choice", Any, None)
    if isinstance(choice, dict):
        return not (choice.get("type") == "allowed_tools" and choice.get("mode") == "auto")
    return bool(choice == "required")


def _wants_json(fields: Fields) -> bool:
    text = member(fields, "text", Any, None)
    shape = text.get("format") if isinstance(text, dict) else None
    return isinstance(shape, dict) and shape.get("type") not in (None, "text")
