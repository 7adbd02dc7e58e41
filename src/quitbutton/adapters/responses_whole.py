"""OpenAI Responses: writes whole replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from quitbutton.adapters.held import HeldReply
from quitbutton.adapters.responses_parts import BREAK, COMPLETED, Restored, is_message, message_of, name_of, summed
from quitbutton.adapters.splice import encode, fields_of, joined, with_member
from quitbutton.core.messages import ChatRequest
from quitbutton.core.tools.model_tool import ModelTool


class WholeWriter(HeldReply):
    """Writes a whole reply; what we did not change keeps its bytes."""

    def __init__(self, request: ChatRequest, offered: Sequence[ModelTool[object]]) -> None:
        super().__init__()
        self._base = Restored(request, offered)
        self._items: list[dict[str, Any]] = []

    @property
    def reply_id(self) -> str:
        """The id of the reply, as the client sees it."""
        if not self._base.id and self._raw:
            self._base.changes(msgspec.json.decode(self._raw))
        elif not self._base.id:
            self._base.fresh()
        return self._base.id

    def _take_in(self) -> None:
        """The items of the call that is over join those that the client gets."""
        if not self._passages:
            return
        drop, cut = self._cuts()
        needs_break = self._said
        output = msgspec.json.decode(self._raw).get("output") or []
        for item in (item for place, item in enumerate(output) if place not in drop):
            for part in item.get("content") or () if is_message(item) else ():
                name = name_of(part)
                if cut is not None:  # the first words carry what is left of all of them
                    part[name], cut = cut, ""
                if part.get(name) and needs_break:
                    part[name], needs_break = BREAK + part[name], False
                self._said = self._said or bool(part.get(name))
            self._items.append(item)
        self._passages = []

    def say(self, text: str) -> bytes:
        """Add words of ours."""
        if text:
            self._take_in()
            self._items.append(message_of(BREAK + text if self._said else text))
            self._said = self._changed = True
        return b""

    def resume(self) -> bytes:
        """Another upstream call follows in the same reply, which keeps the id of the first."""
        _ = self.reply_id
        self._take_in()
        self._changed = True
        return b""

    def close(self, finish: str | None, note: dict[str, object] | None) -> bytes:
        """The reply's body."""
        changes = self._changes() if self._raw else {**self._base.fresh(), "output": self._items}
        if finish is not None:
            changes |= COMPLETED
        raw = self._raw or b"{}"
        if changes:
            edits = {name: msgspec.Raw(encode(value)) for name, value in changes.items()}
            raw = joined({**fields_of(raw), **edits})
        return raw if note is None else with_member(raw, "quitbutton", note)

    def _changes(self) -> dict[str, Any]:
        response = msgspec.json.decode(self._raw)
        changes = self._base.changes(response)
        if self._changed:
            self._take_in()
            changes |= {"output": self._items, "usage": summed(response.get("usage"), self._usage[:-1])}
        return changes
