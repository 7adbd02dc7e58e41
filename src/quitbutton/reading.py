"""Reads the reply a user got, after its words have left: a failure or a time-out means that nobody can tell."""

from __future__ import annotations

from dataclasses import replace

from quitbutton.core.errors import AssessorFailed
from quitbutton.core.messages import ChatRequest, Message, Role
from quitbutton.core.verdicts import UNREAD, ReplyLabel, ReplyVerdict
from quitbutton.interfaces import ReplyAssessor
from quitbutton.waiting import within


async def read(reader: ReplyAssessor | None, request: ChatRequest, said: str, timeout: float) -> ReplyVerdict:
    """What the model's own words `said` did with the request. Calls of tools alone say nothing that could be read.

    A reply in a form that the client prescribes has no room for a redirection, so that nobody can tell from it.
    """
    if reader is None:
        return UNREAD
    if not request.wants_prose:
        return replace(_unknown(reader, "prescribed form"), cannot_tell=True)
    if not said.strip():
        return _unknown(reader, "no words")
    try:
        messages = (*request.messages, Message(Role.ASSISTANT, said))
        return _sound(await within(timeout, reader.assess_reply(messages)))
    except AssessorFailed as error:
        return _unknown(reader, error.why)
    except Exception as error:
        return _unknown(reader, f"failed: {type(error).__name__}")


def _sound(found: object) -> ReplyVerdict:
    """What another package answers goes into the evidence, which must be readable for as long as it is kept."""
    if isinstance(found, ReplyVerdict) and 0 <= found.refusal <= 1:
        label = ReplyLabel(found.label)
        return replace(found, label=label, cannot_tell=label is ReplyLabel.UNKNOWN and found.cannot_tell is True)
    raise TypeError("a reply assessor answers with a ReplyVerdict, its `refusal` from 0 to 1")


def _unknown(reader: ReplyAssessor, why: str) -> ReplyVerdict:
    return ReplyVerdict(ReplyLabel.UNKNOWN, assessor=reader.name, why=why)
