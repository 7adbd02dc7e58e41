"""Who answers what is no turn: a relay, of bytes or of a reply."""

from __future__ import annotations

from dataclasses import replace

from quitbutton.core.headers import passed_on
from quitbutton.core.origins import Origin
from quitbutton.core.value import value
from quitbutton.turn import tell
from quitbutton.turn.answer import Answerer
from quitbutton.turn.exchange import Refusal, hear_unchanged, relayed
from quitbutton.turn.origin import kept_of
from quitbutton.turn.turn import Turn


@value
class BytesRelay(Answerer):
    """A call that is no turn: there and back, byte for byte."""

    async def answer(self, turn: Turn) -> bool:
        """Pass the upstream's answer on as it is."""
        with turn.cancellable():
            async with turn.upstream.send("POST", turn.path, turn.headers, turn.request.raw) as exchange:
                await turn.open(exchange.status, passed_on(exchange.headers))
                async for chunk in relayed(turn, exchange):
                    await turn.send(chunk)
        return True


@value
class ReplyRelay(Answerer):
    """A reply to what is no turn of its own: the model's as it is, with what is told beside it."""

    origin: Origin | None = None
    """The turn that the request brings results of the client's tools for; it goes on from this reply then."""
    note: tell.Note | None = None

    async def answer(self, turn: Turn) -> bool:
        """Pass the reply on, and keep its id."""
        reply = await hear_unchanged(turn)
        if isinstance(reply, Refusal):
            await turn.answer(reply.status, reply.headers, reply.body)
            return True
        if self.origin is not None:
            kept = replace(self.origin, reply=kept_of(turn, reply))
            await self.services.store.put_reply(turn.owner, kept, self.services.now())
        await tell.close(turn, None, self.note)
        return True
