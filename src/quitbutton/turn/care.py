"""A crisis on a turn that is not taken (the branch is locked, the store fails, or it is no turn); help without a record."""

from __future__ import annotations

import logging

from quitbutton.core.errors import StoreFailed
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.verdicts import Label, Verdict, relabelled
from quitbutton.core.messages import Role
from quitbutton.interfaces import Assessor
from quitbutton.turn.assess import assess
from quitbutton.turn.turn import Turn

log = logging.getLogger("quitbutton.turns")


async def crisis_in(turn: Turn, assessor: Assessor, policy: Policy) -> Verdict | None:
    """The crisis in the newest message of the user, clear or possible, if one is seen. It is read once a turn."""
    if all(message.role is not Role.USER for message in turn.request.messages):
        return None
    turn.seen = turn.seen or await assess(assessor, turn.request, policy.assess_timeout)
    verdict = relabelled(turn.seen, policy.harmful_at, policy.crisis_at)
    return verdict if verdict.label is Label.CRISIS else None


def unrecorded(turn: Turn, error: StoreFailed) -> None:
    """Tell the operators, and the client's program, of help that is given without a record. The log has no word of the
    user's."""
    turn.is_unrecorded = True
    log.error("help was given in a crisis that is not on record, request %s: %s", turn.id, error)
