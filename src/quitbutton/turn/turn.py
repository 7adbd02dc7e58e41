"""A turn under way: its request, its client, what was delivered, and its stop."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from quitbutton.core.kept_words import Retention
from quitbutton.core.lacks import NO_LACKS, Lack
from quitbutton.core.ladder.policy import Background, Policy
from quitbutton.core.ladder.verdicts import Verdict
from quitbutton.core.messages import ChatRequest
from quitbutton.core.records import Receipt
from quitbutton.interfaces import Adapter, Exchange, Headers, Upstream, Writer
from quitbutton.turn.locate import Place
from quitbutton.turn.prefetch import Ahead

OF_ONE_CALL = frozenset({"idempotency-key"})
"""Headers of the client's that name one call: another must not go along under the same name, or be taken for the first."""


class Client(Protocol):
    """The other end of a request."""

    @property
    def is_gone(self) -> bool:
        """True once the client hung up."""
        ...

    @property
    def is_open(self) -> bool:
        """True once a status was sent."""
        ...

    async def open(self, status: int, headers: Headers) -> None:
        """Send status and headers; nothing when the client is gone."""
        ...

    async def send(self, data: bytes, is_last: bool = False) -> None:
        """Send a part of the body; nothing when the client is gone."""
        ...


@dataclass(slots=True)
class Delivery:
    """What has left for the client so far in a turn; it outlives a stop."""

    writer: Writer | None = None
    headers: Headers = ()
    """The upstream's headers that belong to the reply."""
    kept: str = ""
    """The provider's id of the reply, once it is on record whose that is."""
    texts: int = 0
    """Pieces of text sent."""
    billed: int | None = None
    """Completion tokens as the provider counted them."""
    limit: int | None = None
    """Tokens the reply could have had."""
    aside: int = 0
    """Completion tokens that the provider counted for calls beside the reply: the second reader's."""

    def begin_anew(self) -> None:
        """Nothing has left yet, and what waits is not given out: another reply takes its place."""
        self.writer, self.headers, self.kept = None, (), ""


ID_LETTERS = 22
"""Random letters in an id, six bits each."""
IDS_AT_ONCE = 64

_unguessable: list[str] = []
"""What the next ids end in. The system is asked for many at once, since each time it takes a while."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unguessable.clear)


def new_request_id() -> str:
    """An id that nobody can guess. Later ones sort after earlier ones, so that an index of them grows at its end."""
    try:
        ending = _unguessable.pop()
    except IndexError:
        letters = secrets.token_urlsafe(IDS_AT_ONCE * ID_LETTERS * 6 // 8)
        ending, *more = (letters[start : start + ID_LETTERS] for start in range(0, len(letters), ID_LETTERS))
        _unguessable.extend(more)
    return f"req_{time.time_ns() // 1_000_000:011x}{ending}"


class CancelScope:
    """A part of a task that can be cancelled by itself: what comes after it goes on. The way of `asyncio.timeout`."""

    __slots__ = ("_before", "_is_cancelled", "_is_over", "_task")

    def __init__(self, is_cancelled: bool) -> None:
        self._is_cancelled, self._is_over = is_cancelled, False
        self._task: asyncio.Task[object] | None = None
        self._before = 0

    def cancel(self) -> None:
        """Leave the block at the point that it waits at."""
        if not (self._is_cancelled or self._is_over):
            self._is_cancelled = True
            if self._task is not None:
                self._task.cancel()

    def __enter__(self) -> None:
        self._task = asyncio.current_task()
        if self._task is None:
            raise RuntimeError("a turn runs in a task")
        self._before = self._task.cancelling()
        if self._is_cancelled:
            self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        self._is_over = True
        if not self._is_cancelled or self._task is None:
            return False
        return self._task.uncancel() <= self._before and kind is asyncio.CancelledError


@dataclass(slots=True)
class Turn:
    """One request under way, what was delivered of it, and its stop."""

    request: ChatRequest
    adapter: Adapter
    client: Client
    upstream: Upstream
    headers: Headers = ()
    """What goes upstream of the client's headers."""
    tenant: str = ""
    accept_language: str = ""
    id: str = field(default_factory=new_request_id)
    conversation: str = ""
    addresses: tuple[bytes, ...] = ()
    """The branch it is on, once that is known."""
    place: Place | None = None
    """Where it belongs, once that is known."""
    came: ChatRequest | None = None
    """The request before it was made to name what the provider knows, once it is taken."""
    sent: ChatRequest | None = None
    """The request as the client sent it, where `request` is that as it is read."""
    owner: bytes = b""
    """Whose replies its own belongs to, once that is known."""
    upstream_name: str = ""
    """The name of its upstream in the settings."""
    allows_unknown_ids: bool = True
    """Whether the request may name responses and conversations of the provider that were not made through here."""
    keep: Callable[[str, str, float], Awaitable[None]] | None = None
    """Remembers whose a reply is, by its id, its upstream and the time, before the client hears of it."""
    drafts: tuple[Policy, ...] = ()
    """Policies in the shadow stage, to be tried beside the one in force."""
    retention: Retention | None = None
    """Whose words are kept of this caller; None leaves it to the setting."""
    background: Background | None = None
    """What this caller's headers of background calls are worth; None leaves it to the policy."""
    ahead: Ahead | None = None
    """A call that was begun while the assessor still reads."""
    seen: Verdict | None = None
    """What the assessor saw, once it was asked."""
    began: float = 0.0
    """When it was taken, in seconds since 1970."""
    lacks: frozenset[Lack] = NO_LACKS
    """What its model cannot take of ours, as far as that is known."""
    is_unrecorded: bool = False
    """True where help was given that the store did not take down."""
    query: str = ""
    """The query string that the request came with; it goes along upstream."""
    delivery: Delivery = field(default_factory=Delivery)
    stopped_by: str | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _wanted: CancelScope | None = None
    _is_called: bool = False
    _end_id: str = ""

    def stop(self, by: str) -> None:
        """Abort the upstream, by `user`, `client`, or an `end` of the branch. The turn still runs to its record."""
        if self.stopped_by is None and not self.over.is_set():
            self.stopped_by = by
            if self.ahead is not None:
                self.ahead.cancel()
            if self._wanted is not None:
                self._wanted.cancel()

    @property
    def end_id(self) -> str:
        """The id of the end, should this turn bring it about; told to nobody before that is recorded."""
        self._end_id = self._end_id or "end_" + secrets.token_urlsafe(18)
        return self._end_id

    @property
    def path(self) -> str:
        """Where the request goes upstream."""
        return f"{self.adapter.path}?{self.query}" if self.query else self.adapter.path

    @property
    def is_stopped(self) -> bool:
        """True once somebody asked for the stop."""
        return self.stopped_by is not None

    async def call(self, body: bytes) -> AbstractAsyncContextManager[Exchange]:
        """A call of the upstream: the one that was begun ahead, where that sent the same."""
        if self.is_stopped:
            await asyncio.sleep(0)  # the stop takes hold here: an answer that is there already is not waited for
        ahead, self.ahead = self.ahead, None
        if ahead is not None:
            self._is_called = True
            if ahead.body == body:
                return ahead
            ahead.cancel()
        headers = self.headers_beside if self._is_called else self.headers
        self._is_called = True
        return self.upstream.send("POST", self.path, headers, body)

    @property
    def headers_beside(self) -> Headers:
        """The headers of a call that is not the client's first one."""
        return [(name, content) for name, content in self.headers if name.lower() not in OF_ONE_CALL]

    def cancellable(self) -> CancelScope:
        """The part of the turn that a stop cuts short."""
        self._wanted = CancelScope(self.is_stopped)
        return self._wanted

    @property
    def can_tell(self) -> bool:
        """True while what is still to be said can reach somebody."""
        return not self.is_stopped and not self.client.is_gone

    @property
    def was_heard(self) -> bool:
        """True when words of this turn can have reached somebody."""
        return self.delivery.texts > 0 if self.is_stopped else not self.client.is_gone

    async def open(self, status: int, headers: Headers) -> None:
        """Send status and headers, with the names of the request and its conversation."""
        own = [("x-quitbutton-request-id", self.id)]
        if self.conversation:
            own.append(("x-quitbutton-conversation", self.conversation))
        await self.client.open(status, [*headers, *own])

    async def send(self, data: bytes) -> None:
        """Send a part of the body, if there is any."""
        if data:
            await self.client.send(data)
        if self.stopped_by is not None:
            await asyncio.sleep(0)  # a scope is not cancelled while its task always finds data ready

    async def answer(self, status: int, headers: Headers, data: bytes) -> None:
        """A whole answer at once; only the body where the status is out already."""
        if not self.client.is_open:
            await self.open(status, [*headers, ("content-length", str(len(data)))])
        if self.is_stopped:  # whoever stopped it may ask for the receipt once the answer has ended: that is kept before
            await self.send(data)
        else:
            await self.client.send(data, is_last=True)

    def receipt(self) -> Receipt:
        """What was delivered, and what a stop saved: an estimate, from `max_tokens`."""
        limit = self.delivery.limit
        delivered = self.delivery.texts
        if not self.is_stopped and self.delivery.billed is not None:
            delivered = self.delivery.billed
        saved = max(0, limit - delivered) if limit is not None and self.is_stopped else None
        billed, closed = self.delivery.billed, self.over.is_set()
        billed = None if billed is None else billed + self.delivery.aside
        return Receipt(self.id, self.is_stopped, self.stopped_by, delivered, billed, closed, saved)
