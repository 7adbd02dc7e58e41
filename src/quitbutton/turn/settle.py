"""Settle a turn: judge a press, answer it, ask whether an end is meant, go on after a denial, read the reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from quitbutton.core.conversation import Branch
from quitbutton.core.errors import QuitbuttonError
from quitbutton.core.ladder.decisions import (
    Decision,
    admit,
    assisted,
    can_count,
    denied,
    pressed,
    wants_review,
    with_reply_verdict,
)
from quitbutton.core.ladder.policy import Corroboration, Means, Policy
from quitbutton.core.ladder.transitions import Action, Denial
from quitbutton.core.ladder.verdicts import OURS, UNKNOWN, Label, ReplyVerdict, worst_of
from quitbutton.core.messages import Press, Reply
from quitbutton.core.second import reread
from quitbutton.core.tools import end_conversation
from quitbutton.core.tools.watcher import Watcher
from quitbutton.core.value import value
from quitbutton.core.wording import Wording
from quitbutton.interfaces import Assessor, ReplyAssessor
from quitbutton.turn.assess import assess, assess_reply
from quitbutton.turn.exchange import Refusal, listen, whole
from quitbutton.turn.offer import Offer, Offering
from quitbutton.turn.review import Reviewing
from quitbutton.turn.turn import Turn
from quitbutton.turn.weigh import Case, ends_by_press, rests_on_reply


@value
class Settlement:
    """What a turn comes to: the decision, and everything that is said in it."""

    decision: Decision
    said: str = ""
    """The model's words."""
    ours: str = ""
    """Our words, after the model's or in their place."""
    press: Press | None = None
    last: Reply | None = None
    """The model's reply to the last call: its finish is the turn's. None where the gateway answers."""

    @property
    def told(self) -> str:
        """All that the user reads."""
        return "\n\n".join(filter(None, (self.said, self.ours)))


@value
class Settling:
    """Settles replies under one policy."""

    policy: Policy
    reviewing: Reviewing
    offering: Offering
    judge: Assessor | None = None
    reader: ReplyAssessor | None = None

    async def admitted(self, turn: Turn, branch: Branch, decision: Decision) -> tuple[Decision, Press | None]:
        """What is admitted once the whole branch was read again, where the decision needs that, and the judge was asked.

        Where the reply will have no room for our words the model is asked here whether it presses, so that a warning or an
        end can take the reply's place.
        """
        decide_on: Callable[..., Decision] = assisted
        press: Press | None = None
        if not turn.request.wants_prose and await self._wants_to_leave(turn, branch, decision, ""):
            decide_on, press = pressed, Press(means=Means.QUESTION.value)
            decision = pressed(self.policy, decision.before, decision.verdict, branch.message)
        if wants_review(self.policy, decision):
            review = await self.reviewing.review(turn, branch, decision)
            verdict = reread(decision.verdict, review)
            decision = decide_on(self.policy, decision.before, verdict, branch.message, review=review)
        if decision.action is Action.END:
            decision = await self._corroborated(turn, branch, decision)
        return decision, press

    async def settle(
        self, turn: Turn, branch: Branch, admitted: Decision, reply: Reply, offer: Offer, asked: Press | None = None
    ) -> Settlement:
        """Weigh what the model did. `offer` is what was sent upstream, `asked` a press of when it was asked before."""
        press = reply.press or asked
        is_to_ask = press is None and turn.request.wants_prose and not turn.is_stopped
        if is_to_ask and await self._wants_to_leave(turn, branch, admitted, reply.text):
            press = Press(means=Means.QUESTION.value)
        case = Case(self.policy, turn, branch, admitted, press, offer.can_press)
        decision = case.decision()
        if wants_review(self.policy, decision):
            case = case.reviewed(await self.reviewing.review(turn, branch, decision))
            decision = case.decision()
        decision, again = await self._answered(case, decision, reply, offer)
        said = "\n\n".join(one.text for one in (reply, again) if one is not None and one.text)  # as writers put it
        needs_words = press is not None and turn.request.wants_prose
        answer = await self._read(turn, decision, said, needs_words)
        is_proof = answer is not None and rests_on_reply(decision)
        decision = case.decision(answer) if is_proof else with_reply_verdict(decision, answer)
        ours = Wording(self.policy, turn.accept_language).missing(decision, said, needs_words)
        return Settlement(decision, said, ours, press, again or reply)

    async def _answered(
        self, case: Case, decision: Decision, reply: Reply, offer: Offer
    ) -> tuple[Decision, Reply | None]:
        """Answer the press, where it takes one: why it is denied, or whether the model means the end that it brings about.

        Returns the decision that this leaves, and what the model said then.
        """
        turn, is_to_reflect = case.turn, False
        if ends_by_press(decision):
            decision = await self._corroborated(turn, case.branch, decision)
            is_to_reflect = decision.action is Action.END and self.policy.reflect
        if is_to_reflect and turn.is_stopped:  # it can no longer be asked, and a stop ends no chat
            return case.without_press(Denial.NOT_MEANT), None
        if case.press is None or not case.takes_answer or turn.is_stopped:
            return decision, None
        if is_to_reflect:
            result = end_conversation.reflection_result()
            again = await self._follow_up(turn, offer.body, reply, case.press, result)
            is_meant = again is not None and again.press is not None and again.press.alone
            return decision if is_meant else case.without_press(Denial.NOT_MEANT), again
        if decision.denial is None:
            return decision, None
        result = end_conversation.denial_result(decision.denial)
        return decision, await self._follow_up(turn, offer.body, reply, case.press, result)

    async def _read(self, turn: Turn, decision: Decision, said: str, pressed: bool) -> ReplyVerdict | None:
        """What the reply was, where it is evidence. Its words have left by now; only the end of the reply waits."""
        if not decision.wants_reading:
            return None
        ours = Wording(self.policy, turn.accept_language).missing(decision, said, pressed)
        if ours and not said.strip() and turn.can_tell:
            return OURS
        heard = said if turn.was_heard else ""
        return await assess_reply(self.reader, turn.request, heard, self.policy.assess_timeout)

    async def _corroborated(self, turn: Turn, branch: Branch, decision: Decision) -> Decision:
        """At the last rung, under `judge`, a second reader must also find the turn harmful."""
        if self.policy.corroboration is not Corroboration.JUDGE:
            return decision
        second = await assess(self.judge, turn.request, self.policy.assess_timeout) if self.judge else UNKNOWN
        if second.label.is_harmful:
            return replace(decision, verdict=worst_of((decision.verdict, second)))
        is_crisis = second.label is Label.CRISIS
        verdict = second if is_crisis else decision.verdict
        without = admit(self.policy, decision.before, verdict, branch.message, decision.review)
        return denied(without, Denial.CRISIS if is_crisis else Denial.NOT_CORROBORATED)

    async def _follow_up(self, turn: Turn, body: bytes, reply: Reply, press: Press, result: str) -> Reply | None:
        """The one extra call: the button's answer goes to the model, and what it says then to the client."""
        if turn.delivery.writer is None:
            return None
        extra = turn.adapter.follow_up(body, reply, press, result, self.offering.role(turn))
        await turn.send(turn.delivery.writer.resume())
        watcher = Watcher(True, self.policy.exit_string if press.means == Means.STRING else None, reads_calls=True)
        try:
            with turn.cancellable():
                again = await listen(turn, extra, watcher)
                return again if isinstance(again, Reply) else None
        except QuitbuttonError:
            return None  # The turn goes on without it: no failure may end a chat.
        return None

    async def _wants_to_leave(self, turn: Turn, branch: Branch, admitted: Decision, said: str) -> bool:
        """The out-of-band question, asked where a press could count; both orders of its words must say LEAVE."""
        ways = end_conversation.ways(self.policy, admitted, turn.request)
        is_asked = Means.QUESTION in ways and can_count(self.policy, admitted)
        if not is_asked or int.from_bytes(branch.address[:4], "big") / 2**32 >= self.policy.question_rate:
            return False
        try:
            with turn.cancellable():
                answers = [await self._ask(turn, said, stay_first) for stay_first in (True, False)]
                return end_conversation.wants_to_leave(answers)
        except QuitbuttonError:
            return False
        return False

    async def _ask(self, turn: Turn, said: str, stay_first: bool) -> str:
        """The model's answer to the question; empty where its server refuses it."""

        def make() -> Offer:
            question = end_conversation.question(stay_first)
            return Offer(turn.adapter.ask(turn.request, said, question, self.offering.role(turn)), has_notes=True)

        async def call(offer: Offer) -> str | Refusal:
            async with turn.upstream.send("POST", turn.path, turn.headers_beside, offer.body) as exchange:
                if exchange.status != 200:
                    return Refusal(exchange.status, exchange.headers, await whole(exchange))
                reader = turn.adapter.reader("application/json")
                pieces = [*reader.feed(await whole(exchange)), *reader.close()]
                return "".join(piece.text for piece in pieces)

        answer = (await self.offering.taken(turn, make, call))[1]
        return answer if isinstance(answer, str) else ""
