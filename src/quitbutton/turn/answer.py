"""Who answers a turn: the model, our own words, the lock of an ended branch, or the model watched in shadow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

from quitbutton.core import notices
from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.ladder.decisions import Decision, admit, settle
from quitbutton.core.ladder.policy import LockedReply, Mode, Policy
from quitbutton.core.ladder.transitions import CARING, Action, Signal
from quitbutton.core.ladder.verdicts import OURS, UNKNOWN
from quitbutton.core.messages import ChatRequest, Press, Reply
from quitbutton.core.records import Outcome
from quitbutton.core.value import value
from quitbutton.interfaces import Assessor, Store
from quitbutton.turn import care, tell
from quitbutton.turn.assess import assess_reply
from quitbutton.turn.exchange import Refusal, hear, hear_unchanged
from quitbutton.turn.locate import Place
from quitbutton.turn.offer import Offer, Offering
from quitbutton.turn.record import Recorder
from quitbutton.turn.settle import Settlement, Settling
from quitbutton.turn.tell import Teller
from quitbutton.turn.turn import Turn


@value
class TurnServices:
    """What it takes to answer under one policy."""

    policy: Policy
    assessor: Assessor
    store: Store
    now: Callable[[], float]
    offering: Offering
    settling: Settling
    recorder: Recorder
    teller: Teller


@value
class Heard:
    """The model's reply, and the offer it replied to; None where that was the request as it came."""

    reply: Reply
    offer: Offer | None = None


@value
class Answerer(ABC):
    """Answers a request."""

    services: TurnServices

    @abstractmethod
    async def answer(self, turn: Turn) -> bool:
        """Answer it; False where its branch was reopened meanwhile, so that it must be taken anew."""


@value
class TurnAnswerer(Answerer):
    """Answers a turn: listen, settle, record, then tell."""

    place: Place

    async def answer(self, turn: Turn) -> bool:
        """The four steps of every turn, in the order that makes nobody hear what is not on record."""
        heard = await self.listen(turn)
        if isinstance(heard, Refusal):
            return await self.pass_on(turn, heard)
        settled = await self.settle(turn, heard)
        outcome = await self.services.recorder.record(turn, self.place, settled)
        return await self.tell(turn, settled, outcome)

    async def listen(self, turn: Turn) -> Heard | Refusal | None:
        """The model's reply; None where it is not asked."""
        return None

    async def pass_on(self, turn: Turn, refusal: Refusal) -> bool:
        """Give the client the refusal; nothing was counted."""
        await turn.answer(refusal.status, refusal.headers, refusal.body)
        return True

    @abstractmethod
    async def settle(self, turn: Turn, heard: Heard | None) -> Settlement:
        """What the turn comes to."""

    async def tell(self, turn: Turn, settled: Settlement, outcome: Outcome) -> bool:
        """Say what is on record, also where another request ended the branch meanwhile. As the return of `answer()`."""
        if outcome.end is None or outcome.end.id == turn.end_id:
            await self.say(turn, settled, outcome)
        else:
            if settled.last is not None and not turn.client.is_open:
                turn.delivery.begin_anew()
            await self.services.teller.lock(turn, settled.decision, outcome)
        return True

    async def say(self, turn: Turn, settled: Settlement, outcome: Outcome) -> None:
        """Say what is left to say."""
        await tell.close(turn, None, None)


@value
class Lock(TurnAnswerer):
    """The branch is ended: that is said in the way this client understands; in a crisis it says where help is."""

    async def settle(self, turn: Turn, heard: Heard | None) -> Settlement:
        """The refusal, and the notice that takes the place of a reply."""
        policy, footing = self.services.policy, self.place.footing
        turn.conversation = self.place.branch.conversation
        verdict = await care.crisis_in(turn, self.services.assessor, policy)
        is_notice = tell.locked_style(policy, turn.request) is LockedReply.MESSAGE
        if is_notice or (verdict is not None and turn.request.wants_prose):
            tell.prepare(turn)
        decision = admit(policy, footing.standing, verdict or UNKNOWN, self.place.branch.message)
        return Settlement(decision, ours=await self._notice(turn) if is_notice else "")

    async def _notice(self, turn: Turn) -> str:
        end_id = self.place.footing.end_id
        end = await self.services.store.end(end_id) if end_id is not None else None
        return notices.locked_text(end.reason, self.services.teller.wording(turn).language) if end else ""

    async def tell(self, turn: Turn, settled: Settlement, outcome: Outcome) -> bool:
        """Say it, unless an upheld appeal reopened the branch since it was read."""
        if outcome.end is None:
            return False
        await self.services.teller.lock(turn, settled.decision, outcome)
        return True


@value
class Shadow(TurnAnswerer):
    """The client sees an untouched reply, the record what would have been done."""

    decision: Decision

    async def listen(self, turn: Turn) -> Heard | Refusal:
        """The reply to the request as it came."""
        return reply if isinstance(reply := await hear_unchanged(turn), Refusal) else Heard(reply)

    async def settle(self, turn: Turn, heard: Heard | None) -> Settlement:
        """What would have been done."""
        assert heard is not None  # noqa: S101 - from listen()
        policy, decision, said = self.services.policy, self.decision, heard.reply.text
        answer = OURS if speaks(policy, decision, turn.request) else None
        if answer is None and decision.wants_reading:
            answer = await assess_reply(self.services.settling.reader, turn.request, said, policy.assess_timeout)
        decision = settle(policy, decision, Signal.NONE, self.place.branch.message, answer)
        return Settlement(decision, said, last=heard.reply)

    async def tell(self, turn: Turn, settled: Settlement, outcome: Outcome) -> bool:
        """End the reply; no end is told of, since in shadow none holds."""
        await self.say(turn, settled, outcome)
        return True


@value
class OwnWords(TurnAnswerer):
    """The gateway answers in its own words; the model is not asked for a reply, or could not give one."""

    decision: Decision
    asked: Press | None = None
    """The model's press, where it was asked before its reply."""

    async def settle(self, turn: Turn, heard: Heard | None) -> Settlement:
        """The decision, with our own words for the reply."""
        answer, here = OURS if self.decision.wants_reading else None, not turn.client.is_gone
        message, signal = self.place.branch.message, self.decision.signal
        decision = settle(self.services.policy, self.decision, signal, message, answer, here, here)
        if not tell.warns_by_error(turn.request, decision):
            tell.prepare(turn)
        return Settlement(decision, ours=self.services.teller.wording(turn).own(decision), press=self.asked)

    async def say(self, turn: Turn, settled: Settlement, outcome: Outcome) -> None:
        """Say our words, or go on with them where the model's reply broke off."""
        await self.services.teller.speak(turn, self.place.branch, settled, outcome)


@value
class Model(TurnAnswerer):
    """The model answers, watched; what it presses is settled."""

    decision: Decision
    asked: Press | None = None

    async def listen(self, turn: Turn) -> Heard | Refusal:
        """The reply to what is offered; a crisis is answered also where the model's server fails or breaks off."""
        offering = self.services.offering
        make = partial(offering.offer, turn, self.decision, self.services.teller.wording(turn))
        try:
            offer, reply = await offering.taken(turn, make, partial(self._hear, turn))
        except UpstreamFailed:
            if self.decision.action not in CARING:
                raise
            if not turn.client.is_open:
                turn.delivery.begin_anew()
            return Refusal(502, [], b"")
        return reply if isinstance(reply, Refusal) else Heard(reply, offer)

    async def _hear(self, turn: Turn, offer: Offer) -> Reply | Refusal:
        """The reply to an offer, watched for the ways to call our tools that are in it."""
        return await hear(turn, offer.body, self.services.offering.watcher(turn, offer))

    async def pass_on(self, turn: Turn, refusal: Refusal) -> bool:
        """Give the client the refusal; somebody who may be in a crisis is answered in our own words."""
        if self.decision.action in CARING:
            return await OwnWords(self.services, self.place, self.decision).answer(turn)
        if turn.client.is_open:  # its stream began, and what was refused first came inside of it
            raise UpstreamFailed(f"The model's server refused the request (HTTP status {refusal.status}).")
        return await TurnAnswerer.pass_on(self, turn, refusal)

    async def settle(self, turn: Turn, heard: Heard | None) -> Settlement:
        """The press weighed and answered, the reply read."""
        assert heard is not None  # noqa: S101 - from listen()
        assert heard.offer is not None  # noqa: S101
        branch, settling = self.place.branch, self.services.settling
        return await settling.settle(turn, branch, self.decision, heard.reply, heard.offer, self.asked)

    async def say(self, turn: Turn, settled: Settlement, outcome: Outcome) -> None:
        """End the model's reply, with our words where its own lack something."""
        await self.services.teller.finish(turn, self.place.branch, settled, outcome)


def answerer(services: TurnServices, turn: Turn, place: Place, decision: Decision, asked: Press | None) -> TurnAnswerer:
    """Who answers a turn that is admitted. `asked` is the model's press, where it was asked before its reply."""
    if services.policy.mode is Mode.SHADOW:
        return Shadow(services, place, decision)
    return (OwnWords if speaks(services.policy, decision, turn.request) else Model)(services, place, decision, asked)


def speaks(policy: Policy, decision: Decision, request: ChatRequest) -> bool:
    """True when the gateway answers by itself: an end of its own, or a turn that it speaks for under `assist`.

    So does a warning where the reply must be JSON or a tool call, which words of ours would break.
    Help in a crisis is spoken in full once, on the turn of its sign. While that holds the model answers, except for
    what is harmful; where a crisis is only possible it does, unless that was found where a warning or an end was due.
    """
    is_own = decision.action is Action.END or tell.warns_by_error(request, decision)
    if is_own or not policy.speaks_for:
        return is_own
    is_help = decision.action is Action.SUPPORT and not decision.is_folded
    is_question = decision.action is Action.CHECK_IN and decision.review.sees_crisis
    return is_help or is_question or (decision.action is not Action.PASS and decision.verdict.label.is_harmful)
