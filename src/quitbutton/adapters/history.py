"""Takes the gateway's own words out of a history that a client sent back. What is left keeps its bytes."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import msgspec

from quitbutton.adapters.members import member
from quitbutton.adapters.splice import Fields, encode, fields_of, items_of, joined

CARRYING = ("tool_calls", "function_call", "audio", "refusal")
"""Members for which an assistant message stays that says nothing any more."""
THOUGHTS = ("thinking", "redacted_thinking")
"""Parts that cannot stand by themselves."""
NOTE = b'"quitbutton"'
NOTHING = (b"", b"null", b"[]", b'""')


def without_own_words(
    messages: Sequence[msgspec.Raw], cuts: Mapping[int, int], texts: Sequence[str]
) -> list[msgspec.Raw]:
    """The messages, those at `cuts` with no more than so many characters of their text; left out where nothing remains.

    `texts` are the types of parts that are words, the user's first. Where a message is left out, the user's before and
    after it become one, since some servers want roles that alternate. A history of nothing else stays as it is.
    """
    kept: list[msgspec.Raw] = []
    has_gap = False
    for place, raw in enumerate(messages):
        left = _shortened(raw, cuts[place], texts) if place in cuts else raw
        if left is None:
            while kept and _is_reasoning(kept[-1]):
                kept.pop()  # providers refuse thoughts without the words that they led to
            has_gap = True
            continue
        one = _of_one_user(kept[-1], left, texts[0]) if has_gap and kept else None
        if one is None:
            kept.append(left)
        else:
            kept[-1] = one
        has_gap = False
    return kept or list(messages)


def _shortened(raw: msgspec.Raw, size: int, texts: Container[str]) -> msgspec.Raw | None:
    """A message with the first `size` characters of its text; None where it then carries nothing."""
    fields = fields_of(raw)
    content = fields["content"]
    if _is_text(content):
        words = msgspec.json.decode(content, type=str)[:size]
        fields["content"] = msgspec.Raw(encode(words) if words else b"null")
    else:
        parts = _first_parts(items_of(content, "content"), size, texts)
        is_left = any(_kind_of(part) not in THOUGHTS for part in parts)
        fields["content"] = msgspec.Raw(encode(parts) if is_left else b"null")
    is_empty = bytes(fields["content"]) == b"null" and all(
        bytes(fields.get(n, b"")).strip() in NOTHING for n in CARRYING
    )
    return None if is_empty else msgspec.Raw(joined(fields))


def _first_parts(parts: Sequence[msgspec.Raw], size: int, texts: Container[str]) -> list[msgspec.Raw]:
    """The parts with the first `size` characters of their texts, which a line end joins. Others stay."""
    kept: list[msgspec.Raw] = []
    for part in parts:
        fields = fields_of(part)
        if member(fields, "type", str, "") not in texts:
            kept.append(part)
            continue
        words = member(fields, "text", str, "")
        if size > 0 and len(words) > size:
            fields["text"] = msgspec.Raw(encode(words[:size]))
            kept.append(msgspec.Raw(joined(fields)))
        elif size > 0:
            kept.append(part)
        size -= len(words) + 1
    return kept


def _of_one_user(before: msgspec.Raw, after: msgspec.Raw, text: str) -> msgspec.Raw | None:
    """Two messages of one user as one, with every part of both; None where they are not of one user."""
    first, second = fields_of(before), fields_of(after)
    others = [
        {name: bytes(value) for name, value in one.items() if name not in ("content", "type")}
        for one in (first, second)
    ]
    if others[0] != others[1] or member(first, "role", str, "").lower() != "user":
        return None
    contents = [bytes(one.get("content", b"null")).strip() for one in (first, second)]
    if all(map(_is_text, contents)):
        first["content"] = msgspec.Raw(contents[0][:-1] + b"\\n\\n" + contents[1][1:])
    else:
        parts = [part for content in contents for part in _parts_of(content, text)]
        first["content"] = msgspec.Raw(encode(parts))
    return msgspec.Raw(joined(first))


def _parts_of(content: bytes, text: str) -> list[msgspec.Raw]:
    if _is_text(content):
        return [msgspec.Raw(encode({"type": text, "text": msgspec.Raw(content)}))]
    return [] if content == b"null" else items_of(content, "content")


def _is_text(content: bytes) -> bool:
    return bytes(content).lstrip()[:1] == b'"'


def _is_reasoning(raw: msgspec.Raw) -> bool:
    return b'"reasoning"' in bytes(raw) and _kind_of(raw) == "reasoning"


def _kind_of(raw: msgspec.Raw) -> str:
    fields: Fields = fields_of(raw)
    return str(member(fields, "type", str, ""))


def without_notes(body: bytes) -> bytes:
    """A chat request without our object on messages of a stream that its client summed up: no provider knows it."""
    if NOTE not in body:
        return body
    fields = fields_of(body)
    messages = [_without_note(one) if NOTE in bytes(one) else one for one in items_of(fields["messages"], "messages")]
    fields["messages"] = msgspec.Raw(encode(messages))
    return joined(fields)


def _without_note(message: msgspec.Raw) -> msgspec.Raw:
    members = fields_of(message)
    return msgspec.Raw(joined(members)) if members.pop("quitbutton", None) is not None else message
