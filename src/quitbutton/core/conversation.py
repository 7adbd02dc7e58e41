"""Content addresses: which conversation is this, and where does its branch stand?

The contract (version `qb1`, test vectors in `docs/address-vectors.json`):

    address(0) = H(key, "scope"   || field(tenant) || field(end user) || field(conversation id) || field(realm))
    address(n) = H(key, "message" || address(n-1)  || field(text n)   || attachment digests of n)

`H` is BLAKE2b-256, keyed, personalised with `qb1`; `field(x)` is the length of x as 8 bytes, big-endian, then x in UTF-8.
Only user-authored messages count. Their text is brought to NFC, line ends become LF, outer white space goes. Ids, names,
times and cache hints are not part of it; assistant, tool and system messages neither, since clients echo those altered.

Where a conversation has an id, an end is kept under two tails besides: of its message alone, and of that with the message
right before. A history that lost its beginning is known again by these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from quitbutton.core.addresses import chain, conversation_id, field_of, hashed, message_id, tails
from quitbutton.core.ladder.standing import OPEN, Standing
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.messages import ChatRequest, Message, Role
from quitbutton.core.origins import Origin
from quitbutton.core.value import value


class Scope(NamedTuple):
    """Whose conversation: it salts every address, so that the same words in another scope never meet.

    `realm` keeps apart what must not mix, such as branches of shadow mode.
    """

    tenant: str = ""
    end_user: str | None = None
    conversation_id: str | None = None
    realm: str = ""


class Branch:
    """One path through the tree of turns, as its addresses from the first user message to the newest."""

    __slots__ = (
        *("_key", "_users", "address", "addresses", "is_truncated"),
        *("continued", "conversation", "message", "named", "parent", "root"),
    )

    def __init__(
        self,
        root: bytes,
        addresses: tuple[bytes, ...],
        conversation: str,
        named: bool = False,
        is_truncated: bool = False,
        continued: bool = False,
        key: bytes = b"",
        users: Sequence[Message] = (),
    ) -> None:
        self.root: Final = root
        self.addresses: Final = addresses
        self.conversation: Final = conversation
        """Our public id of the conversation."""
        self.named: Final = named
        """True when the client gave a conversation id, so that a rewritten history can still be placed."""
        self.is_truncated: Final = is_truncated
        """True when the history begins with a reply: its head was cut off by the client."""
        self.continued: Final = continued
        """True when the history is the provider's: the first address is the turn that this one goes on from."""
        self.address: Final = addresses[-1]
        """The address of this turn."""
        self.parent: Final = addresses[-2] if len(addresses) > 1 else root
        """The address this turn grew from; the root for a first message."""
        self.message: Final = message_id(self.address)
        """The public id of this turn's user message."""
        self._key, self._users = key, users

    def after(self, address: bytes) -> Branch:
        """The same turn, with one more of the user's turns right before it."""
        addresses = (*self.addresses[:-1], address, self.address)
        told = self.conversation, self.named, self.is_truncated, self.continued
        return Branch(self.root, addresses, *told, self._key, self._users)

    def tails(self) -> tuple[bytes, ...]:
        """What a history that lost its beginning is known by, in a conversation with an id; nothing elsewhere."""
        return tails(self._key, self.root, self.conversation, self._users) if self.named else ()

    def own_tails(self) -> tuple[bytes, ...]:
        """Those that hold this turn's message: by them an end here is found again."""
        alone = tails(self._key, self.root, self.conversation, self._users[-1:]) if self.named else ()
        return (*alone, *self.tails()[1:][-1:])


@dataclass(frozen=True, slots=True)
class Mark:
    """What the store knows of one address."""

    standing: Standing
    base: bytes = b""
    """The address whose standing this turn started from."""
    end_id: str | None = None
    brought: bool = False
    """True for a message that only came within a longer history: it stands where the first turn after it began."""


@value
class Marks:
    """What the store knows of a branch: marks by address, and the newest turn of the conversation."""

    by_address: Mapping[bytes, Mark]
    head: bytes | None = None


@value
class Footing:
    """Where a turn starts from: its parent's standing, the address that gave it, and the end that locks it, if any."""

    standing: Standing
    base: bytes
    end_id: str | None = None


def scope_of(tenant: str, request: ChatRequest, realm: str = "") -> Scope:
    """API key and end user; without an end user, API key and conversation id."""
    if request.end_user is not None:
        return Scope(tenant, request.end_user, None, realm)
    return Scope(tenant, None, request.conversation_id, realm)


def branch_of(key: bytes, scope: Scope, request: ChatRequest, origin: Origin | None = None) -> Branch | None:
    """The branch a request is on; None when it holds no user message, so that there is no turn to count.

    With an `origin` the history is the provider's, and the branch grows from the turn there.
    """
    user = Role.USER
    users = [message for message in request.messages if message[0] is user]  # by place, which is three times as fast
    if not users:
        return None
    root = root_of(key, scope)
    if origin is not None:
        grown = chain(key, origin.address, users)
        return Branch(root, (origin.address, *grown), origin.conversation, continued=True)
    addresses = chain(key, root, users)
    name = request.conversation_id
    conversation = conversation_id(key, root, name.encode() if name is not None else addresses[0])
    spoken = next(message for message in request.messages if message.role is not Role.SYSTEM)
    is_truncated = request.is_truncated or spoken.role is not Role.USER
    return Branch(root, addresses, conversation, name is not None, is_truncated, key=key, users=users)


@lru_cache(maxsize=1024)
def owner_of(key: bytes, tenant: str, realm: str = "") -> bytes:
    """To whom a reply was given: the API key. An end user who changes its name keeps the locks of what it goes on from."""
    return root_of(key, Scope(tenant, None, None, realm))


def standing_of(branch: Branch, marks: Marks) -> Footing:
    """Where the turn starts from, by these rules in this order.

    An ended address anywhere on the path locks it. A known parent gives its standing. A turn seen before starts from
    where it started then. With a conversation id, an unknown parent, or one that only came along with a history, means
    a rewritten history: it is locked where it holds an ended turn of that conversation, and else goes on from its newest
    turn. Otherwise the deepest known prefix counts; if there is none, the conversation is new.
    """
    known = marks.by_address
    if any(mark.standing.rung is Rung.ENDED for mark in known.values()):
        for address in branch.addresses:
            if address in known and known[address].standing.rung is Rung.ENDED:
                return Footing(known[address].standing, address, known[address].end_id)
    if branch.parent == branch.root and not branch.is_truncated:
        return Footing(OPEN, branch.root)
    if branch.parent in known and not (branch.named and known[branch.parent].brought and marks.head is not None):
        return Footing(known[branch.parent].standing, branch.parent)
    for address in _bases(branch, marks):
        if address in known:
            return Footing(known[address].standing, address, known[address].end_id)
    return Footing(OPEN, branch.root)


def _bases(branch: Branch, marks: Marks) -> Iterator[bytes]:
    """Where a turn with an unknown parent may start from, best first."""
    known = marks.by_address
    yield from (tail for tail in branch.tails() if tail in known and known[tail].standing.rung is Rung.ENDED)
    if branch.address in marks.by_address:
        yield marks.by_address[branch.address].base
    elif branch.named and marks.head is not None:
        yield marks.head
    yield from reversed(branch.addresses[:-1])


@lru_cache(maxsize=1024)
def root_of(key: bytes, scope: Scope) -> bytes:
    """`address(0)` of a scope."""
    fields = (scope.tenant, scope.end_user, scope.conversation_id, scope.realm)
    return hashed(key, b"scope", *map(field_of, fields))
