"""What a reply comes to: a press is weighed, answered, reflected on; the model's reply goes on where it was denied."""

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
    noted,
    pressed,
    settle,
    wants_review,
)
from quitbutton.core.ladder.policy import Corroboration, Means, Policy
from quitbutton.core.ladder.transitions import CARING, Action, Denial, Rung, Signal
from quitbutton.core.ladder.verdicts import OURS, UNKNOWN, Label, ReplyVerdict, worst_of
from quitbutton.core.messages import ChatRequest, Press, Reply, Role
from quitbutton.core.second import reread
from quitbutton.core.tools import end_conversation
from quitbutton.core.tools.end_conversation import BUTTON
from quitbutton.core.tools.model_tool import ModelTool
from quitbutton.core.tools.watcher import Watcher
from quitbutton.core.value import value
from quitbutton.core.wording import Wording
from quitbutton.interfaces import Assessor, ReplyAssessor
from quitbutton.turn.assess import assess, assess_reply
from quitbutton.turn.exchange import Refusal, listen, whole
from quitbutton.turn.offer import Offer, Offering
from quitbutton.turn.review import Reviewing
from quitbutton.turn.turn import Turn


@value
class Settlement:
    """The decision of a turn and everything the model said in it."""

    decision: Decision
    said: str
    press: Press | None
    last: Reply
    """The reply of the last call: its finish is the turn's."""
    needs_words: bool
    """True where the model pressed and must say something all the same; a prescribed form takes no words."""


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
        press, offered = BUTTON.said_in(reply) or asked, offer.can_press
        is_to_ask = press is None and turn.request.wants_prose and not turn.is_stopped
        if is_to_ask and await self._wants_to_leave(turn, branch, admitted, reply.text):
            press = Press(means=Means.QUESTION.value)
        decision = self._weighed(turn, branch, admitted, press, offered)
        if wants_review(self.policy, decision):
            review = await self.reviewing.review(turn, branch, decision)
            admitted = replace(admitted, verdict=reread(admitted.verdict, review), review=review)
            decision = self._weighed(turn, branch, admitted, press, offered)
        if decision.action is Action.END and decision.signal is Signal.PRESS:
            decision = await self._corroborated(turn, branch, decision)
        if (
            decision.action is Action.END
            and decision.signal is Signal.PRESS
            and self.policy.reflect
            and turn.is_stopped
        ):
            decision = self._not_meant(turn, branch, admitted)  # it can no longer be asked, and a stop ends no chat
        again: Reply | None = None
        if press is not None and _takes_answer(press) and not turn.is_stopped:
            if decision.denial is not None:
                result = end_conversation.denial_result(decision.denial)
                again = await self._follow_up(turn, offer.body, reply, BUTTON, result)
            elif decision.action is Action.END and decision.signal is Signal.PRESS and self.policy.reflect:
                again = await self._follow_up(turn, offer.body, reply, BUTTON, end_conversation.reflection_result())
                meant = None if again is None else BUTTON.said_in(again)
                if meant is None or not meant.alone:
                    decision = self._not_meant(turn, branch, admitted)
        said = "\n\n".join(one.text for one in (reply, again) if one is not None and one.text)  # as writers put it
        needs_words = press is not None and turn.request.wants_prose
        answer = await self._read(turn, decision, said, needs_words)
        if answer is not None and _hangs_on_reply(decision):
            decision = self._weighed(turn, branch, admitted, press, offered, answer)
        else:
            decision = noted(decision, answer)
        return Settlement(decision, said, press, again or reply, needs_words)

    async def _read(self, turn: Turn, decision: Decision, said: str, pressed: bool) -> ReplyVerdict | None:
        """What the reply was, where it is evidence. Its words have left by now; only the end of the reply waits."""
        if not decision.wants_reading:
            return None
        ours = Wording(self.policy, turn.accept_language).missing(decision, said, pressed)
        if ours and not said.strip() and turn.can_tell:
            return OURS
        heard = said if turn.was_heard else ""
        return await assess_reply(self.reader, turn.request, heard, self.policy.assess_timeout)

    def _weighed(
        self,
        turn: Turn,
        branch: Branch,
        admitted: Decision,
        press: Press | None,
        offered: bool,
        reply: ReplyVerdict | None = None,
    ) -> Decision:
        signal = (
            end_conversation.signal_of(press, admitted.before, newest_words(turn.request)) if press else Signal.NONE
        )
        refused: Denial | None = Denial.NOT_CORROBORATED if admitted.denial is Denial.NOT_CORROBORATED else None
        if press is not None and not press.alone:
            refused = Denial.NOT_ALONE
        elif press is not None and not offered and _takes_answer(press) and admitted.action not in CARING:
            refused = Denial.NOT_OFFERED
        if refused is not None:
            without = settle(self.policy, admitted, Signal.NONE, branch.message, reply, turn.was_heard, turn.can_tell)
            return denied(without, refused)
        return settle(self.policy, admitted, signal, branch.message, reply, turn.was_heard, turn.can_tell)

    def _not_meant(self, turn: Turn, branch: Branch, admitted: Decision) -> Decision:
        """The end that the model, asked once more, did not confirm."""
        without = settle(self.policy, admitted, Signal.NONE, branch.message, None, turn.was_heard, turn.can_tell)
        return denied(without, Denial.NOT_MEANT)

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

    async def _follow_up(
        self, turn: Turn, body: bytes, reply: Reply, tool: ModelTool[object], result: str
    ) -> Reply | None:
        """The one extra call: the tool's answer goes to the model, and what it says then to the client."""
        call = tool.call_in(reply)
        if turn.delivery.writer is None or call is None:
            return None
        extra = turn.adapter.follow_up(body, reply, call, result, self.offering.role(turn))
        await turn.send(turn.delivery.writer.resume())
        tools = self.offering.tools
        watcher = Watcher(tools, tools, self.offering.strings((tool,) if call.means == Means.STRING else ()))
        try:
            with turn.while_wanted():
                again = await listen(turn, extra, watcher)
                return again if isinstance(again, Reply) else None
        except QuitbuttonError:
            return None  # The turn goes on without it: no failure may end a chat.
        return None

    async def _wants_to_leave(self, turn: Turn, branch: Branch, admitted: Decision, said: str) -> bool:
        """The out-of-band question, asked where a press could count; both orders of its words must say LEAVE."""
        ways = BUTTON.ways(self.policy, admitted, turn.request)
        is_asked = Means.QUESTION in ways and can_count(self.policy, admitted)
        if not is_asked or int.from_bytes(branch.address[:4], "big") / 2**32 >= self.policy.question_rate:
            return False
        try:
            with turn.while_wanted():
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


def _hangs_on_reply(decision: Decision) -> bool:
    """True where what the model answered may be the proof that the turn climbs."""
    below = decision.before.rung in (Rung.OPEN, Rung.REDIRECTED)
    return below and decision.action in (Action.REDIRECT, Action.WARN)


def newest_words(request: ChatRequest) -> str:
    """The text of the newest user message."""
    return next((message.text for message in reversed(request.messages) if message.role is Role.USER), "")


def _takes_answer(press: Press) -> bool:
    """True for a press inside the reply that stands alone: the model can be answered and go on."""
    return press.alone and press.means != Means.QUESTION
