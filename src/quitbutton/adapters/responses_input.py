"""OpenAI Responses: reads a request's input. What is no message may hold whatever the provider knows, except words."""

from __future__ import annotations

from typing import Any

import msgspec

from quitbutton.adapters.contents import UNREADABLE, Content, Source, message_of, messages_of, one_by_one, role_of
from quitbutton.adapters.members import MAX_MESSAGES
from quitbutton.adapters.splice import Fields, encode, fields_of, items_of
from quitbutton.core.errors import BadRequest
from quitbutton.core.messages import Message, Role

ROLES = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "tool": Role.TOOL,
    "critic": Role.SYSTEM,
    "discriminator": Role.SYSTEM,
}
TEXT_PARTS = ("input_text", "output_text", "text")
TOOLS = ("reasoning", "_call", "_output", "_result", "_request", "_response")
"""Ends of the types of items that may have a content and are no words of a user's."""


class _Kind(msgspec.Struct):
    type: str = "message"


class _Item(_Kind):
    role: str = ""
    content: Content = None
    text: Any = None


_kind = msgspec.json.Decoder(_Kind)
_item = msgspec.json.Decoder(_Item)
_many = msgspec.json.Decoder(list[_Item])


def _input(fields: Fields) -> bytes:
    """The request's input as an array of items: a text is one message of the user's."""
    raw = bytes(fields.get("input", b"[]")).strip()
    if raw.startswith(b'"'):
        return encode([{"type": "message", "role": "user", "content": msgspec.Raw(raw)}])
    return b"[]" if raw == b"null" else raw


def input_items(fields: Fields) -> list[msgspec.Raw]:
    """The items as they came."""
    return items_of(_input(fields), "input")


def input_messages(fields: Fields) -> tuple[Message, ...]:
    """The items as messages. Raises `BadRequest`, naming what cannot be read."""
    raw = _input(fields)
    try:
        items = _many.decode(raw)
        if len(items) > MAX_MESSAGES:
            raise BadRequest(f"`input` must hold no more than {MAX_MESSAGES} items, not {len(items)}.")
        source = Source(lambda: raw)
        roles = [item.role if item.type == "message" else "assistant" for item in items]
        contents = [item.content if item.type == "message" else None for item in items]
        return messages_of(ROLES, roles, contents, TEXT_PARTS, lambda place: _message_of(items[place], place, source))
    except UNREADABLE:
        return one_by_one(items_of(raw, "input"), "input", _read)


def _read(raw: msgspec.Raw, source: Source) -> Message:
    """An item by itself. What is no message may hold whatever the provider knows."""
    kind = _kind.decode(raw).type
    if kind == "message":
        return _message_of(_item.decode(raw), 0, source)
    fields = fields_of(raw)
    return _no_message(kind, "role" in fields, "content" in fields or "text" in fields)


def _no_message(kind: str, has_role: bool, has_words: bool) -> Message:
    """Raises `BadRequest` for an item that may be a message of the user's to somebody."""
    if has_role or (has_words and not kind.endswith(TOOLS)):
        raise BadRequest(f"An item of the type {kind[:80]!r} has a role or a content. Send words as an item `message`.")
    return Message(Role.TOOL if kind.endswith("_output") else Role.ASSISTANT, "")


def _message_of(item: _Item, place: int, source: Source) -> Message:
    if item.type != "message":
        return _no_message(item.type, bool(item.role), item.content is not None or item.text is not None)
    return message_of(role_of(ROLES, item.role), item.content, place, source, TEXT_PARTS)
