"""Puts the chunks of a streamed chat completion together into a whole one."""

from __future__ import annotations

import json
from typing import Any


class Assembly:
    """Takes in chunks as JSON texts; `whole()` is the chat completion they amount to."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {}
        self._message: dict[str, Any] = {"role": "assistant", "content": ""}
        self._calls: dict[int, dict[str, Any]] = {}
        self._logprobs: list[Any] = []
        self._finish: str | None = None

    def add(self, text: str) -> None:
        """One chunk."""
        chunk = json.loads(text)
        self._head |= {name: value for name, value in chunk.items() if name not in ("choices", "object") and value}
        for choice in chunk.get("choices", ()):
            delta = choice.get("delta") or {}
            self._message["content"] += delta.get("content") or ""
            self._finish = choice.get("finish_reason") or self._finish
            self._logprobs += (choice.get("logprobs") or {}).get("content") or []
            for call in delta.get("tool_calls") or ():
                self._add_call(call)

    def _add_call(self, call: dict[str, Any]) -> None:
        known = self._calls.setdefault(call.get("index", 0), {"type": "function", "function": {}})
        known |= {name: value for name, value in call.items() if name in ("id", "type") and value}
        for name, value in (call.get("function") or {}).items():
            known["function"][name] = known["function"].get(name, "") + (value or "")

    def whole(self) -> dict[str, Any]:
        """The chat completion."""
        message = dict(self._message)
        if self._calls:
            message["tool_calls"] = [call for _, call in sorted(self._calls.items())]
            message["content"] = message["content"] or None
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": self._finish or "stop"}
        if self._logprobs:
            choice["logprobs"] = {"content": self._logprobs}
        return {**self._head, "object": "chat.completion", "choices": [choice]}
