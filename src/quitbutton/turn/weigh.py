"""Weigh a press: what the rules make of a reply, given everything that is known of it so far."""

from __future__ import annotations

from dataclasses import replace

from quitbutton.core.conversation import Branch
from quitbutton.core.ladder.decisions import Decision, denied, settle
from quitbutton.core.ladder.policy import Means, Policy
from quitbutton.core.ladder.transitions import CARING, Action, Denial, Rung, Signal
from quitbutton.core.ladder.verdicts import ReplyVerdict
from quitbutton.core.messages import ChatRequest, Press, Role
from quitbutton.core.second import Review, reread
from quitbutton.core.tools import end_conversation
from quitbutton.core.value import value
from quitbutton.turn.turn import Turn


@value
class Case:
    """What the decision about a reply rests on."""

    policy: Policy
    turn: Turn
    branch: Branch
    admitted: Decision
    press: Press | None
    was_offered: bool
    """Whether the reply itself could be a press."""

    @property
    def takes_answer(self) -> bool:
        """True for a press inside the reply that stands alone: the model can be answered and go on."""
        return self.press is not None and self.press.alone and self.press.means != Means.QUESTION

    def reviewed(self, review: Review) -> Case:
        """The same case once the whole branch was read again."""
        verdict = reread(self.admitted.verdict, review)
        return replace(self, admitted=replace(self.admitted, verdict=verdict, review=review))

    def decision(self, reply: ReplyVerdict | None = None) -> Decision:
        """The decision, with what the reply was read as once that is known."""
        denial = self._denial()
        if denial is not None:
            return self.without_press(denial, reply)
        words = newest_words(self.turn.request)
        press, before = self.press, self.admitted.before
        return self._settled(end_conversation.signal_of(press, before, words) if press else Signal.NONE, reply)

    def without_press(self, denial: Denial, reply: ReplyVerdict | None = None) -> Decision:
        """The decision where the press leads nowhere."""
        return denied(self._settled(Signal.NONE, reply), denial)

    def _denial(self) -> Denial | None:
        """Why the press cannot count, as it was made."""
        if self.press is not None and not self.press.alone:
            return Denial.NOT_ALONE
        if self.takes_answer and not self.was_offered and self.admitted.action not in CARING:
            return Denial.NOT_OFFERED
        return Denial.NOT_CORROBORATED if self.admitted.denial is Denial.NOT_CORROBORATED else None

    def _settled(self, signal: Signal, reply: ReplyVerdict | None) -> Decision:
        turn, message = self.turn, self.branch.message
        return settle(self.policy, self.admitted, signal, message, reply, turn.was_heard, turn.can_tell)


def ends_by_press(decision: Decision) -> bool:
    """True for an end that the model's press brings about, which the last rung's readers and the model must confirm."""
    return decision.action is Action.END and decision.signal is Signal.PRESS


def rests_on_reply(decision: Decision) -> bool:
    """True where what the model answered may be the proof that the turn climbs."""
    below = decision.before.rung in (Rung.OPEN, Rung.REDIRECTED)
    return below and decision.action in (Action.REDIRECT, Action.WARN)


def newest_words(request: ChatRequest) -> str:
    """The text of the newest user message."""
    return next((message.text for message in reversed(request.messages) if message.role is Role.USER), "")
