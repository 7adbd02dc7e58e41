"""One upstream call in a turn: what may pass goes to the client as it comes, the rest is held."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.headers import passed_on
from quitbutton.core.messages import Piece, Reply
from quitbutton.core.tools.watcher import Passage, Watcher
from quitbutton.interfaces import Exchange, Headers, Reader
from quitbutton.observing.seen import saw_usage
from quitbutton.turn.turn import Delivery, Turn


@dataclass(frozen=True, slots=True)
class Refusal:
    """The upstream's own answer where it is no reply: an error, passed on as it is."""

    status: int
    headers: Headers
    body: bytes


async def listen(turn: Turn, body: bytes, watcher: Watcher) -> Reply | Refusal:
    """Make one call and pass on what may pass. A stream of the upstream opens the client's before its first piece.

    Raises `UpstreamFailed` when nobody answers or the reply breaks off before its end.
    """
    delivery = turn.delivery
    before = delivery.billed or 0
    delivery.limit = turn.request.max_tokens or turn.upstream.max_tokens
    async with await turn.call(body) as exchange:
        passed = passed_on(exchange.headers)
        if exchange.status != 200:
            return Refusal(exchange.status, passed, await whole(exchange))
        reader = turn.adapter.reader(content_type_of(exchange.headers))
        if delivery.writer is None:
            delivery.writer, delivery.headers = turn.adapter.writer(turn.request, reader.streams), passed
        elif delivery.writer.streams != reader.streams:
            raise UpstreamFailed("The model's server answered one call as a stream and the next one whole.")
        if reader.streams and not turn.client.is_open:
            await turn.open(200, passed)
        async for chunk in exchange.chunks():
            pieces = reader.feed(chunk)
            await _keep(turn, reader)
            await _pass_on(turn, watcher, pieces, before)
        pieces = reader.close()
        await _keep(turn, reader)
        await _pass_on(turn, watcher, pieces, before)
        if data := b"".join([_told(delivery, passage, before) for passage in watcher.end()]):
            await turn.send(data)
    if not watcher.is_complete:
        raise UpstreamFailed("The model broke off its reply. Try again.")
    reply = watcher.reply
    return replace(reply, id=reader.id, items=reader.items) if reader.id or reader.items else reply


async def hear(turn: Turn, body: bytes, watcher: Watcher) -> Reply | Refusal:
    """As `listen()`; after a stop the reply is what was said until then."""
    with turn.cancellable():
        return await listen(turn, body, watcher)
    return replace(watcher.reply, press=None)


async def hear_unchanged(turn: Turn) -> Reply | Refusal:
    """The reply to the request as the client sent it."""
    return await hear(turn, turn.request.raw, Watcher(guards_tool=False))


async def relayed(turn: Turn, exchange: Exchange) -> AsyncIterator[bytes]:
    """The body of a call that is no turn, byte for byte. What names a reply waits until it is on record whose that is."""
    if turn.keep is None or exchange.status != 200:
        async for chunk in exchange.chunks():
            yield chunk
        return
    reader, held = turn.adapter.reader(content_type_of(exchange.headers)), b""
    async for chunk in exchange.chunks():
        if turn.delivery.kept:
            yield chunk
            continue
        frames = b"".join(piece.raw for piece in reader.feed(chunk))
        held += chunk
        await _keep(turn, reader)
        ready, held = (held, b"") if turn.delivery.kept else (frames, held[len(frames) :])
        if ready:
            yield ready
    with suppress(UpstreamFailed):  # a reply that cannot be read is relayed all the same
        reader.close()
    await _keep(turn, reader)
    if held:
        yield held


async def _keep(turn: Turn, reader: Reader) -> None:
    """Put on record whose a reply is, as soon as its id is known."""
    if turn.keep is not None and reader.id and not turn.delivery.kept:
        turn.delivery.kept = reader.id
        await turn.keep(reader.id, turn.upstream_name, time.time())


async def _pass_on(turn: Turn, watcher: Watcher, pieces: Sequence[Piece], before: int) -> None:
    """Send what may pass of these pieces, at once. Raises `UpstreamFailed` at one that is an error, after those before it."""
    out: list[bytes] = []
    error: str | None = None
    is_first = not watcher.reply.pieces
    for piece in pieces:
        if piece.error is not None:
            error = piece.error
            break
        is_first = False
        for passage in watcher.see(piece):
            if data := _told(turn.delivery, passage, before):
                out.append(data)
    if out:
        await turn.send(out[0] if len(out) == 1 else b"".join(out))
    if error is not None:
        failure = UpstreamFailed(f"The model's server reported an error: {error}")
        failure.said = error if is_first else ""
        raise failure


def _told(delivery: Delivery, passage: Passage, before: int) -> bytes:
    """The bytes of a passage, counted as delivered."""
    assert delivery.writer is not None  # noqa: S101 - made before the first piece
    piece = passage.piece
    if piece.usage:
        saw_usage(piece.usage)
        # Some servers count up from frame to frame: the last count of a call is the call's.
        delivery.billed = before + piece.usage.completion
    data = delivery.writer.pass_on(passage)
    if data and piece.text:
        delivery.texts += 1
    return data


async def whole(exchange: Exchange) -> bytes:
    """The body of an exchange to its end. Raises `UpstreamFailed` for a stream: that need not have one."""
    if exchange.status == 200 and content_type_of(exchange.headers).startswith("text/event-stream"):
        raise UpstreamFailed("The model's server answered with a stream where a whole reply was due.")
    return b"".join([chunk async for chunk in exchange.chunks()])


def content_type_of(headers: Headers) -> str:
    """The content type among headers, lower case."""
    return next((value.lower() for name, value in headers if name.lower() == "content-type"), "")
