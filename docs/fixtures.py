"""Replies of the convention as fixtures: what a client gets at each step, in every protocol, whole and streamed."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

from quitbutton.adapters.anthropic_messages import AnthropicMessages
from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.adapters.openai_responses import OpenAIResponses
from quitbutton.assessors.scripted import ScriptedAssessor
from quitbutton.core.ladder.policy import LockedReply, Policy, Speaker
from quitbutton.interfaces import Adapter, Headers
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.turn.guard import TurnTaker
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.scripted import ScriptedUpstream

STEPS = ("redirected", "redirected again", "warned", "ended", "locked")
ABUSE = "[abuse] words that the assessor finds abusive"
FRESH = re.compile(r"\b(chatcmpl-|resp_|msg_)[0-9a-f]{24,}|\"created(_at)?\":\d+")


@dataclass(slots=True)
class _Ear:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_gone: bool = False
    is_open: bool = False

    async def open(self, status: int, headers: Headers) -> None:
        self.is_open, self.status, self.headers = True, status, dict(headers)

    async def send(self, data: bytes, is_last: bool = False) -> None:
        self.body += data


def _body(adapter: Adapter, said: list[str], stream: bool) -> bytes:
    messages = [{"role": "user", "content": text} for text in said]
    body: dict[str, Any] = {"model": "example", "stream": stream}
    if adapter.name == "openai_responses":
        body |= {"input": [{"type": "message", **message} for message in messages]}
    else:
        body |= {"messages": messages, **({"max_tokens": 100} if adapter.name == "anthropic_messages" else {})}
    return json.dumps(body).encode()


async def _played(adapter: Adapter, stream: bool, style: LockedReply) -> list[dict[str, Any]]:
    policy = Policy(assist=True, speaker=Speaker.GATEWAY, locked_reply=style)
    taker = TurnTaker(policy, ScriptedAssessor(), SQLStore(SQLite(":memory:")), bytes(32), now=lambda: 1_800_000_000.0)
    said: list[str] = []
    out = []
    for number, step in enumerate([*STEPS, "crisis"]):
        said = (
            ["[crisis] words that the assessor takes for a crisis"]
            if step == "crisis"
            else [*said, f"{ABUSE} {number}"]
        )
        ear, body = _Ear(), _body(adapter, said, stream)
        ids = {"id": f"req_example{number}", "_end_id": "end_example"}
        await taker.take_turn(Turn(adapter.decode(body, {}), adapter, ear, ScriptedUpstream([]), **ids))
        kind = "event stream" if stream and ear.status == 200 else "json"
        text = FRESH.sub(_fixed, ear.body.decode())
        headers = {name: value for name, value in ear.headers.items() if name != "content-length"}
        answer = {"status": ear.status, "headers": headers, "kind": kind, "body": text}
        out.append({"protocol": adapter.name, "streamed": stream, "step": step, "locked_reply": style, **answer})
    return out


def _fixed(found: re.Match[str]) -> str:
    return f"{found[1]}example" if found[1] else f'"created{found[2] or ""}":1800000000'


def fixtures() -> str:
    """All of them, as JSON."""
    adapters: tuple[Adapter, ...] = (OpenAIChat(), OpenAIResponses(), AnthropicMessages())

    async def play() -> list[dict[str, Any]]:
        styles = (LockedReply.ERROR, LockedReply.MESSAGE)
        return [
            one
            for adapter in adapters
            for stream in (False, True)
            for style in styles
            for one in await _played(adapter, stream, style)
            if style is LockedReply.ERROR or one["step"] == "locked"
        ]

    return json.dumps(asyncio.run(play()), indent=1, ensure_ascii=False) + "\n"
