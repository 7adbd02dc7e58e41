"""Scripted models as async callables, and a chat with a guard."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from quitbutton import Answer, Guard
from quitbutton.upstreams.scripted import Line, _whole, press

Request = dict[str, Any]


def says(text: str) -> Line:
    return Line(text)


def offered(request: Request) -> bool:
    """True when the button is among the request's tools."""
    return any(tool["function"]["name"] == "end_conversation" for tool in request.get("tools") or ())


def presses(request: Request) -> Line:
    """A model that presses whenever it can."""
    return press() if offered(request) else says("Let us talk about something else.")


class Scripted:
    """An async callable that answers by a function of the request; `seen` is what it was asked."""

    def __init__(self, script: Callable[[Request], Line] = presses) -> None:
        self.script = script
        self.seen: list[Request] = []

    async def __call__(self, request: Request) -> dict[str, Any]:
        self.seen.append(request)
        whole: dict[str, Any] = json.loads(_whole(self.script(request)))
        return whole


class Chat:
    """One conversation with a guard, whole or streamed."""

    def __init__(
        self, guard: Guard, streams: bool = False, history: list[Any] | None = None, **names: str | None
    ) -> None:
        self.guard, self.streams = guard, streams
        self.history = list(history or ())
        self.names = {"conversation": "chat-1", "end_user": "user-1", **names}
        self.last: Answer

    async def says(self, text: str, **more: Any) -> Answer:
        self.history.append({"role": "user", "content": text})
        given = {**self.names, **more}
        if self.streams:
            async with self.guard.stream(self.history, **given) as stream:
                heard = "".join([part async for part in stream])
            self.last = stream.answer
            assert self.last.text == heard
        else:
            self.last = await self.guard.chat(self.history, **given)
        self.history.append({"role": "assistant", "content": self.last.text})
        return self.last

    async def climbs(self, turns: int) -> Answer:
        for turn in range(turns):
            await self.says(f"[abuse] {turn}")
        return self.last


def calls(answer: Answer) -> list[tuple[str, Any]]:
    return [(one["function"]["name"], json.loads(one["function"]["arguments"])) for one in answer.tool_calls]
