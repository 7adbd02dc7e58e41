"""OpenAI Responses: what both writers need: a response brought back to what the client asked for, messages of ours."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from quitbutton.adapters.splice import fields_of
from quitbutton.core.messages import ChatRequest, Usage
from quitbutton.core.tools.model_tool import ModelTool

BREAK = "\n\n"
"""Between the words of two speakers, or of two calls, in one reply."""
COMPLETED: dict[str, Any] = {"status": "completed", "incomplete_details": None}
ECHOED = ("model", "instructions", "metadata", "tools", "previous_response_id")


class Restored:
    """Brings an upstream's response back to what the client asked for: its own tools, instructions and ids."""

    def __init__(self, request: ChatRequest, offered: Sequence[ModelTool[object]]) -> None:
        self._ours = tuple(tool.name for tool in offered)
        fields = fields_of(request.raw)
        self._asked: dict[str, Any] = {name: msgspec.json.decode(fields[name]) for name in ECHOED if name in fields}
        self.id = ""

    def fresh(self) -> dict[str, Any]:
        """A response of ours."""
        self.id = self.id or f"resp_{secrets.token_hex(24)}"
        usage = {
            "input_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 0,
        }
        return {
            "id": self.id,
            "object": "response",
            "created_at": int(time.time()),
            "error": None,
            "instructions": None,
            "metadata": {},
            "output": [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "temperature": None,
            "tool_choice": "auto",
            "tools": [],
            "top_p": None,
            "usage": usage,
            **COMPLETED,
            **self._asked,
        }

    def changes(self, response: dict[str, Any]) -> dict[str, Any]:
        """The members of an upstream's response that the client must see otherwise, with their values."""
        self.id = self.id or str(response.get("id") or "")
        wanted: dict[str, Any] = {"id": self.id}
        for name in ("previous_response_id", "instructions"):
            if response.get(name) is not None:
                wanted[name] = self._asked.get(name)
        tools = response.get("tools") or ()
        if any(_is_named(tool, self._ours) for tool in tools):
            wanted["tools"] = [tool for tool in tools if not _is_named(tool, self._ours)]
        return {name: value for name, value in wanted.items() if response.get(name) != value}


def _is_named(item: object, names: tuple[str, ...]) -> bool:
    """True for a tool or call with one of these names."""
    return isinstance(item, dict) and item.get("name") in names


def summed(usage: Any, earlier: list[Usage]) -> Any:
    """The usage of all upstream calls of a turn: the client pays for each."""
    if not earlier or not isinstance(usage, dict):
        return usage
    prompt = (usage.get("input_tokens") or 0) + sum(one.prompt for one in earlier)
    completion = (usage.get("output_tokens") or 0) + sum(one.completion for one in earlier)
    return {**usage, "input_tokens": prompt, "output_tokens": completion, "total_tokens": prompt + completion}


def message_of(words: str) -> dict[str, Any]:
    """A message of ours."""
    return {
        "id": f"msg_{secrets.token_hex(24)}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [part_of(words)],
    }


def part_of(words: str) -> dict[str, Any]:
    """A part with words."""
    return {"type": "output_text", "text": words, "annotations": []}


def name_of(part: dict[str, Any]) -> str:
    """The member of a part that holds its words."""
    return "refusal" if part.get("type") == "refusal" else "text"


def is_message(item: dict[str, Any]) -> bool:
    """True for an item that holds words for the user."""
    return item.get("type") == "message"


def put_words(holder: dict[str, Any], name: str, words: str) -> bool:
    """Set the words of an event or part; whether they were others."""
    changed = bool((holder.get(name) or "") != words)
    holder[name] = words
    return changed


def without_calls(raw: bytes, reply_id: str, tools: Sequence[ModelTool[object]]) -> bytes:
    """A response as its provider keeps it, without our calls and tools, under the id that the client knows."""
    names = tuple(tool.name for tool in tools)
    try:
        response = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw
    has_ours = any(name.encode() in raw for name in names)
    if not isinstance(response, dict) or (not has_ours and response.get("id") in (None, reply_id)):
        return raw
    changes: dict[str, Any] = {"id": reply_id} if "id" in response else {}
    for name in ("output", "tools", "data"):
        if isinstance(response.get(name), list):
            changes[name] = [one for one in response[name] if not _is_named(one, names)]
    return msgspec.json.encode({**response, **changes})
