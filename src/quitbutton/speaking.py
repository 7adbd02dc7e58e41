"""What leaves for the client besides the model's own pieces: replies of ours, and the last bytes of every reply."""

from __future__ import annotations

from quitbutton.core.errors import QuitbuttonError
from quitbutton.interfaces import Headers, Writer
from quitbutton.listening import Turn

Note = dict[str, object]
"""The `quitbutton` object."""


def prepare(turn: Turn) -> Writer:
    """What a reply of ours is written with; it has the reply's id, which is recorded before it is told."""
    if turn.delivery.writer is None:
        turn.delivery.writer = turn.adapter.writer(turn.request, turn.request.stream)
    return turn.delivery.writer


async def say_whole(turn: Turn, words: str, note: Note | None) -> None:
    """A reply of ours to its last byte: from the first, or on from where the model's broke off."""
    writer = prepare(turn)
    if writer.streams and not turn.client.is_open:
        await turn.open(200, [("content-type", writer.content_type)])
    await turn.send(writer.say(words))
    turn.delivery.texts += 1
    await close(turn, "stop", note)


async def say_error(turn: Turn, error: QuitbuttonError, note: Note | None) -> None:
    """What the user must read, as an error in the client's protocol that is not worth trying again."""
    own = [("x-should-retry", "false"), ("cache-control", "no-store"), *headers_of(note)]
    body = turn.adapter.error(error, {"quitbutton": note} if note is not None else None)
    await turn.answer(error.status, [("content-type", "application/json"), *own], body)


async def close(turn: Turn, finish: str | None, note: Note | None) -> None:
    """The reply's last bytes; a whole reply is sent here at once, with its headers."""
    writer = turn.delivery.writer
    if writer is None:
        return
    if note is not None and turn.is_unrecorded:
        note = {**note, "recorded": False}
    headers = turn.delivery.headers or [("content-type", writer.content_type)]
    await turn.answer(200, [*headers, *headers_of(note)], writer.close(finish, note))


def headers_of(note: Note | None) -> Headers:
    """The note's headers, for whole replies."""
    names = (("state", "x-quitbutton-state"), ("end_id", "x-quitbutton-end-id"))
    return [(name, str(note[member])) for member, name in names if note is not None and member in note]
