"""Whose request is this, and which conversation? The sources of DESIGN, in their order; all are the client's claims."""

from __future__ import annotations

import re
from collections.abc import Mapping

CONVERSATION_HEADERS = (
    "x-quitbutton-conversation",
    "x-openwebui-chat-id",
    "x-librechat-conversation-id",
    "x-claude-code-session-id",
)
"""Headers that name a conversation, first one wins."""

END_USER_HEADERS = ("x-quitbutton-end-user", "x-openwebui-user-id", "x-librechat-user-id")
"""Headers that name an end user where the body does not."""

PAGE_HEADERS = ("x-openwebui-chat-id", "x-openwebui-user-id", "x-librechat-conversation-id", "x-librechat-user-id")
"""Chat pages that announce themselves: they show text to a person and drop the details of errors."""

TASK_HEADER = "x-quitbutton-task"
"""What Open WebUI's `{{TASK}}` goes into: empty for a turn, the name of the task for a background call."""
BACKGROUND_HEADER = "x-quitbutton-background"

MAX_NAME = 512
"""Longest name of a conversation or user that is looked at, in characters."""


def named(value: object) -> str | None:
    """A usable name: a string with something in it."""
    return value.strip()[:MAX_NAME] if isinstance(value, str) and value.strip() else None


ISSUED = re.compile(r"conv_[a-z2-7]{24}")
"""Our own ids of conversations: a client that sends one back names nothing of its own."""


def conversation_of(headers: Mapping[str, str]) -> str | None:
    """The conversation that the headers name, unless it is our own id echoed."""
    found = first_of(headers, CONVERSATION_HEADERS)
    return None if found is None or ISSUED.fullmatch(found) else found


def first_of(headers: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The first header that says something."""
    return next((value for name in names if (value := named(headers.get(name, "")))), None)


def is_background(headers: Mapping[str, str]) -> bool:
    """True for titles, tags, follow-ups and other calls that are no turn of the conversation."""
    declared = headers.get(BACKGROUND_HEADER, "").strip().lower() in ("1", "true", "yes")
    return declared or bool(named(headers.get(TASK_HEADER, "")))


def is_chat_page(headers: Mapping[str, str]) -> bool:
    """True when a chat page announced itself."""
    return first_of(headers, PAGE_HEADERS) is not None
