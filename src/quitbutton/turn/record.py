"""Write a turn down before anybody hears of it: its record, the end it brings about, and the turns which that cuts short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from quitbutton.core.errors import StoreFailed
from quitbutton.core.kept_words import KeptWords, Retention, words_to_keep
from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.transitions import CARING, Rung
from quitbutton.core.messages import Press
from quitbutton.core.records import End, Outcome, TurnRecord
from quitbutton.core.tools import end_conversation
from quitbutton.core.value import value
from quitbutton.interfaces import Store
from quitbutton.turn import care
from quitbutton.turn.drafts import try_drafts
from quitbutton.turn.locate import Place
from quitbutton.turn.origin import kept_of
from quitbutton.turn.settle import Settlement
from quitbutton.turn.turn import Turn
from quitbutton.turn.weigh import newest_words


@value
class Recorder:
    """Records turns under one policy."""

    policy: Policy
    store: Store
    key: bytes
    retention: Retention
    second_reader: str
    """The name of the second reader that must say yes; empty where there is none."""
    under_way: Mapping[str, Turn]
    now: Callable[[], float]

    async def record(self, turn: Turn, place: Place, settled: Settlement) -> Outcome:
        """Record a turn, and what its drafts would have decided.

        The outcome names the end that holds: this turn's own, or another request's that came first.
        """
        record = self._record_of(turn, place, settled)
        outcome = await self._written(turn, record)
        if turn.drafts and turn.seen is not None:
            await try_drafts(self.store, self.key, turn, turn.seen, settled.decision, self.now())
        if record.end is None or outcome.end is not None:
            return outcome
        self._cut_others(turn, place.branch.address)
        return replace(outcome, end=record.end)

    def _record_of(self, turn: Turn, place: Place, settled: Settlement) -> TurnRecord:
        decision, press, told = settled.decision, settled.press, settled.told
        asked = turn.sent or turn.request
        return TurnRecord(
            tenant=turn.tenant,
            branch=place.branch,
            footing=place.footing,
            decision=decision,
            request_id=turn.id,
            end=self._end(turn, place, decision, press) if _ends(decision) else None,
            at=self.now(),
            mode=str(self.policy.mode),
            press=press.means if press else None,
            press_reason=end_conversation.reason_of(press),
            reply=kept_of(turn, settled.last),
            owner=turn.owner,
            words=self._words(turn, decision, told, press),
            model=turn.request.model,
            began=turn.began,
            trace=turn.place.trace(self.key, asked, decision, told) if turn.place else None,
            second_reader=self.second_reader,
        )

    def _words(self, turn: Turn, decision: Decision, told: str, press: Press | None) -> tuple[KeptWords, ...]:
        explanation = press.explanation if press else ""
        return words_to_keep(turn.retention or self.retention, decision, newest_words(turn.request), told, explanation)

    def _end(self, turn: Turn, place: Place, decision: Decision, press: Press | None) -> End:
        return End(
            id=turn.end_id,
            reason=str(decision.reason),
            decided_by=decision.decided_by,
            ended_at=self.now(),
            conversation=place.branch.conversation,
            message=place.branch.message,
            policy=decision.policy,
            explanation=press.explanation if press else "",
            evidence=decision.after.evidence,
            model=turn.request.model,
        )

    async def _written(self, turn: Turn, record: TurnRecord) -> Outcome:
        """What became of a record. Help in a crisis waits for none: it is given also where the store fails."""
        try:
            return await self.store.record(record)
        except StoreFailed as error:
            if record.decision.action not in CARING:
                raise
            care.unrecorded(turn, error)
            return Outcome(record.decision.after)

    def _cut_others(self, turn: Turn, address: bytes) -> None:
        """Stop the turns under way on or below a branch that has just ended; the store refuses them their record."""
        for other in list(self.under_way.values()):
            if other is not turn and address in other.addresses:
                other.stop("end")


def _ends(decision: Decision) -> bool:
    return decision.after.rung is Rung.ENDED and decision.before.rung is not Rung.ENDED
