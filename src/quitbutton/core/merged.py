"""Two messages of the user's that a client sent as one, because the first of them was answered with an error.

A client that gets an error has no reply to put between this message and the next. Some join the two: by a line end, by a
blank line, or as parts of one message. The first is known again by its address, to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from quitbutton.core.addresses import canonical, chain
from quitbutton.core.messages import Message, Role
from quitbutton.core.value import value

MAX_SPLITS = 512
"""Most places at which a message is taken apart: the first and the last of its line ends."""
MAX_HASHED = 1 << 24
"""Most bytes that are hashed for it: a very long message is taken apart at fewer places."""
_LINE_END = re.compile(r"\n\s*")


@value
class Split:
    """One way to read a message as two."""

    address: bytes
    """The address that the first has as a message of its own."""
    told: Message
    new: Message

    def messages(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages with both in place of the newest of the user's."""
        last = max(at for at, message in enumerate(messages) if message.role is Role.USER)
        return (*messages[:last], self.told, self.new, *messages[last + 1 :])


def splits_of(key: bytes, parent: bytes, newest: Message) -> list[Split]:
    """The ways to read the newest message as two below this parent, the shortest first message first."""
    text, brought = canonical(newest.text), newest.attachments
    ends = [found.span() for found in _LINE_END.finditer(text)]
    if brought:  # the second may be a picture without words
        ends.append((len(text), len(text)))
    most = min(MAX_SPLITS, MAX_HASHED // max(1, len(text))) // (len(brought) + 1)
    if len(ends) > most:
        ends = [*ends[: most // 2], *ends[len(ends) - (most - most // 2) :]]
    return [
        _split(key, parent, (text[:end], brought[:count]), (text[start:], brought[count:]))
        for end, start in ends
        for count in range(len(brought) + (end < len(text)))
    ]


def _split(key: bytes, parent: bytes, told: tuple[str, tuple[bytes, ...]], new: tuple[str, tuple[bytes, ...]]) -> Split:
    first = Message(Role.USER, *told)
    return Split(chain(key, parent, [first])[0], first, Message(Role.USER, *new))
