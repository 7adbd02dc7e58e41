"""Changes JSON in place: what is not changed keeps its bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from quitbutton.core.errors import BadRequest
from quitbutton.core.messages import ChatRequest

Fields = dict[str, msgspec.Raw]

_fields = msgspec.json.Decoder(Fields)
_items = msgspec.json.Decoder(list[msgspec.Raw])


def encode(value: object) -> bytes:
    """JSON, compact, as UTF-8."""
    return msgspec.json.encode(value)


def fields_of(raw: bytes) -> Fields:
    """The members of a JSON object, each as its own bytes. Raises `BadRequest` when it is none."""
    try:
        return _fields.decode(raw)
    except RecursionError as error:
        raise BadRequest("The request body is nested too deeply. Send fewer levels of arrays and objects.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The request body must be a JSON object: {error}.") from error


def items_of(raw: bytes, name: str) -> list[msgspec.Raw]:
    """The items of a JSON array, each as its own bytes. Raises `BadRequest` when it is none."""
    try:
        return _items.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"`{name}` must be an array: {error}.") from error


def appended(array: bytes | None, items: Sequence[object]) -> msgspec.Raw:
    """An array's bytes with more items at its end; a missing array or null counts as empty."""
    more = b",".join(encode(item) for item in items)
    body = (bytes(array) if array is not None else b"[]").strip()
    if body in (b"null", b"[]") or not body[1:-1].strip():
        return msgspec.Raw(b"[" + more + b"]")
    return msgspec.Raw(body[:-1].rstrip() + b"," + more + b"]") if more else msgspec.Raw(body)


def with_member(raw: bytes, name: str, value: object) -> bytes:
    """An object's bytes with one more member at its end. They are copied once, however many there are."""
    end = _end(raw, len(raw))
    if not end or raw[end - 1 : end] != b"}":
        return raw
    inside = _end(raw, end - 1)
    comma = b"" if raw[inside - 1 : inside] == b"{" else b","
    view = memoryview(raw)
    return b"".join((view[:inside], comma, encode(name), b":", encode(value), b"}", view[end:]))


def with_tools(request: ChatRequest, tools: Sequence[msgspec.Raw]) -> bytes:
    """A request's bytes with more of its `tools`. It is taken apart only where it has some."""
    if not tools:
        return request.raw
    if not request.has_tools:
        return with_member(request.raw, "tools", tools)
    fields = fields_of(request.raw)
    fields["tools"] = appended(fields.get("tools"), tools)
    return joined(fields)


def _end(raw: bytes, end: int) -> int:
    """Where the last character before `end` that is no white space ends."""
    while end and raw[end - 1] in b" \t\r\n":
        end -= 1
    return end


def joined(fields: Mapping[str, msgspec.Raw]) -> bytes:
    """The object again, its members in their order."""
    return encode(fields)
