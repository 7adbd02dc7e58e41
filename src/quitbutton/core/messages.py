"""What flows through the house: messages, a request, and the pieces of a reply."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from quitbutton.core.value import value


class Role(StrEnum):
    """Who wrote a message. Only `USER` words can be evidence."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Message(NamedTuple):
    """One message as the guard sees it.

    `text` is what its author wrote, text parts joined by a newline. `attachments` are the BLAKE2b-256 digests of its
    image, audio and file parts, in order.
    """

    role: Role
    text: str
    attachments: tuple[bytes, ...] = ()


@value
class ChatRequest:
    """A decoded chat request: the guard's view beside the untouched `raw` body."""

    model: str
    messages: tuple[Message, ...]
    raw: bytes
    stream: bool = False
    end_user: str | None = None
    conversation_id: str | None = None
    background: bool = False
    can_offer: bool = True
    """False where a tool would change what the client asked for: forced tools, `n` > 1, a forced JSON schema."""
    wants_prose: bool = True
    """False where the reply must be JSON or a tool call, so that a notice as assistant text would break the client."""
    max_tokens: int | None = None
    chat_page: bool = False
    """True when a client that shows text and reads errors amiss named itself in its headers: a chat page, or a library."""
    sums_up: bool = False
    """True when its client keeps, of a stream, only what the deltas add up to."""
    is_truncated: bool = False
    """True when the client says that messages before the first one here were left out."""
    previous: str | None = None
    """Id of the reply that the request goes on from, where the provider keeps the history."""
    has_tools: bool = True
    """False where the request has no member `tools`."""
    kept_in: str | None = None
    """The provider's conversation that the request is part of, where it keeps the whole of it."""
    is_kept: bool = False
    """True where the provider keeps the reply, so that its id opens it later."""

    @property
    def kept_by_provider(self) -> bool:
        """True where the provider keeps the whole conversation, so that the request brings only what is new."""
        return self.kept_in is not None


@dataclass(frozen=True, slots=True)
class CallDelta:
    """A part of a tool call in a reply. `index` is its place; `name` and `arguments` may arrive in parts."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    named: bool = False
    """True where the name came whole, so that nothing more of it follows."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them."""

    prompt: int
    completion: int


@value
class Piece:
    """One frame of a reply: its bytes as they came, and what they mean. A whole reply is a single piece."""

    raw: bytes
    text: str = ""
    calls: tuple[CallDelta, ...] = ()
    finish: str | None = None
    usage: Usage | None = None
    done: bool = False
    """The protocol's end marker (`[DONE]`)."""
    aside: bool = False
    """True for a frame that carries only other choices than the first (`n` over 1)."""
    error: str | None = None
    """The provider's message where the frame is an error."""
    parts_text: bool = False
    """True where the words before this frame and those after it are parts of their own: no exit string spans both."""


@dataclass(frozen=True, slots=True)
class Press:
    """The model's call of `end_conversation`."""

    reason: str = "unspecified"
    explanation: str = ""
    call_id: str = ""
    arguments: str = "{}"
    alone: bool = True
    """False when the model called tools of the client in the same breath."""
    means: str = "tool"
    """`tool`, `text`, `string` or `question`: the way the model pressed."""


@value
class Reply:
    """What a reply said, once it is over."""

    text: str = ""
    press: Press | None = None
    other_calls: int = 0
    finish: str | None = None
    usage: Usage | None = None
    complete: bool = False
    pieces: int = 0
    id: str = ""
    """The provider's id of it, where its protocol can go on from there."""
    items: tuple[bytes, ...] = ()
    """Its own items as JSON, where the protocol wants them back in a second call: thinking, reasoning, calls."""
