"""Help in a crisis on turns that are not taken: the branch is locked, the store does not answer, or the call is no turn."""

from __future__ import annotations

import logging

from quitbutton.core.errors import QuitbuttonError, StoreFailed
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.verdicts import Label, Verdict, relabelled
from quitbutton.core.messages import Role
from quitbutton.core.wording import Wording
from quitbutton.interfaces import Assessor
from quitbutton.turn import tell
from quitbutton.turn.assess import assess
from quitbutton.turn.tell import Note
from quitbutton.turn.turn import Turn

log = logging.getLogger("quitbutton.turns")


async def crisis_in(turn: Turn, assessor: Assessor, policy: Policy) -> Verdict | None:
    """The crisis in the newest message of the user, clear or possible, if one is seen. It is read once a turn."""
    if all(message.role is not Role.USER for message in turn.request.messages):
        return None
    turn.seen = turn.seen or await assess(assessor, turn.request, policy.assess_timeout)
    verdict = relabelled(turn.seen, policy.harmful_at, policy.crisis_at)
    return verdict if verdict.label is Label.CRISIS else None


async def say(turn: Turn, wording: Wording, note: Note, error: QuitbuttonError) -> None:
    """Say where help is, in words of ours: as a reply, or as this error where the client waits for JSON or a tool call."""
    note = {**note, "decision": "support", "spoken_by": "gateway", **wording.support_note}
    writer = turn.delivery.writer
    if turn.client.is_open and writer is not None:
        await turn.send(writer.say(wording.support))
        await tell.close(turn, "stop", note)
    elif turn.request.wants_prose:
        await tell.say_whole(turn, wording.support, note)
    else:
        told = type(error)(wording.brief_support)
        told.status, told.code = error.status, error.code
        note |= {"recorded": False} if turn.is_unrecorded else {}
        own = [("content-type", "application/json"), ("x-should-retry", "false"), *tell.headers_of(note)]
        await turn.answer(told.status, own, turn.adapter.error(told, {"quitbutton": note}))


def unrecorded(turn: Turn, error: StoreFailed) -> None:
    """Tell the operators, and the client's program, of help that is given without a record. The log has no word of the
    user's."""
    turn.is_unrecorded = True
    log.error("help was given in a crisis that is not on record, request %s: %s", turn.id, error)
