"""A conversation of the record under another policy: what was found and pressed then stands, so no words need be kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from quitbutton.core.errors import BadRequest
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.transitions import Signal
from quitbutton.core.ladder.verdicts import UNREAD, Label, ReplyVerdict, Verdict
from quitbutton.core.messages import Message, Role
from quitbutton.core.second import SecondAnswer, SecondReading
from quitbutton.core.tools.end_conversation import BUTTON
from quitbutton.interfaces import Store
from quitbutton.replay.simulate import simulate
from quitbutton.turn.review import Second

WISHES = {Signal.WISH: "Please end this conversation.", Signal.CONFIRMED_WISH: "Yes, end it."}
"""What stands for the words of a user who asked for the end, and confirmed."""
LONGEST = 2000
"""Most events of a conversation that are replayed, the newest."""
NOT_PRESSED = ("not_meant", "not_alone")
"""Denials that say of a press that it was none."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One branch of a conversation as it was decided: an assessor, and a reader of replies, that say what was said then."""

    conversation: str
    turns: tuple[Mapping[str, Any], ...]
    """Its events, oldest first, one a user message."""
    name: str = "recorded@1"

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        """What was found in the newest user message then."""
        return msgspec.convert(self._turn(messages)["verdict"], Verdict)

    async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
        """What its reply was read as then."""
        read = self._turn(messages).get("reply")
        return msgspec.convert(read, ReplyVerdict) if read else UNREAD

    async def look_back(self, messages: Sequence[Message]) -> Verdict | None:
        """What the last look saw then; a crisis that it saw is in the verdict already. None where none was taken."""
        look = self._turn(messages).get("look")
        found = msgspec.convert(look, Verdict) if look else None
        return None if found is None or found.label is Label.CRISIS else found

    async def read(self, messages: Sequence[Message]) -> SecondReading:
        """What the second reader said then. On a turn where nobody had to ask it nothing stands against a yes."""
        read = self._turn(messages).get("second")
        if read:
            return msgspec.convert(read, SecondReading)
        return SecondReading(SecondAnswer.YES, True, False, why="not asked then", assessor=self.name)

    async def under(self, policy: Policy, store: Store) -> dict[str, Any]:
        """What a policy makes of it; as `simulate` tells it."""
        messages = [message for number, turn in enumerate(self.turns) for message in _said(number + 1, turn)]
        return await simulate(
            {"id": self.conversation, "messages": messages}, policy, self, store, self, Second(self.name, self)
        )

    def _turn(self, messages: Sequence[Message]) -> Mapping[str, Any]:
        return self.turns[sum(one.role is Role.USER for one in messages) - 1]


def recorded(conversation: str, events: Iterable[Mapping[str, Any]]) -> Recorded:
    """The newest branch among the events of a conversation, oldest first, each with the `parent` of its message.

    A message that was answered again stands with the answer that pressed, else with the last. Raises `BadRequest` where
    nothing was decided.
    """
    by_message: dict[str, Mapping[str, Any]] = {}
    newest: str | None = None
    for event in events:
        if "signal" not in event or event["action"] == "refuse":
            continue
        newest = event["message"]
        known = by_message.get(newest)
        if known is None or _is_pressed(event) or not _is_pressed(known):
            by_message[newest] = event
    branch: list[Mapping[str, Any]] = []
    while newest in by_message:
        branch.append(by_message.pop(newest))
        newest = branch[-1]["parent"]
    if not branch:
        raise BadRequest(
            f"Nothing was decided in a conversation {conversation}; replies name theirs as `quitbutton.conversation`."
        )
    return Recorded(conversation, tuple(reversed(branch)))


def _is_pressed(event: Mapping[str, Any]) -> bool:
    return event["signal"] != Signal.NONE and event["denial"] not in NOT_PRESSED


def _said(number: int, turn: Mapping[str, Any]) -> list[dict[str, Any]]:
    signal = Signal(turn["signal"])
    user = {"role": "user", "content": WISHES.get(signal, f"(message {number})")}
    reply: dict[str, Any] = {"role": "assistant", "content": f"(reply {number})"}
    if _is_pressed(turn):
        reason = "abuse" if signal is Signal.PRESS else "user_request"
        reply["tool_calls"] = [{"function": {"name": BUTTON.name, "arguments": {"reason": reason}}}]
    return [user, reply]
