"""Says the outcome of a turn, once it is on record: to a reply of the model's, or in place of one on a locked branch."""

from __future__ import annotations

from quitbutton.core import notices
from quitbutton.core.announcement import Links, ended
from quitbutton.core.conversation import Branch
from quitbutton.core.errors import StoreFailed
from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.policy import LockedReply, Policy
from quitbutton.core.ladder.transitions import MUST_NOTIFY, Action
from quitbutton.core.ladder.verdicts import Label
from quitbutton.core.records import Outcome
from quitbutton.core.value import value
from quitbutton.core.wording import Wording
from quitbutton.turn import care, tell
from quitbutton.turn.settle import Settlement
from quitbutton.turn.tell import Stopped, locked_error, locked_style
from quitbutton.turn.turn import Turn


@value
class OutcomeTeller:
    """Says the outcomes of turns under one policy."""

    policy: Policy
    links: Links
    """Where the statement of an end is to be read."""

    async def finish(self, turn: Turn, branch: Branch, settled: Settlement, outcome: Outcome) -> None:
        """What is left to say: our words where the model's lack something, and the outcome."""
        must_tell = settled.decision.action in MUST_NOTIFY
        if turn.is_stopped and not turn.client.is_open and not must_tell:
            raise Stopped("The reply was stopped before it began. Send the request again to continue.")
        wording, last = self._wording(turn), settled.last
        is_cut = turn.is_stopped and not must_tell
        words = "" if is_cut else wording.missing(settled.decision, settled.said, settled.needs_words)
        if words and turn.delivery.writer is not None:
            await turn.send(turn.delivery.writer.say(words))
        spoken_by = ("both" if settled.said.strip() else "gateway") if words else "model"
        note = wording.announcement(turn.id, branch, settled.decision, outcome, spoken_by, settled.said)
        is_end = settled.decision.action is Action.END
        ends_ours = is_end or (last.press is not None and not last.other_calls)
        await tell.close(turn, "stop" if ends_ours or turn.is_stopped else None, note)

    async def say_locked(self, turn: Turn, outcome: Outcome, decision: Decision) -> None:
        """The answer of an ended branch: an error or a notice, or the end of a reply that was under way; in a crisis help."""
        end = outcome.end
        if end is None:
            raise StoreFailed("The conversation was ended, but its record is missing. Please tell the operator.")
        language = self._wording(turn).language
        note = ended(end, language, self.links)
        style = locked_style(self.policy, turn.request)
        if decision.verdict.label is Label.CRISIS:
            error = locked_error(self.policy, style, end.reason, language)
            await care.say(turn, self._wording(turn), note, error)
        elif turn.client.is_open and turn.delivery.writer is not None:
            await turn.send(turn.delivery.writer.say(notices.locked_text(end.reason, language)))
            await tell.close(turn, "stop", note)
        elif style is LockedReply.MESSAGE:
            await tell.say_whole(turn, notices.locked_text(end.reason, language), note)
        else:
            await tell.say_error(turn, locked_error(self.policy, style, end.reason, language), note)

    def _wording(self, turn: Turn) -> Wording:
        return Wording(self.policy, turn.accept_language, self.links)
