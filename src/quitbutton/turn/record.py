"""Writes a turn down, before anybody hears of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from quitbutton.core.conversation import Branch, Footing
from quitbutton.core.errors import StoreFailed
from quitbutton.core.kept_words import KeptWords, Retention, words_to_keep
from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.transitions import CARING, Rung
from quitbutton.core.messages import Press
from quitbutton.core.origins import KeptReply
from quitbutton.core.records import End, Outcome, TurnRecord
from quitbutton.core.tools import end_conversation
from quitbutton.core.value import value
from quitbutton.interfaces import Store
from quitbutton.turn import care
from quitbutton.turn.drafts import try_drafts
from quitbutton.turn.origin import kept_of
from quitbutton.turn.settle import newest_words
from quitbutton.turn.turn import Turn


@value
class Recorder:
    """Records the turns of one policy."""

    policy: Policy
    store: Store
    key: bytes
    """Of the installation's addresses."""
    retention: Retention
    second_reader: str
    """Who must say yes before a warning or an end; empty where nobody must."""
    now: Callable[[], float]
    under_way: Mapping[str, Turn]
    """The turns of this process, by their ids: an end stops those on its branch."""

    async def record(
        self,
        turn: Turn,
        branch: Branch,
        footing: Footing,
        decision: Decision,
        press: Press | None = None,
        reply: KeptReply | None = None,
        said: str = "",
    ) -> Outcome:
        """Write it down before anybody hears of it."""
        ends = decision.after.rung is Rung.ENDED and decision.before.rung is not Rung.ENDED
        end = self._end_of(turn, branch, decision, press) if ends else None
        record = TurnRecord(
            tenant=turn.tenant,
            branch=branch,
            footing=footing,
            decision=decision,
            request_id=turn.id,
            at=self.now(),
            mode=str(self.policy.mode),
            end=end,
            press=press.means if press else None,
            press_reason=end_conversation.reason_of(press),
            reply=reply or kept_of(turn),
            owner=turn.owner,
            words=self._words(turn, decision, said, press),
            model=turn.request.model,
            began=turn.began,
            trace=turn.place.trace(self.key, turn.sent or turn.request, decision, said) if turn.place else None,
            second_reader=self.second_reader,
        )
        outcome = await self._write(turn, record)
        if turn.drafts and turn.seen is not None:
            await try_drafts(self.store, self.key, turn, turn.seen, decision, self.now())
        if end is None or outcome.end is not None:
            return outcome
        self._cut_others(turn, branch)
        return replace(outcome, end=end)

    async def _write(self, turn: Turn, record: TurnRecord) -> Outcome:
        """What became of a record. Help in a crisis waits for none: it is given also where the store fails."""
        try:
            return await self.store.record(record)
        except StoreFailed as error:
            if record.decision.action not in CARING:
                raise
            care.unrecorded(turn, error)
            return Outcome(record.decision.after)

    def _words(self, turn: Turn, decision: Decision, said: str, press: Press | None) -> tuple[KeptWords, ...]:
        explained = press.explanation if press is not None else ""
        return words_to_keep(turn.retention or self.retention, decision, newest_words(turn.request), said, explained)

    def _end_of(self, turn: Turn, branch: Branch, decision: Decision, press: Press | None) -> End:
        return End(
            id=turn.end_id,
            reason=str(decision.reason),
            decided_by=decision.decided_by,
            ended_at=self.now(),
            conversation=branch.conversation,
            message=branch.message,
            policy=decision.policy,
            explanation=press.explanation if press else "",
            evidence=decision.after.evidence,
            model=turn.request.model,
        )

    def _cut_others(self, turn: Turn, branch: Branch) -> None:
        """Turns in flight on or below the branch that has just ended are stopped; the store refuses them their record."""
        for other in list(self.under_way.values()):
            if other is not turn and branch.address in other.addresses:
                other.stop("end")
