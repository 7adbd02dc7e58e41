"""Replays a recorded conversation, turn by turn, through the same guard, with the recorded replies as the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.adapters.splice import encode
from quitbutton.core.errors import BadRequest
from quitbutton.core.ladder.policy import Mode, Policy
from quitbutton.core.ladder.verdicts import UNKNOWN, UNREAD, ReplyVerdict, Verdict
from quitbutton.core.messages import Message
from quitbutton.interfaces import Assessor, Headers, LooksBack, ReplyAssessor, Store
from quitbutton.turn.guard import TurnTaker
from quitbutton.turn.review import Second
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.scripted import Line, ScriptedUpstream

SILENCE = "..."
"""Stands in where a record has no reply to a user message. Nobody reads it: the model is taken to do as it is asked."""


@dataclass(slots=True)
class Audience:
    """A client that keeps nothing."""

    is_gone: bool = False
    is_open: bool = False

    async def open(self, status: int, headers: Headers) -> None:
        """Taken."""
        self.is_open = True

    async def send(self, data: bytes, is_last: bool = False) -> None:
        """Taken."""


@dataclass(slots=True)
class _Listener:
    """Keeps the verdict of the turn for the report."""

    assessor: Assessor
    last: Verdict | None = None

    @property
    def name(self) -> str:
        return self.assessor.name

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        self.last = await self.assessor.assess(messages)
        return self.last

    async def look_back(self, messages: Sequence[Message]) -> Verdict | None:
        return await self.assessor.look_back(messages) if isinstance(self.assessor, LooksBack) else None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the replies that were recorded."""

    reader: ReplyAssessor

    @property
    def name(self) -> str:
        return self.reader.name

    async def assess_reply(self, messages: Sequence[Message]) -> ReplyVerdict:
        return UNREAD if messages[-1].text == SILENCE else await self.reader.assess_reply(messages)


async def simulate(
    row: dict[str, Any],
    policy: Policy,
    assessor: Assessor,
    store: Store,
    reader: ReplyAssessor | None = None,
    second: Second | None = None,
) -> dict[str, Any]:
    """One conversation's outcome: `final`, the turns (1 = first user message) of warning, end, the first sign of a crisis and
    the first clear one, all decisions.

    A recorded reply may press: an `end_conversation` among its `tool_calls`. Raises `BadRequest` for a row that is none.
    """
    messages = row.get("messages")
    decoded(messages)
    assert isinstance(messages, list)  # noqa: S101 - decoded() saw to it
    adapter, listener = OpenAIChat(), _Listener(assessor)
    current = Line()
    upstream = ScriptedUpstream(lambda _: current)
    key = await store.address_key()
    reads = _Reader(reader) if reader is not None else None
    guard = TurnTaker(policy, listener, store, key, reader=reads, second=second, now=lambda: 0.0)
    decisions: list[dict[str, Any]] = []
    scope = {"safety_identifier": f"simulation {row.get('id')}"}
    for place, message in enumerate(messages):
        if message.get("role") != "user":
            continue
        current = _recorded(messages, place)
        body = encode({"model": "recorded", "messages": messages[: place + 1], **scope})
        turn = Turn(adapter.decode(body, {}), adapter, Audience(), upstream)
        listener.last = None
        await guard.take_turn(turn)
        if policy.mode is Mode.OFF:
            continue  # relayed, nothing was decided
        event = (await store.events(turn.conversation))[-1]
        decisions.append(_told(len(decisions) + 1, event, listener.last))
    return _summary(row, decisions)


def _summary(row: dict[str, Any], decisions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row.get("id"),
        "final": decisions[-1]["state"] if decisions else "open",
        "warned_at": _first(decisions, "action", "warn"),
        "ended_at": _first(decisions, "action", "end"),
        "crisis_at": next((one["turn"] for one in decisions if one["verdict"] == "crisis" or one["crisis"]), None),
        "clear_crisis_at": _first(decisions, "crisis", "clear"),
        "decisions": decisions,
    }


def decoded(messages: object) -> tuple[Message, ...]:
    """Recorded messages as the guard sees them. Raises `BadRequest` when they are none."""
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise BadRequest("`messages` must be an array with at least one {role, content}.")
    return OpenAIChat().decode(encode({"model": "recorded", "messages": messages}), {}).messages


def _recorded(messages: list[dict[str, Any]], place: int) -> Line:
    following = messages[place + 1] if place + 1 < len(messages) else {}
    if following.get("role") != "assistant":
        return Line(SILENCE)
    functions = (call.get("function") or {} for call in following.get("tool_calls") or ())
    calls = tuple((str(one.get("name")), _arguments(one.get("arguments"))) for one in functions)
    content = following.get("content")
    return Line(content if isinstance(content, str) and (content or calls) else SILENCE, calls)


def _arguments(given: object) -> dict[str, object]:
    if isinstance(given, dict):
        return given
    try:
        read = json.loads(given) if isinstance(given, str) else {}
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _told(turn: int, event: dict[str, Any], verdict: Verdict | None) -> dict[str, Any]:
    scores = verdict.scores if verdict else None
    return {
        "turn": turn,
        "action": event["action"],
        "state": event["after"]["rung"],
        "verdict": verdict.label.value if verdict else None,
        "scores": {"harm": scores.harm, "abuse": scores.abuse, "crisis": scores.crisis} if scores else None,
        **(verdict.details if verdict else dict.fromkeys(UNKNOWN.details)),
        "crisis": event["crisis"],
        "denial": event["denial"],
        "reason": event["reason"],
        "reply": _members(event.get("reply"), ("label", "refusal", "assessor")),
        "look": _members(event.get("look"), ("label", "strength", "assessor", "why")),
        "second": _members(event.get("second"), ("answer", "persistent", "at_risk", "why", "assessor")),
    }


def _members(told: dict[str, Any] | None, names: Sequence[str]) -> dict[str, Any] | None:
    return {name: told[name] for name in names} if told else None


def _first(decisions: list[dict[str, Any]], name: str, value: str) -> int | None:
    return next((one["turn"] for one in decisions if one[name] == value), None)
