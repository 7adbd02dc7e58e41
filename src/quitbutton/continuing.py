"""Requests that go on from what the provider keeps: the turn they come from, and what is kept for the next one."""

from __future__ import annotations

from dataclasses import replace

from quitbutton.core.addresses import conversation_id
from quitbutton.core.conversation import owner_of, root_of, scope_of
from quitbutton.core.messages import Reply
from quitbutton.core.origins import KeptReply, Origin
from quitbutton.core.rules import Means
from quitbutton.interfaces import Store
from quitbutton.listening import Turn


async def origin_of(store: Store, key: bytes, turn: Turn, realm: str) -> Origin | None:
    """The turn that a request goes on from by a reply's id or the provider's conversation; None where it brings its history.

    The turn's request then names what the provider knows. An id that was given to nobody here (before the gateway was put
    in, or with another key) names a conversation of its own.
    """
    request = turn.request
    turn.owner = owner_of(key, turn.tenant, realm)
    if request.previous is not None:
        origin = await store.origin(turn.owner, request.previous)
        if origin is None:
            name = request.conversation_id or request.previous
            turn.request = replace(request, conversation_id=name, beheaded=True)
        elif origin.reply is not None:
            turn.request = turn.adapter.continued(request, origin.reply)
        return origin
    if request.kept_by_provider and request.conversation_id is not None:
        scope = scope_of(turn.tenant, request, realm)
        conversation = conversation_id(key, root_of(key, scope), request.conversation_id.encode())
        head = await store.head(conversation)
        origin = None if head is None else Origin(head, conversation, await store.reply_at(turn.owner, head))
        if origin is not None and origin.reply is not None and origin.reply.owed is not None:
            turn.request = turn.adapter.continued(turn.request, origin.reply)
        return origin
    return None


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
