"""A whole conversation in one message: known by a turn of it that is on record, and read for what is new in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quitbutton.core.addresses import canonical
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.messages import Message, Role
from quitbutton.core.traces import DISTINCT, LABEL, MAX_LINES, Known, apart, bare, digest_of_line


@dataclass(frozen=True, slots=True)
class Transcript:
    """A message of several lines, which may hold a whole conversation."""

    lines: tuple[str, ...]
    digests: tuple[bytes, ...]
    """Of each line; empty where nothing is left of it."""

    @classmethod
    def of(cls, key: bytes, root: bytes, text: str) -> Transcript:
        """Its lines, with what they are known by; none where it has too many."""
        lines = tuple(canonical(text).split("\n"))
        if len(lines) > MAX_LINES:
            return cls((), ())
        return cls(lines, tuple(digest_of_line(key, root, one) if (one := bare(line)) else b"" for line in lines))

    def read(self, known: Known) -> Reading | None:
        """What is new in it, where it holds that turn's words and reply; None where it does not.

        All that stands before the reply must have been in that turn's own message, which a transcript that grows proves.
        The first may have come in another form, so there the last line before the reply is enough; nothing is warned or
        ended by that, and whoever pastes a chat that was ended elsewhere is free.
        """
        words, reply = apart(known.trace.words), apart(known.trace.reply)
        last = max((at for at, one in enumerate(self.digests) if one == known.trace.tail), default=-1)
        first = last
        while first > 0 and (not self.digests[first - 1] or self.digests[first - 1] in reply):
            first -= 1
        before = [at for at in range(max(first, 0)) if self.digests[at]]
        unseen = [at for at in before if self.digests[at] not in words]
        if not before or before[-1] in unseen or not known.trace.alone:
            return None
        if unseen and known.rung not in (Rung.OPEN, Rung.REDIRECTED):
            return None
        said = "\n".join(self.lines[first : last + 1])
        fresh = self._after(last)
        if not fresh or len((self.lines[before[-1]] + said).encode()) < DISTINCT:
            return None
        new = "\n".join([*(self.lines[at] for at in unseen), *fresh])
        return Reading(known, last, not unseen, "\n".join(self.lines[:first]), said, new)

    def _after(self, last: int) -> list[str]:
        """The lines after the reply, without the label of the first and without bare labels at the end."""
        filled = [at for at in range(last + 1, len(self.lines)) if self.digests[at]]
        if not filled:
            return []
        head = self.lines[filled[0]]
        label = None if head.lstrip().startswith(">") else LABEL.match(head)
        return [head[label.end() :] if label else head, *self.lines[filled[0] + 1 : filled[-1] + 1]]


@dataclass(frozen=True, slots=True)
class Reading:
    """A transcript taken apart at the last reply that is on record."""

    known: Known
    last: int
    """The line at which that reply ends."""
    is_proven: bool
    before: str
    said: str
    new: str

    def messages(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages as they are to be read: what was said, the reply, and the newest words by themselves."""
        others = tuple(message for message in messages if message.role is not Role.USER)
        brought = next(message.attachments for message in reversed(messages) if message.role is Role.USER)
        told = Message(Role.USER, self.before), Message(Role.ASSISTANT, self.said)
        return (*others, *told, Message(Role.USER, self.new, brought))
