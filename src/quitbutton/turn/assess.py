"""Asks the readers of a turn, in time: of the request, of the whole branch, and of the reply. Failure is `UNKNOWN`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from quitbutton.assessors.deadline import verdict_in_time, with_timeout
from quitbutton.core.errors import AssessorFailed, UpstreamTimeout
from quitbutton.core.ladder.verdicts import UNKNOWN, UNREAD, ReplyLabel, ReplyVerdict, Verdict
from quitbutton.core.messages import ChatRequest, Message, Role
from quitbutton.core.second import SecondAnswer, SecondReading
from quitbutton.interfaces import Assessor, ReplyAssessor, SecondReader


async def assess(
    assessor: Assessor, request: ChatRequest, timeout: float, late: Callable[[], None] | None = None
) -> Verdict:
    """The verdict; an assessor that fails or takes too long proves no harm. `late` is called where it takes a while."""
    verdict = await verdict_in_time(assessor.name, assessor.assess(request.messages), timeout, late)
    return verdict or UNKNOWN


async def read_branch(reader: SecondReader, messages: Sequence[Message], seconds: float) -> SecondReading:
    """A second reader's answer; one that takes too long is late, one that fails is broken."""
    try:
        reading = await with_timeout(seconds, reader.read(messages))
        if not isinstance(reading, SecondReading):
            raise TypeError("a second reader answers with a SecondReading")
        return reading
    except (TimeoutError, UpstreamTimeout):
        return SecondReading(SecondAnswer.LATE, why="timeout", assessor=reader.name)
    except AssessorFailed as error:
        answer = SecondAnswer.LATE if error.why == "timeout" else SecondAnswer.BROKEN
        return SecondReading(answer, why=error.why, assessor=reader.name)
    except Exception as error:
        return SecondReading(SecondAnswer.BROKEN, why=f"failed: {type(error).__name__}", assessor=reader.name)


async def assess_reply(reader: ReplyAssessor | None, request: ChatRequest, said: str, timeout: float) -> ReplyVerdict:
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
        return _sound(await with_timeout(timeout, reader.assess_reply(messages)))
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
