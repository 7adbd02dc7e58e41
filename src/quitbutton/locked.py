"""How an ended branch answers: the style that fits the client, and its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from quitbutton.core.errors import QuitbuttonError
from quitbutton.core.messages import ChatRequest
from quitbutton.core.notices import locked_text
from quitbutton.core.rules import LockedReply, Policy


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
