"""What a turn is known again by when a client sends its history rewritten: the lines of its message and of its reply.

An address is exact: a message that was wrapped when it was the newest, or a history that was cut, has another one. A trace
keeps a keyed digest of each line of a turn's message and of its reply. A history that brings both, the user's words followed
by the reply to them, goes on from that turn. So does one that begins with the reply, and one that is all in one message.

Lines are compared without what clients put around words: white space, a label (`Question:`), a tag, quotation marks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence

from quitbutton.core.addresses import canonical, chain
from quitbutton.core.conversation import Branch
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.messages import Message, Role
from quitbutton.core.value import value

SIZE = 8
"""Bytes of a line's digest."""
MAX_LINES = 1024
"""Most lines of a message or reply that are looked at, the last ones."""
MAX_ECHOES = 32
"""Most replies of a history that are looked up, the newest."""
DISTINCT = 24
"""Least bytes of words and reply that tell a turn from others: "hi" and "Hello!" do not."""
LABEL = re.compile(r"(?:[#>*_\s-]{0,8}[^\W\d_][\w'()-]{0,20}(?: [\w'()-]{1,20}){0,2}[*_]{0,2}[ \t]?[:：][*_]{0,2})\s*")
_BEFORE = re.compile(r"(?:<[^<>]{1,80}>|[>#*_\s\"'`“”‘’«»„-])+")
_TAG = re.compile(r"</?[^<>]{1,80}>\Z")
_CLOSING = "*_ \t\"'`“”‘’«»„"


@value
class Trace:
    """One turn as it can be known again within its scope."""

    root: bytes
    """The scope's, see `root_of`."""
    address: bytes
    conversation: str
    words: bytes
    """Digests of the lines of the user's message, one after another."""
    reply: bytes
    """Digests of the lines of the reply."""
    users: int
    """How many of the user's messages the request brought."""
    alone: bool
    """True where the request brought this one message, so that the history may stand in it."""
    opening: bytes = b""
    """Digest of a reply that the history began with and that is none of ours: a greeting of the application's."""

    @property
    def tail(self) -> bytes:
        """The last line of the reply: what a trace is looked up by."""
        return self.reply[-SIZE:]

    @property
    def said(self) -> bytes:
        """The whole reply: a turn that was answered again has several."""
        return hashlib.blake2b(self.reply, digest_size=SIZE).digest()


@value
class Known:
    """A trace on record, and where its turn stands."""

    trace: Trace
    rung: Rung
    redirections: int
    at: float


@value
class Echo:
    """A reply that a history brings, and the user's words before it, as digests of their lines."""

    place: int
    """How many of the user's messages stand before the reply."""
    words: tuple[bytes, ...]
    reply: tuple[bytes, ...]
    size: int
    """Bytes of both."""

    @property
    def tail(self) -> bytes:
        """The last line of the reply."""
        return self.reply[-1]

    def is_of(self, known: Known) -> bool:
        """Whether these are the words and the reply of that turn, or a part of them."""
        words, reply = apart(known.trace.words), apart(known.trace.reply)
        return self.size >= DISTINCT and reply.issuperset(self.reply) and words.issuperset(self.words)


def trace_of(
    key: bytes, branch: Branch, messages: Sequence[Message], said: str, by_reply: bool = False
) -> Trace | None:
    """What this turn will be known by; None where nothing was said. `by_reply`: it was placed by the reply it began with."""
    users = [message.text for message in messages if message.role is Role.USER]
    reply = _digests(key, branch.root, _lines(said))
    if not reply or not users:
        return None
    words = _digests(key, branch.root, _lines(users[-1]))
    first = next((message for message in messages if message.role in (Role.USER, Role.ASSISTANT)), None)
    greets = first is not None and first.role is Role.ASSISTANT and not by_reply
    opening = _digests(key, branch.root, _lines(first.text))[-1:] if greets and first is not None else ()
    alone = len(users) == 1 and all(message.role is not Role.ASSISTANT for message in messages)
    joined = b"".join(words), b"".join(reply)
    return Trace(branch.root, branch.address, branch.conversation, *joined, len(users), alone, b"".join(opening))


@value
class Answered:
    """A reply that a history brings, with the user's words before it, not yet digested."""

    place: int
    words: str
    said: str
    tail: bytes
    """Digest of the reply's last line: what is looked up first."""


def answered_in(key: bytes, root: bytes, messages: Iterable[Message], after: int = 0) -> list[Answered]:
    """The replies of a history, the newest first; those `after` so many messages of the user's."""
    place, words = 0, ""
    pairs: list[tuple[int, str, str]] = []
    for message in messages:
        if message.role is Role.USER:
            place, words = place + 1, message.text
        elif message.role is Role.ASSISTANT and place >= after:
            pairs.append((place, words, message.text))
    newest = pairs[: -MAX_ECHOES - 1 : -1]
    return [Answered(*pair, digest_of_line(key, root, last)) for pair in newest if (last := _last_line(pair[2]))]


def echo_of(key: bytes, root: bytes, one: Answered) -> Echo | None:
    """The lines of a reply and of the words before it; None where only one of the two has any."""
    asked, reply = _lines(one.words), _lines(one.said)
    if bool(asked) != bool(one.place):
        return None
    return Echo(one.place, _digests(key, root, asked), _digests(key, root, reply), _size(asked) + _size(reply))


def chosen(key: bytes, found: Collection[Known], newest: Message, place: int = 0) -> Known | None:
    """The turn to go on from, of those that fit: the newest.

    Where one of them is this very turn, sent once more, the one before it. Where some came with as many messages as stand
    here up to their words, `place`, one of these. Where they are of several conversations, the one that stands lowest:
    nobody inherits what may be another chat's.
    """
    addresses = {known.trace.address for known in found}
    for known in found:
        if chain(key, known.trace.address, [newest])[0] in addresses:
            return known
    found = [known for known in found if known.trace.users == place] or found
    if len({known.trace.conversation for known in found}) > 1:
        return min(found, key=_height)
    return max(found, key=lambda known: known.at, default=None)


def grown(key: bytes, branch: Branch, known: Known, newest: Message) -> Branch:
    """The branch that goes on from a turn with the newest message alone; by address as in a history that a provider keeps."""
    trace = known.trace
    addresses = (trace.address, *chain(key, trace.address, [newest]))
    return Branch(branch.root, addresses, trace.conversation, continued=True)


def _height(known: Known) -> tuple[int, int, float]:
    return list(Rung).index(known.rung), known.redirections, -known.at


def apart(digests: bytes) -> frozenset[bytes]:
    """Digests that stand one after another, as a set."""
    return frozenset(digests[start : start + SIZE] for start in range(0, len(digests), SIZE))


def _lines(text: str) -> list[str]:
    return [one for line in canonical(text).split("\n")[-MAX_LINES:] if (one := bare(line))]


def _last_line(text: str) -> str:
    """The last of the lines, without reading the others."""
    end = len(text.rstrip())  # as `canonical` leaves it
    for _ in range(MAX_LINES):
        start = max(text.rfind(one, 0, end) for one in "\r\n")
        if last := bare(canonical(text[start + 1 : end])):
            return last
        if start < 0:
            break
        end = start
    return ""


def bare(line: str) -> str:
    """A line without what stands around words, its white space as single blanks."""
    for pattern in (_BEFORE, LABEL, _BEFORE):
        if found := pattern.match(line):
            line = line[found.end() :]
    line = line.rstrip(_CLOSING)
    if line.endswith(">") and (tag := _TAG.search(line, max(0, len(line) - 83))):
        line = line[: tag.start()].rstrip(_CLOSING)
    return " ".join(line.split())


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode("utf-8", "surrogatepass")) for line in lines)


def _digests(key: bytes, root: bytes, lines: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(digest_of_line(key, root, line) for line in lines)


def digest_of_line(key: bytes, root: bytes, line: str) -> bytes:
    """What a line is known by within a scope."""
    data = line.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=SIZE, key=key, person=b"qb1 line", salt=root[:16]).digest()
