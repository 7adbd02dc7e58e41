"""OpenAI Responses: writes event streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from quitbutton.adapters.responses_parts import (
    BREAK,
    COMPLETED,
    Restored,
    is_message,
    message_of,
    name_of,
    part_of,
    put_words,
    summed,
)
from quitbutton.adapters.responses_reader import OVER, WORDS, Places
from quitbutton.adapters.splice import encode
from quitbutton.adapters.sse import LF, data_of, frame_of, line_end_of
from quitbutton.core.messages import ChatRequest, Usage
from quitbutton.core.tools.model_tool import ModelTool
from quitbutton.core.tools.watcher import Passage

WHOLE_WORDS = {"response.output_text.done": "text", "response.refusal.done": "refusal"}
IN_PART = (*WORDS, *WHOLE_WORDS, "response.content_part.added", "response.content_part.done")
ADDED, DONE = "response.output_item.added", "response.output_item.done"
PART_DONE = "response.content_part.done"


class StreamWriter:
    """Writes an event stream. Its end waits until the turn is settled, so that it can carry the outcome.

    Items and events are numbered anew as they leave: ours are missing, and a second call's go on where the first's ended.
    """

    streams = True
    content_type = "text/event-stream; charset=utf-8"

    def __init__(self, request: ChatRequest, offered: Sequence[ModelTool[object]]) -> None:
        self._base = Restored(request, offered)
        self._end = LF
        """How the upstream's lines end, and so ours."""
        self._began = False
        self._resumed = False
        self._number = 0
        self._indices = Places()
        self._places: dict[int, int] = {}
        """The client's index of each item of this call."""
        self._output: list[dict[str, Any]] = []
        """The items as the client got them, by its index."""
        self._words: dict[tuple[int, int], str] = {}
        """What was said in each part of each item."""
        self._altered: set[tuple[int, int]] = set()
        """Parts whose words are not those that came."""
        self._open: dict[int, dict[str, Any]] = {}
        """Messages that are not closed yet."""
        self._last = b""
        """The event that ends the upstream's stream."""
        self._counted: Usage | None = None
        self._usage: list[Usage] = []
        self._needs_break = False

    @property
    def reply_id(self) -> str:
        """The id of the reply, as the client sees it."""
        if not self._base.id:
            self._base.fresh()
        return self._base.id

    def pass_on(self, passage: Passage) -> bytes:
        """The bytes of a passage; empty while it waits for the end."""
        if passage.piece.done:
            self._last, self._counted = passage.piece.raw, passage.piece.usage
            return b""
        data = data_of(passage.piece.raw)
        if not data.startswith(b"{"):
            return passage.piece.raw
        body = msgspec.json.decode(data)
        if "response" in body and self._resumed and self._began:
            return b""  # the beginning of a second call
        if "response" in body:
            self._began, self._end = True, line_end_of(passage.piece.raw)
            changes = self._base.changes(body["response"])
            body["response"] |= changes
            return self._sent(passage, body, bool(changes))
        item_id = (body.get("item") or {}).get("id") or body.get("item_id") or ""
        index = self._indices.of(body.get("output_index"), item_id)
        return self._sent(passage, body, changed=False) if index is None else self._in_item(passage, body, index)

    def _in_item(self, passage: Passage, body: dict[str, Any], index: int) -> bytes:
        if body["type"] == ADDED:
            self._places[index] = len(self._output)
            self._output.append(body["item"])
        before, body["output_index"] = body.get("output_index"), self._places.get(index, index)
        if body["type"] in IN_PART:
            body.setdefault("content_index", 0)
        changed = self._retouched(passage, body)
        return self._sent(passage, body, changed or body["output_index"] != before)

    def _retouched(self, passage: Passage, body: dict[str, Any]) -> bool:
        """Cut words, and the break before the first ones of a second call; whether the event was changed."""
        kind, place = body["type"], body["output_index"]
        key = (place, body.get("content_index", 0))
        if kind in WORDS:
            text = passage.piece.text if passage.text is None else passage.text
            if text and self._needs_break:
                text, self._needs_break = BREAK + text, False
            self._words[key] = self._words.get(key, "") + text
            is_altered = put_words(body, "delta", text)
            self._altered |= {key} if is_altered else set()
            return is_altered
        if kind in WHOLE_WORDS:
            return self._summed_up(key, body, WHOLE_WORDS[kind])
        if kind == PART_DONE and name_of(body["part"]) in body["part"]:
            return self._part(place, key[1], body["part"])
        if kind == ADDED and is_message(body["item"]):
            self._open[place] = body["item"]
        if kind == DONE:
            self._open.pop(place, None)
            self._output[place : place + 1] = [body["item"]]
            parts = body["item"].get("content") or () if is_message(body["item"]) else ()
            changes = [self._part(place, number, part) for number, part in enumerate(parts)]
            return any(changes)
        return False

    def _part(self, place: int, number: int, part: dict[str, Any]) -> bool:
        """A whole part: where words of it passed one by one, it says what they said."""
        key = (place, number)
        return key in self._words and self._summed_up(key, part, name_of(part))

    def _summed_up(self, key: tuple[int, int], holder: dict[str, Any], name: str) -> bool:
        """The words of a part as a whole: the upstream's own where they passed as they came, but for white space around them.

        Words that were cut may not have come here at all: hence the comparison.
        """
        # Where all words were a press and none passed, the part and the item that follow must not bring them.
        words, given = self._words.setdefault(key, ""), holder.get(name)
        if key not in self._altered and isinstance(given, str) and given.strip() == words.strip():
            return False
        return put_words(holder, name, words)

    def _sent(self, passage: Passage, body: dict[str, Any], changed: bool) -> bytes:
        if changed or body.get("sequence_number") != self._number:
            return self._put(body)
        self._number += 1
        return passage.piece.raw

    def _put(self, body: dict[str, Any]) -> bytes:
        body = {**body, "sequence_number": self._number}
        self._number += 1
        return frame_of(encode(body), self._end, body["type"])

    def say(self, text: str) -> bytes:
        """A message of ours."""
        if not text:
            return b""
        before = self._begin() + self._closed()
        item, place = message_of(BREAK + text if any(self._words.values()) else text), len(self._output)
        part = item["content"][0]
        self._output.append(item)
        at = {"item_id": item["id"], "output_index": place, "content_index": 0}
        empty = {**item, "status": "in_progress", "content": []}
        begin = [
            {"type": ADDED, "output_index": place, "item": empty},
            {"type": "response.content_part.added", **at, "part": part_of("")},
            {"type": "response.output_text.delta", **at, "delta": part["text"], "logprobs": []},
        ]
        self._words[place, 0] = part["text"]
        self._open[place] = item
        return before + b"".join(map(self._put, begin)) + self._closed()

    def _begin(self) -> bytes:
        if self._began:
            return b""
        self._began = True
        response = {**self._base.fresh(), "status": "in_progress", "usage": None}
        kinds = ("response.created", "response.in_progress")
        return b"".join(self._put({"type": kind, "response": response}) for kind in kinds)

    def _closed(self) -> bytes:
        """The end of messages that are open."""
        out: list[bytes] = []
        for place, item in self._open.items():
            words = self._words.get((place, 0), "")
            at = {"item_id": item.get("id"), "output_index": place, "content_index": 0}
            whole = {**item, "status": "completed", "content": [part_of(words)]}
            self._output[place] = whole
            out.append(self._put({"type": "response.output_text.done", **at, "text": words, "logprobs": []}))
            out.append(self._put({"type": PART_DONE, **at, "part": part_of(words)}))
            out.append(self._put({"type": DONE, "output_index": place, "item": whole}))
        self._open = {}
        return b"".join(out)

    def resume(self) -> bytes:
        """Another upstream call follows in the same reply: the end of the first is not the end."""
        self._usage += [self._counted] if self._counted else []
        self._last, self._counted, self._places, self._indices = b"", None, {}, Places()
        self._resumed = True
        self._needs_break = any(self._words.values())
        return self._closed()

    def close(self, finish: str | None, note: dict[str, object] | None) -> bytes:
        """The last event: the upstream's own, with our note and what was changed on the way."""
        before = self._begin() + self._closed()
        more = {} if note is None else {"quitbutton": note}
        if not self._last:
            response = {**self._base.fresh(), "output": self._output, **more}
            return before + self._put({"type": "response.completed", "response": response, **more})
        event = msgspec.json.decode(data_of(self._last))
        response = event["response"]
        changes = self._base.changes(response)
        if not _agree(response.get("output") or [], self._output):
            changes["output"] = self._output
        if self._usage:
            changes["usage"] = summed(response.get("usage"), self._usage)
        if finish is not None:
            changes |= COMPLETED
            event["type"] = "response.completed"
        if not changes and not more and event.get("sequence_number") == self._number:
            return before + self._last
        kind = event["type"] if event["type"] in OVER else "response.completed"
        return before + self._put({**event, "type": kind, "response": {**response, **changes, **more}, **more})


def _agree(output: list[dict[str, Any]], sent: list[dict[str, Any]]) -> bool:
    """True where the upstream's response lists the items that the client got, with the same words."""
    pairs = zip(output, sent, strict=False)
    return len(output) == len(sent) and all(
        one.get("id") == other.get("id") and _said(one) == _said(other) for one, other in pairs
    )


def _said(item: dict[str, Any]) -> list[Any]:
    return [part.get(name_of(part)) for part in item.get("content") or ()] if is_message(item) else []
