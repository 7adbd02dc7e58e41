"""Clients that wait for JSON or a forced tool call, and a model that fills it in."""

from __future__ import annotations

import json
from typing import Any

from quitbutton.upstreams.scripted import Line
from tests.play import say
from tests.protocols.anthropic import Anthropic
from tests.protocols.chat import ChatCompletions
from tests.protocols.play import ProtocolPlay
from tests.protocols.responses import Responses

SCHEMA = {"type": "object"}
JSON = '{"name": "Ada"}'
FORMED = Line(JSON)
CALLED = Line("", (("answer", {"name": "Ada"}),))


def form_of(protocol: Any, form: str) -> dict[str, Any]:
    """What Instructor, `parse` and smolagents send: a JSON schema, or one tool that must be called."""
    tools: dict[str, Any] = {"tools": [protocol.tool("answer")]}
    match protocol, form:
        case ChatCompletions(), "json":
            return {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}}
        case Responses(), "json":
            return {"text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}}
        case Anthropic(), "json":
            return {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
        case Anthropic(), _:
            return {**tools, "tool_choice": {"type": "any"}}
        case _:
            return {**tools, "tool_choice": "required"}


class Formed(ProtocolPlay):
    """A play whose client always asks for a form; its model fills it in, and answers our question with `answer`."""

    def __init__(self, protocol: Any, form: str, stream: bool = False, answer: str = "LEAVE", **more: Any) -> None:
        self.members, self.answer = form_of(protocol, form), answer
        self.line = FORMED if form == "json" else CALLED
        super().__init__(protocol, [], stream=stream, **more)

    def _line(self, sent: dict[str, Any]) -> Line:
        line = say(self.answer) if is_question(sent) else self.line
        return Line(raw=self.protocol.reply(line, len(self.upstream.sent), bool(sent.get("stream"))))

    async def asks(self, text: str) -> Any:
        return await self.talks(text, **self.members)

    @property
    def questions(self) -> int:
        return sum(map(is_question, self.upstream.sent))


def is_question(sent: dict[str, Any]) -> bool:
    return "would you rather" in json.dumps(sent)


def is_intact(play: Formed, ear: Any) -> bool:
    """The reply is the model's own, to the letter."""
    if play.line is FORMED:
        return bool(play.protocol.text(ear) == JSON)
    if isinstance(play.protocol, ChatCompletions):
        names = [call["function"].get("name") for call in ear.calls]
        return names[0] == "answer" and not play.protocol.text(ear)
    return bool(play.protocol.calls(ear) == [("answer", {"name": "Ada"})] and not play.protocol.text(ear))


def error_of(ear: Any) -> dict[str, Any]:
    return ear.whole["error"]
