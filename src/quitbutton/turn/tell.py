"""What leaves for the client besides the model's own pieces: replies of ours, errors, and the last bytes of every reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from quitbutton.core.announcement import Links, ended
from quitbutton.core.conversation import Branch
from quitbutton.core.errors import QuitbuttonError, StoreFailed
from quitbutton.core.ladder.decisions import Decision
from quitbutton.core.ladder.policy import LockedReply, Policy
from quitbutton.core.ladder.transitions import MUST_NOTIFY, Action
from quitbutton.core.ladder.verdicts import Label
from quitbutton.core.messages import ChatRequest
from quitbutton.core.notices import locked_text
from quitbutton.core.records import Outcome
from quitbutton.core.value import value
from quitbutton.core.wording import Wording
from quitbutton.interfaces import Headers, Writer
from quitbutton.turn.settle import Settlement
from quitbutton.turn.turn import Turn

Note = dict[str, object]
"""The `quitbutton` object."""


@value
class Teller:
    """Says what is said last in a turn, under one policy, once it is on record."""

    policy: Policy
    links: Links

    def wording(self, turn: Turn) -> Wording:
        """The words for a turn."""
        return Wording(self.policy, turn.accept_language, self.links)

    async def finish(self, turn: Turn, branch: Branch, settled: Settlement, outcome: Outcome) -> None:
        """End the model's reply: our words where its own lack something, and the outcome."""
        must_tell = settled.decision.action in MUST_NOTIFY
        if turn.is_stopped and not turn.client.is_open and not must_tell:
            raise Stopped("The reply was stopped before it began. Send the request again to continue.")
        words = "" if turn.is_stopped and not must_tell else settled.ours
        if words and turn.delivery.writer is not None:
            await turn.send(turn.delivery.writer.say(words))
        spoken_by = ("both" if settled.said.strip() else "gateway") if words else "model"
        note = self.wording(turn).announcement(turn.id, branch, settled.decision, outcome, spoken_by, settled.said)
        is_end, last = settled.decision.action is Action.END, settled.last
        ends_ours = is_end or (last is not None and bool(last.tool_calls) and not last.other_calls)
        await close(turn, "stop" if ends_ours or turn.is_stopped else None, note)

    async def speak(self, turn: Turn, branch: Branch, settled: Settlement, outcome: Outcome) -> None:
        """Say it in our own words: a reply, or the error that warns where the client waits for JSON or a tool call."""
        spoken_by = "both" if turn.client.is_open else "gateway"  # open where the model's reply broke off
        note = self.wording(turn).announcement(turn.id, branch, settled.decision, outcome, spoken_by)
        if warns_by_error(turn.request, settled.decision):
            error = warned_error(locked_style(self.policy, turn.request), settled.ours)
            await say_error(turn, error, note)
        else:
            await say_whole(turn, settled.ours, note)

    async def lock(self, turn: Turn, decision: Decision, outcome: Outcome) -> None:
        """Say that the branch is ended: by an error, a notice, or the end of a reply under way; in a crisis where help is."""
        end = outcome.end
        if end is None:
            raise StoreFailed("The conversation was ended, but its record is missing. Please tell the operator.")
        language = self.wording(turn).language
        words, note = locked_text(end.reason, language), ended(end, language, self.links)
        style = locked_style(self.policy, turn.request)
        error = locked_error(self.policy, style, end.reason, language)
        if decision.verdict.label is Label.CRISIS:
            await self.help(turn, note, error)
        elif turn.client.is_open and turn.delivery.writer is not None:
            await turn.send(turn.delivery.writer.say(words))
            await close(turn, "stop", note)
        elif style is LockedReply.MESSAGE:
            await say_whole(turn, words, note)
        else:
            await say_error(turn, error, note)

    async def help(self, turn: Turn, note: Note, error: QuitbuttonError) -> None:
        """Say where help is: as a reply, or as this error where the client waits for JSON or a tool call."""
        wording, writer = self.wording(turn), turn.delivery.writer
        note = {**note, "decision": "support", "spoken_by": "gateway", **wording.support_note}
        if turn.client.is_open and writer is not None:
            await turn.send(writer.say(wording.support))
            await close(turn, "stop", note)
        elif turn.request.wants_prose:
            await say_whole(turn, wording.support, note)
        else:
            told = type(error)(wording.brief_support)
            told.status, told.code = error.status, error.code
            note |= {"recorded": False} if turn.is_unrecorded else {}
            own = [("content-type", "application/json"), ("x-should-retry", "false"), *headers_of(note)]
            await turn.answer(told.status, own, turn.adapter.error(told, {"quitbutton": note}))


def warns_by_error(request: ChatRequest, decision: Decision) -> bool:
    """True for a warning to a client that waits for JSON or a tool call, which words of ours would break."""
    return decision.action is Action.WARN and not request.wants_prose


def prepare(turn: Turn) -> Writer:
    """What a reply of ours is written with; it has the reply's id, which is recorded before it is told."""
    if turn.delivery.writer is None:
        turn.delivery.writer = turn.adapter.writer(turn.request, turn.request.stream, turn.offered)
    return turn.delivery.writer


async def say_whole(turn: Turn, words: str, note: Note | None) -> None:
    """A reply of ours to its last byte: from the first, or on from where the model's broke off."""
    writer = prepare(turn)
    if writer.streams and not turn.client.is_open:
        await turn.open(200, [("content-type", writer.content_type)])
    await turn.send(writer.say(words))
    turn.delivery.texts += 1
    await close(turn, "stop", note)


async def say_error(turn: Turn, error: QuitbuttonError, note: Note | None) -> None:
    """What the user must read, as an error in the client's protocol that is not worth trying again."""
    own = [("x-should-retry", "false"), ("cache-control", "no-store"), *headers_of(note)]
    body = turn.adapter.error(error, {"quitbutton": note} if note is not None else None)
    await turn.answer(error.status, [("content-type", "application/json"), *own], body)


async def close(turn: Turn, finish: str | None, note: Note | None) -> None:
    """The reply's last bytes; a whole reply is sent here at once, with its headers."""
    writer = turn.delivery.writer
    if writer is None:
        return
    if note is not None and turn.is_unrecorded:
        note = {**note, "recorded": False}
    headers = turn.delivery.headers or [("content-type", writer.content_type)]
    await turn.answer(200, [*headers, *headers_of(note)], writer.close(finish, note))


def headers_of(note: Note | None) -> Headers:
    """The note's headers, for whole replies."""
    names = (("state", "x-quitbutton-state"), ("end_id", "x-quitbutton-end-id"))
    return [(name, str(note[member])) for member, name in names if note is not None and member in note]


class ConversationNotice(QuitbuttonError):
    """Something that the user must read, said as an error. No client we measured retries a 400, and all show its message.

    The message is for the user; `quitbutton` is the object for programs.
    """

    status = 400
    type = "invalid_request_error"

    def __init__(self, message: str, quitbutton: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.quitbutton = dict(quitbutton or {})


class ConversationEnded(ConversationNotice):
    """The branch is locked for good. The message says why and what to do next."""

    code = "conversation_ended"


class ConversationWarned(ConversationNotice):
    """A warning, to a client that waits for JSON or a tool call. The conversation goes on with the next message."""

    code = "conversation_warned"


class Stopped(QuitbuttonError):
    """The user stopped the generation before anything was said."""

    status = 400
    type = "invalid_request_error"
    code = "stopped"


def locked_style(policy: Policy, request: ChatRequest) -> LockedReply:
    """The style in force for a request. A client that waits for JSON or a tool call never gets prose."""
    style = policy.locked_reply
    if style is LockedReply.AUTO:
        style = LockedReply.MESSAGE if request.chat_page and not request.background else LockedReply.ERROR
    if style is LockedReply.MESSAGE and not request.wants_prose:
        return LockedReply.ERROR
    return style


def locked_error(policy: Policy, style: LockedReply, reason: str, language: str) -> ConversationEnded:
    """The error of a locked turn. In `evals` its code is the one that evaluation tools record as a stopped sample."""
    error = _as(style, ConversationEnded, locked_text(reason, language))
    error.status = 400 if style is LockedReply.EVALS else policy.locked_status
    return error


def warned_error(style: LockedReply, warning: str) -> ConversationWarned:
    """The error that warns where the reply must be JSON or a tool call.

    As the text of a reply the warning would be lost: clients that cannot parse a reply ask again by themselves, and their
    user sees the next one. An end may be lost so, since every later turn says it again.
    """
    return _as(style, ConversationWarned, warning)


N = TypeVar("N", bound=ConversationNotice)


def _as(style: LockedReply, kind: type[N], text: str) -> N:
    if style is not LockedReply.EVALS:
        return kind(text)
    error = kind(f"{text} (content filtering)")
    error.code = "content_filter"
    return error
