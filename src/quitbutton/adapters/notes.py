"""Notes of ours inside a message of the user's, for protocols and templates that take no system text after the history."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from quitbutton.adapters.members import member
from quitbutton.adapters.splice import appended, encode, fields_of, joined

INLINE = "inline"
"""The role of a note that stands at the end of the user's newest message."""


def service_note(text: str) -> str:
    """A note inside a user message, which must say that it is none of the user's."""
    return f"<service_note>\nThis note comes from the service, not from the user.\n{text}\n</service_note>"


def with_notes(
    messages: list[msgspec.Raw], notes: Sequence[str], part: str = "text", as_parts: bool = False
) -> list[msgspec.Raw]:
    """The messages, with the notes at the end of the user's last one; a prefilled reply stays the last.

    `part` is the type of a text part in this protocol. A text stays one, since strict templates know no parts, unless it is
    to be written `as_parts`.
    """
    told = [service_note(note) for note in notes]
    for place in range(len(messages) - 1, -1, -1):
        fields = fields_of(messages[place])
        if member(fields, "role", str, "").strip().casefold() != "user":
            continue
        content, parts = bytes(fields.get("content", b'""')).strip(), [{"type": part, "text": one} for one in told]
        if content.startswith(b'"') and not as_parts:
            more = encode("\n\n" + "\n\n".join(told))
            fields["content"] = msgspec.Raw(content[:-1] + more[1:])
        elif content.startswith(b'"'):
            fields["content"] = msgspec.Raw(encode([{"type": part, "text": msgspec.Raw(content)}, *parts]))
        else:
            fields["content"] = appended(content, parts)
        return [*messages[:place], msgspec.Raw(joined(fields)), *messages[place + 1 :]]
    return messages
