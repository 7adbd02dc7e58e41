"""How an ended branch answers: the style that fits the client, and its error."""

from __future__ import annotations

from collections.abc import Mapping

from quitbutton.core.errors import QuitbuttonError
from quitbutton.core.messages import ChatRequest
from quitbutton.core.notices import locked_text
from quitbutton.core.rules import LockedReply, Policy


class ConversationEnded(QuitbuttonError):
    """The branch is locked for good. No client we measured retries a 400, and all show its message.

    The message says why and what to do next, for the user; `quitbutton` is the object for programs.
    """

    status = 400
    type = "invalid_request_error"
    code = "conversation_ended"

    def __init__(self, message: str, quitbutton: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.quitbutton = dict(quitbutton or {})


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
    text = locked_text(reason, language)
    error = ConversationEnded(f"{text} (content filtering)" if style is LockedReply.EVALS else text)
    error.status = 400 if style is LockedReply.EVALS else policy.locked_status
    error.code = "content_filter" if style is LockedReply.EVALS else "conversation_ended"
    return error
