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


TEMPLATE_ROLES = {
    **dict.fromkeys(("ipython", "environment", "observation", "tool_response"), Role.TOOL),
    **dict.fromkeys(("context", "document", "documents", "knowledge", "available_tools", "control"), Role.SYSTEM),
}
"""Roles that chat templates of open models know besides those of the protocol: none of them is a user's."""


def role_of(roles: Mapping[str, Role], name: str) -> Role:
    """The role that a name stands for, however it is written: some upstreams take "User" for a user too.

    Raises `BadRequest` for a name that is not known: nobody can tell whose words those are.
    """
    found = roles.get(name) or roles.get(name.strip().casefold())
    if found is None:
        raise BadRequest(f"The role {name[:80]!r} of a message is not known here. Known roles: {', '.join(roles)}.")
    return found


class Part(msgspec.Struct, gc=False):
    """A part of a message's content, as far as it is looked at."""

    type: str = ""
    text: str | None = None


Content = str | list[Part] | None

BROUGHT = frozenset(
    (
        *("image", "image_url", "input_image", "image_file", "image_embeds", "computer_screenshot"),
        *("audio", "audio_url", "input_audio", "audio_embeds", "video", "video_url", "input_video"),
        *("file", "file_url", "input_file", "document", "document_url", "reference", "search_result"),
        *("container_upload", "media"),
    )
)
"""Types of parts that a user brings besides words, in any of the protocols and in dialects of them."""


def _check_part(part: Part) -> None:
    """Raises `BadRequest` for a user's part that may hold words which are not read."""
    if part.type not in BROUGHT:
        kind = f"of the type {part.type[:80]!r}, which is not known here" if part.type else "without a `type`"
        raise BadRequest(f"A message of the user has a part {kind}. Send words as a part of the type `text`.")
    if part.text:
        raise BadRequest(f"A user's part of the type `{part.type}` has a `text`. Send words as a part of their own.")


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
    the others."""
    words = [
        content
        if type(content) is str
        else content[0].text
        if type(content) is list and len(content) == 1 and content[0].type in texts
        else None
        for content in contents
    ]
    names = list(spoken_by)
    known = list(map(roles.get, names))
    if None in known:
        known = [role_of(roles, name) for name in names]
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

    Of what else there is, a user's is digested: nobody asks what others brought. Raises `BadRequest` for a part of a user's
    that is of an unknown type: a model might be shown its words.
    """
    if not isinstance(content, list):
        return Message(role, content or "")
    text = "\n".join([part.text or "" for part in content if part.type in texts])
    if role is not Role.USER:
        return Message(role, text)
    for part in content:
        if not (part.type in texts or part.type in passed):
            _check_part(part)
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
