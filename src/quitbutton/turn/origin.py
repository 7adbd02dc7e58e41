"""Requests that go on from what the provider keeps: the turn they come from, and what is kept for the next one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from quitbutton.core.addresses import conversation_id
from quitbutton.core.conversation import Scope, owner_of, root_of, scope_of
from quitbutton.core.errors import NotFound, PreviousNotFound, StoreFailed
from quitbutton.core.ladder.policy import Means, Mode
from quitbutton.core.messages import ChatRequest, Reply
from quitbutton.core.origins import KeptId, KeptReply, Origin
from quitbutton.core.value import value
from quitbutton.interfaces import Store
from quitbutton.turn.turn import Turn

log = logging.getLogger("quitbutton.gateway")


@dataclass(frozen=True, slots=True)
class Holdings:
    """The responses and conversations of providers that one API key may use."""

    store: Store
    key: bytes
    """The installation's, of its addresses."""
    tenant: str
    allows_unknown: bool
    """Whether what was not made through this gateway may be used too."""

    async def put(self, kept_id: str, upstream: str, at: float) -> None:
        """Remember that this key made it, before the id is told. Without that nobody may use it."""
        try:
            await self.store.keep_id(kept_id, KeptId(owner_of(self.key, self.tenant), upstream), at)
        except StoreFailed as error:
            log.warning("whose a kept response is could not be recorded; its id will open nothing: %s", error)

    async def check(self, kept_id: str, missing: NotFound) -> KeptId | None:
        """Whose it is, if that is known. Raises `missing` for another key's, and where unknown ones are not allowed."""
        found = await self.store.kept_id(kept_id)
        if found is None:
            if self.allows_unknown:
                return None
            raise missing
        if found.owner not in {owner_of(self.key, self.tenant, realm) for realm in ("", Mode.SHADOW.value)}:
            raise missing
        return found


def no_previous(reply_id: str) -> NotFound:
    """What a provider says where a request goes on from a response that is not there."""
    return PreviousNotFound(f"Previous response with id '{reply_id}' not found.")


def no_response(reply_id: str) -> NotFound:
    """What a provider says of a response that is not there."""
    return NotFound(f"Response with id '{reply_id}' not found.")


def no_conversation(name: str) -> NotFound:
    """What a provider says of a conversation that is not there."""
    return NotFound(f"Conversation with id '{name}' not found.")


Keep = Callable[[str, str, float], Awaitable[None]]
"""Remembers whose a reply is, by its id, its upstream and the time."""


@value
class Continuation:
    """What a request goes on from."""

    request: ChatRequest
    """The request, which names what the provider knows."""
    owner: bytes
    """Whose the replies are that it may go on from, and whose its own will be."""
    origin: Origin | None = None
    """The turn it goes on from; None where it brings its history, or where that turn is not known."""
    keep: Keep | None = None
    """How to remember its reply, where the provider keeps that."""


async def origin_of(store: Store, key: bytes, turn: Turn, realm: str) -> Continuation:
    """What the turn's request goes on from by a reply's id or the provider's conversation. Writes nothing.

    An id without a turn here (it was relayed, or made before the gateway was put in) names a conversation of its own.
    Raises `NotFound` for what another key made.
    """
    request, owner = turn.request, owner_of(key, turn.tenant, realm)
    holdings = Holdings(store, key, turn.tenant, turn.allows_unknown_ids)
    if request.kept_in is not None:
        await holdings.check(request.kept_in, no_conversation(request.kept_in))
    keep = holdings.put if request.is_kept else None
    origin: Origin | None = None
    if request.previous is not None:
        origin = await store.origin(owner, request.previous)
        if origin is None:
            await holdings.check(request.previous, no_previous(request.previous))
            name = request.conversation_id or request.previous
            request = replace(request, conversation_id=name, is_truncated=True)
        elif origin.reply is not None:
            request = turn.adapter.continued(request, origin.reply)
    elif request.kept_by_provider and request.conversation_id is not None:
        origin = await _head_of(store, key, scope_of(turn.tenant, request, realm), request.conversation_id, owner)
        if origin is not None and origin.reply is not None and origin.reply.owed is not None:
            request = turn.adapter.continued(request, origin.reply)
    return Continuation(request, owner, origin, keep)


async def _head_of(store: Store, key: bytes, scope: Scope, name: str, owner: bytes) -> Origin | None:
    """The newest turn of the provider's conversation of this name."""
    conversation = conversation_id(key, root_of(key, scope), name.encode())
    head = await store.head(conversation)
    return None if head is None else Origin(head, conversation, await store.reply_at(owner, head))


def kept_of(turn: Turn, reply: Reply | None = None) -> KeptReply | None:
    """What is kept of the reply the client is given; None where its protocol has no ids to go on from.

    Without a `reply` the words are ours: the provider knows nothing of this turn and goes on from before it.
    """
    writer = turn.delivery.writer
    if writer is None or not writer.reply_id:
        return None
    if reply is None:
        return KeptReply(writer.reply_id, turn.request.previous, turn.upstream_name)
    press = reply.press  # in the last reply: nothing has answered it
    owed = press.call_id if press is not None and press.means == Means.TOOL else None
    return KeptReply(writer.reply_id, reply.id or writer.reply_id, turn.upstream_name, owed)
