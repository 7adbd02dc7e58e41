"""Chat completions for plays, beside the other two protocols."""

from __future__ import annotations

import json
from typing import Any

from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.upstreams.scripted import Line, _stream, _whole
from tests.play import Ear


class Chat:
    """How this protocol looks from outside."""

    adapter = OpenAIChat()

    def request(self, history: list[tuple[str, str]], **members: Any) -> dict[str, Any]:
        return {"model": "m", "messages": [{"role": role, "content": text} for role, text in history], **members}

    def reply(self, line: Line, number: int, streams: bool) -> bytes:
        return _stream(line) if streams else _whole(line)

    def text(self, ear: Ear) -> str:
        return ear.text

    def note(self, ear: Ear) -> dict[str, Any]:
        return ear.note

    def answer_to_press(self, sent: dict[str, Any]) -> str:
        return json.dumps(sent["messages"][-1])
