"""Contents of messages, decoded together with their request; what a user brings besides words is looked at as it came."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from itertools import repeat

import msgspec

from quitbutton.adapters.attachments import digest_of
from quitbutton.adapters.splice import fields_of, items_of
from quitbutton.core.errors import BadRequest
from quitbutton.core.messages import Message, Role

_of_plain = partial(tuple.__new__, Message)
"""`Message` from its three members: a call for each of a thousand would be felt."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading JSON of the client's may raise."""


def any_case(**known: Role) -> dict[str, Role]:
    """A protocol's names of roles, however they are capitalised: some upstreams take "User" for a user too."""
    return {spelt: role for name, role in known.items() for spelt in (name, name.title(), name.upper())}


class Part(msgspec.Struct, gc=False):
    """A part of a message's content, as far as it is looked at."""

    type: str = ""
    text: str | None = None


Content = str | list[Part] | None


class Source:
    """The array of a request's messages as bytes, `raw()`: taken apart once somebody asks for a part as it came."""

    def __init__(self, raw: Callable[[], bytes]) -> None:
        self._raw = raw
        self._messages: list[msgspec.Raw] | None = None

    def parts(self, place: int) -> list[msgspec.Raw]:
        """The parts of the message at this place."""
        if self._messages is None:
            self._messages = items_of(self._raw(), "the history")
        return items_of(fields_of(self._messages[place])["content"], "content")


def messages_of(
    roles: Mapping[str, Role],
    spoken_by: Iterable[str],
    contents: Iterable[Content],
    texts: Container[str],
    slowly: Callable[[int], Message],
) -> tuple[Message, ...]:
    """Messages from the names of their roles and their contents: one call for all that are a text each, `slowly(place)` for
    the others. An unknown role is the application's own."""
    words = [
        content
        if type(content) is str
        else content[0].text
        if type(content) is list and len(content) == 1 and content[0].type in texts
        else None
        for content in contents
    ]
    known = map(roles.get, spoken_by, repeat(Role.SYSTEM))
    found = list(map(_of_plain, zip(known, words, repeat(()))))
    if None in words:
        for place, text in enumerate(words):
            if text is None:
                found[place] = slowly(place)
    return tuple(found)


def message_of(
    role: Role, content: Content, place: int, source: Source, texts: Container[str], passed: Container[str] = ()
) -> Message:
    """A message from its content. `texts` are the types of parts that are words, `passed` those that are nobody's.

    Of what else there is, a user's is digested: nobody asks what others brought.
    """
    if not isinstance(content, list):
        return Message(role, content or "")
    text = "\n".join([part.text or "" for part in content if part.type in texts])
    if role is not Role.USER:
        return Message(role, text)
    brought = [number for number, part in enumerate(content) if not (part.type in texts or part.type in passed)]
    parts = source.parts(place) if brought else []
    return Message(role, text, tuple([digest_of(parts[number]) for number in brought]))


def one_by_one(
    raws: Sequence[msgspec.Raw], name: str, read: Callable[[msgspec.Raw, Source], Message]
) -> tuple[Message, ...]:
    """Messages where they cannot be read all at once. Raises `BadRequest` with the first that is wrong."""
    found: list[Message] = []
    for place, raw in enumerate(raws):
        try:
            found.append(read(raw, Source(partial(bytes.__mod__, b"[%b]", raw))))
        except UNREADABLE as wrong:
            raise BadRequest(f"`{name}[{place}]` cannot be read: {wrong}.") from wrong
    return tuple(found)
