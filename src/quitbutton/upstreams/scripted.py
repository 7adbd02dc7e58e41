"""Replays a script: for tests, demonstrations and `simulate`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.tools.end_conversation import BUTTON
from quitbutton.interfaces import Headers


@dataclass(frozen=True, slots=True)
class Line:
    """One scripted reply: words, calls of tools as (name, arguments), or an error with its status."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, object]], ...] = ()
    status: int = 200
    breaks_after: int | None = None
    """Break off after so many chunks."""
    delay: float = 0.0
    """Seconds before each chunk."""
    raw: bytes | None = None
    """Send these bytes instead."""


def press(reason: str = "abuse", text: str = "", explanation: str = "It is enough.") -> Line:
    """A reply in which the model presses the button."""
    return Line(text, ((BUTTON.name, {"reason": reason, "explanation": explanation}),))


@dataclass(slots=True)
class ScriptedExchange:
    """A scripted answer under way."""

    status: int
    headers: Headers
    body: list[bytes]
    delay: float
    breaks_after: int | None

    async def chunks(self) -> AsyncIterator[bytes]:
        """The scripted chunks."""
        for place, chunk in enumerate(self.body):
            if self.delay:
                await asyncio.sleep(self.delay)
            if place == self.breaks_after:
                raise UpstreamFailed("The model broke off its reply. Try again.")
            yield chunk


@dataclass(slots=True)
class ScriptedUpstream:
    """Answers with its lines in order; `sent` is what it was asked. `cut` splits the bytes of each reply."""

    lines: Sequence[Line] | Callable[[dict[str, Any]], Line]
    cut: Callable[[bytes], list[bytes]] = lambda data: [data]
    sent: list[dict[str, Any]] = field(default_factory=list)
    max_tokens: int | None = None
    aborted: int = 0

    @asynccontextmanager
    async def send(self, method: str, path: str, headers: Headers, body: bytes) -> AsyncIterator[ScriptedExchange]:
        """Answer with the next line."""
        request = json.loads(body) if body else {}
        self.sent.append(request)
        if callable(self.lines):
            line = self.lines(request)
        elif len(self.sent) <= len(self.lines):
            line = self.lines[len(self.sent) - 1]
        else:
            raise UpstreamFailed("The script has no more lines.")
        streams = bool(request.get("stream")) and line.status == 200
        data = line.raw if line.raw is not None else (_stream(line) if streams else _whole(line))
        kind = "text/event-stream" if streams else "application/json"
        finished = False
        try:
            yield ScriptedExchange(line.status, [("content-type", kind)], self.cut(data), line.delay, line.breaks_after)
            finished = True
        finally:
            self.aborted += not finished

    async def close(self) -> None:
        """Nothing to let go of."""


def _calls(line: Line) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = [
        {
            "index": place,
            "id": f"call_{place}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for place, (name, arguments) in enumerate(line.calls)
    ]
    return calls


def _whole(line: Line) -> bytes:
    if line.status != 200:
        return json.dumps({"error": {"message": line.text, "type": "server_error", "code": None}}).encode()
    message: dict[str, Any] = {"role": "assistant", "content": line.text or None}
    if line.calls:
        message["tool_calls"] = [{k: v for k, v in call.items() if k != "index"} for call in _calls(line)]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if line.calls else "stop"}
    return json.dumps({**_HEAD, "object": "chat.completion", "choices": [choice], "usage": _USAGE}).encode()


def _stream(line: Line) -> bytes:
    deltas: list[Any] = [{"role": "assistant", "content": ""}]
    words = line.text.split(" ") if line.text else []
    deltas += [{"content": word if place == 0 else f" {word}"} for place, word in enumerate(words)]
    for call in _calls(line):
        arguments = call["function"]["arguments"]
        half = len(arguments) // 2
        deltas.append({"tool_calls": [{**call, "function": {**call["function"], "arguments": ""}}]})
        for part in (arguments[:half], arguments[half:]):
            deltas.append({"tool_calls": [{"index": call["index"], "function": {"arguments": part}}]})
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": "tool_calls" if line.calls else "stop"})
    frames = [{**_HEAD, "object": "chat.completion.chunk", "choices": [choice]} for choice in choices]
    return b"".join(f"data: {json.dumps(frame)}\n\n".encode() for frame in frames) + b"data: [DONE]\n\n"


_HEAD: dict[str, Any] = {"id": "chatcmpl-script", "created": 1, "model": "scripted"}
_USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
