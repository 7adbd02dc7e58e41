"""What a caller of the library hears: an answer, or an error of the protocol as an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from quitbutton.core.errors import QuitbuttonError, UpstreamFailed
from quitbutton.interfaces import Headers
from quitbutton.turn.tell import ConversationEnded, ConversationWarned


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply to one turn."""

    text: str
    """The words for the user: the model's, ours, or both; see `quitbutton["spoken_by"]`."""
    tool_calls: list[dict[str, Any]]
    """Calls of the tools you gave, in OpenAI's shape. A press of the button is never among them."""
    quitbutton: dict[str, Any]
    """The object for programs: `state`, `decision`, `conversation`, `end_id`, `support`, ... as in `docs/how-it-works.md`.
    Empty where the turn was not counted or the policy hides the state."""
    raw: dict[str, Any]
    """The whole chat completion as a client of the gateway would get it."""

    @property
    def state(self) -> str:
        """`open`, `redirected`, `warned` or `ended`; empty where `quitbutton` is."""
        return str(self.quitbutton.get("state", ""))

    @property
    def is_ended(self) -> bool:
        """True when the conversation ended in this turn, or had ended before: it takes no more messages."""
        return self.state == "ended"

    @property
    def message(self) -> dict[str, Any]:
        """The assistant message, to append to your history."""
        calls = {"tool_calls": self.tool_calls} if self.tool_calls else {}
        return {"role": "assistant", "content": self.text, **calls}


def answer_of(raw: dict[str, Any]) -> Answer:
    """An answer from a chat completion."""
    choices = raw.get("choices") or [{}]
    message = choices[0].get("message") or {}
    content = message.get("content") or message.get("refusal") or ""
    if not isinstance(content, str):
        content = "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return Answer(content, message.get("tool_calls") or [], raw.get("quitbutton") or {}, raw)


def error_of(body: bytes) -> QuitbuttonError:
    """The exception for an error body: `ConversationEnded` for a locked turn, `ConversationWarned` for a warning."""
    try:
        error: Mapping[str, Any] = msgspec.json.decode(body)["error"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return UpstreamFailed("The model's server answered with an error that cannot be read. Try again.")
    message, note, code = str(error.get("message", "")), error.get("quitbutton"), str(error.get("code"))
    if not note and code != ConversationWarned.code:
        return UpstreamFailed(message)
    is_warning = code == ConversationWarned.code or (note or {}).get("state") == "warned"
    told = ConversationWarned(message, note) if is_warning else ConversationEnded(message, note)
    told.code = code
    return told


@dataclass(slots=True)
class Listener:
    """A client in memory that keeps a whole reply. Satisfies `Client`."""

    is_gone: bool = False
    is_open: bool = False
    status: int = 0
    body: bytearray = field(default_factory=bytearray)

    async def open(self, status: int, headers: Headers) -> None:
        """The status is known."""
        self.is_open, self.status = True, status

    async def send(self, data: bytes, is_last: bool = False) -> None:
        """A part of the body."""
        self.body += data

    def answer(self) -> Answer:
        """What was heard. Raises `ConversationEnded` on a locked turn."""
        if self.status != 200:
            raise error_of(bytes(self.body))
        return answer_of(msgspec.json.decode(bytes(self.body)))
