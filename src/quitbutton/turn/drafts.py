"""Policies in the shadow stage: what each would have decided is recorded beside what was done, and changes nothing."""

from __future__ import annotations

import logging
import secrets

from quitbutton.core.conversation import branch_of, scope_of
from quitbutton.core.errors import QuitbuttonError
from quitbutton.core.ladder.decisions import Decision, assisted, settle
from quitbutton.core.ladder.policy import Mode, Policy
from quitbutton.core.ladder.transitions import Rung
from quitbutton.core.ladder.verdicts import Verdict, relabelled
from quitbutton.core.records import End, TurnRecord
from quitbutton.core.second import reread
from quitbutton.interfaces import Store
from quitbutton.turn.locate import locate
from quitbutton.turn.turn import Turn

log = logging.getLogger("quitbutton.drafts")


async def try_drafts(store: Store, key: bytes, turn: Turn, seen: Verdict, done: Decision, at: float) -> None:
    """Record what the drafts of a turn would have decided. A failure of theirs is nobody's concern but the log's."""
    for policy in turn.drafts:
        try:
            await _try(store, key, turn, policy, seen, done, at)
        except QuitbuttonError as error:
            log.warning("a policy in shadow could not be tried: %s", error)


async def _try(store: Store, key: bytes, turn: Turn, policy: Policy, seen: Verdict, done: Decision, at: float) -> None:
    request = turn.sent or turn.request
    branch = branch_of(key, scope_of(turn.tenant, request, f"draft {policy.digest}"), request)
    if branch is None or turn.request.previous is not None or turn.request.kept_by_provider:
        return  # a history that the provider keeps is known on the live branch alone
    place = await locate(store, key, request, branch)
    branch, footing = place.branch, place.footing
    if footing.standing.rung is Rung.ENDED:
        return
    # Nobody is asked again for a draft: what was read of the whole branch for the policy in force holds for it too.
    verdict = reread(relabelled(seen, policy.harmful_at, policy.crisis_at), done.review)
    admitted = assisted(policy, footing.standing, verdict, branch.message, review=done.review)
    decision = settle(policy, admitted, done.signal, branch.message, done.reply)
    end = None
    if decision.after.rung is Rung.ENDED:
        end = End(
            "end_" + secrets.token_urlsafe(18),
            str(decision.reason),
            decision.decided_by,
            at,
            branch.conversation,
            branch.message,
            decision.policy,
            evidence=decision.after.evidence,
            model=turn.request.model,
        )
    mode = Mode.SHADOW.value
    await store.record(
        TurnRecord(
            turn.tenant, branch, footing, decision, turn.id, at, mode, end, model=turn.request.model, is_draft=True
        )
    )
