"""Whose request is this, and which conversation? The sources of DESIGN, in their order; all are the client's claims."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

CONVERSATION_HEADERS = (
    "x-quitbutton-conversation",
    "x-openwebui-chat-id",
    "x-librechat-conversation-id",
    "x-claude-code-session-id",
    "x-qwen-code-session-id",
    "x-litellm-session-id",
    "session-id",
    "session_id",
    "thread-id",
    "x-session-id",
)
"""Headers that name a conversation, first one wins. The last four are Codex's and opencode's."""

END_USER_HEADERS = ("x-quitbutton-end-user", "x-openwebui-user-id", "x-librechat-user-id")
"""Headers that name an end user where the body does not."""

PAGE_HEADERS = ("x-openwebui-chat-id", "x-openwebui-user-id", "x-librechat-conversation-id", "x-librechat-user-id")
"""Chat pages that announce themselves: they show text to a person and drop the details of errors."""
AGENTS = ("agent-sdk/", "@openrouter/sdk")
"""Libraries, by their `User-Agent`, that a locked branch is told as a message: Claude Agent SDK sends a refused request
three to six times, and @openrouter/sdk reports an error of anybody else as a fault of its own."""

PARENT_HEADER = "x-quitbutton-parent"
"""What Open WebUI's `{{USER_MESSAGE_PARENT_ID}}` goes into: the message before the user's newest, empty for a first one."""
TASK_HEADERS = ("x-quitbutton-task", "x-claude-code-agent-id", "x-openai-subagent")
"""Headers with something in them on background calls alone: Open WebUI's `{{TASK}}`, and the helpers of Claude Code and
Codex, whose prompts a model wrote."""
FLAG_HEADERS = ("x-quitbutton-background", "x-openai-memgen-request")
"""Headers that say `true` on background calls."""

BODY_NAMES = ("conversation_id", "session_id")
"""Members of `metadata` that name a conversation."""

MAX_NAME = 512
"""Longest name of a conversation or user that is used as it is, in characters; of a longer one its digest is used."""
ISSUED = re.compile(r"conv_[a-z2-7]{24}")
"""Our own ids of conversations: a client that sends one back names nothing of its own."""


TELLING = frozenset(
    (*CONVERSATION_HEADERS, *END_USER_HEADERS, *PAGE_HEADERS, PARENT_HEADER, *TASK_HEADERS, *FLAG_HEADERS)
)
"""Every header that is looked at here."""


class Identity(NamedTuple):
    """What a request says about itself: all that the guard needs besides its words."""

    end_user: str | None
    conversation_id: str | None
    background: bool
    chat_page: bool
    is_truncated: bool

    @classmethod
    def of(cls, headers: Mapping[str, str], user: str | None, conversation: str | None) -> Identity:
        """From the headers; `user` and `conversation` are those that the body names."""
        agent = headers.get("user-agent", "")
        reads_errors_amiss = any(name in agent for name in AGENTS)
        if TELLING.isdisjoint(headers):
            return cls(user, conversation, background=False, chat_page=reads_errors_amiss, is_truncated=False)
        return cls(
            end_user=user or first_of(headers, END_USER_HEADERS),
            conversation_id=conversation_of(headers) or conversation,
            background=is_background(headers),
            chat_page=reads_errors_amiss or first_of(headers, PAGE_HEADERS) is not None,
            is_truncated=named(headers.get(PARENT_HEADER)) is not None,
        )


def named(value: object) -> str | None:
    """A usable name: a string with something in it. Two long ones are the same only where every character is."""
    name = value.strip() if isinstance(value, str) else ""
    if len(name) > MAX_NAME:
        return "sha256:" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return name or None


def in_metadata(metadata: Mapping[str, Any]) -> str | None:
    """The conversation that a body's `metadata` names."""
    return next((found for name in BODY_NAMES if (found := named(metadata.get(name)))), None)


def conversation_of(headers: Mapping[str, str]) -> str | None:
    """The conversation that the headers name, unless it is our own id echoed."""
    found = first_of(headers, CONVERSATION_HEADERS)
    return None if found is None or ISSUED.fullmatch(found) else found


def first_of(headers: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The first header that says something."""
    return next((value for name in names if (value := named(headers.get(name, "")))), None)


def is_background(headers: Mapping[str, str]) -> bool:
    """True for titles, tags, follow-ups and other calls that are no turn of the conversation."""
    declared = any(headers.get(name, "").strip().lower() in ("1", "true", "yes") for name in FLAG_HEADERS)
    return declared or first_of(headers, TASK_HEADERS) is not None


_SESSION = re.compile(r"_session_([0-9a-f-]{8,})\Z")


def of_claude(user_id: object) -> tuple[str | None, str | None]:
    """End user and session in Anthropic's `metadata.user_id`, where Claude Code packs both into one text."""
    whole = user_id.strip() if isinstance(user_id, str) else ""
    if whole.startswith("{"):
        try:
            packed = json.loads(whole)
        except (ValueError, RecursionError):
            return named(whole), None
        if isinstance(packed, dict) and (session := named(packed.pop("session_id", None))):
            return named(json.dumps(packed, sort_keys=True)), session
        return named(whole), None
    found = _SESSION.search(whole)
    return (named(whole[: found.start()]), found[1]) if found else (named(whole), None)
