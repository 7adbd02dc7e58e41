"""Chat completions for plays, in the manner of the other protocols."""

from __future__ import annotations

import json
from typing import Any

from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.upstreams import scripted
from quitbutton.upstreams.scripted import Line
from tests.play import Ear


class ChatCompletions:
    """How this protocol looks from outside."""

    adapter = OpenAIChat()
    stop, tool_stop = "stop", "tool_calls"

    def request(self, history: list[tuple[str, str]], **members: Any) -> dict[str, Any]:
        return {"model": "m", "messages": [{"role": role, "content": text} for role, text in history], **members}

    def reply(self, line: Line, number: int | str, streams: bool) -> bytes:
        return scripted._stream(line) if streams else scripted._whole(line)

    def text(self, ear: Ear) -> str:
        return ear.text

    def calls(self, ear: Ear) -> list[tuple[str, Any]]:
        calls: dict[int, tuple[str, str]] = {}
        for place, call in enumerate(ear.calls):
            index, function = call.get("index", place), call["function"]
            name, arguments = calls.get(index, ("", ""))
            calls[index] = (name + (function.get("name") or ""), arguments + (function.get("arguments") or ""))
        assert sorted(calls) == list(range(len(calls))), "calls are numbered without a gap"
        return [(name, json.loads(arguments)) for name, arguments in calls.values()]

    def finish(self, ear: Ear) -> str | None:
        return ear.finish

    def note(self, ear: Ear) -> dict[str, Any]:
        return ear.note

    def tool_names(self, sent: dict[str, Any]) -> list[str]:
        return [tool["function"]["name"] for tool in sent.get("tools") or ()]

    def tool(self, name: str) -> dict[str, Any]:
        return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}

    def answer_to_press(self, sent: dict[str, Any]) -> str:
        return json.dumps(sent["messages"][-1])
