"""Reads the reply a user got, after its words have left: a failure or a time-out means that nobody can tell."""

from __future__ import annotations

import asyncio

from quitbutton.core.errors import AssessorFailed
from quitbutton.core.messages import ChatRequest, Message, Role
from quitbutton.core.verdicts import UNREAD, ReplyLabel, ReplyVerdict
from quitbutton.interfaces import ReplyAssessor


async def read(reader: ReplyAssessor | None, request: ChatRequest, said: str, timeout: float) -> ReplyVerdict:
    """What the model's own words `said` did with the request. Calls of tools alone say nothing that could be read."""
    if reader is None:
        return UNREAD
    if not said.strip():
        return _unknown(reader, "no words")
    try:
        async with asyncio.timeout(timeout):
            return await reader.assess_reply((*request.messages, Message(Role.ASSISTANT, said)))
    except AssessorFailed as error:
        return _unknown(reader, error.why)
    except Exception as error:
        return _unknown(reader, f"failed: {type(error).__name__}")


def _unknown(reader: ReplyAssessor, why: str) -> ReplyVerdict:
    return ReplyVerdict(ReplyLabel.UNKNOWN, assessor=reader.name, why=why)
