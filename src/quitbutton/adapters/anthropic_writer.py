"""Anthropic Messages: writes replies for the client, streamed and whole."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from quitbutton.adapters.anthropic_reader import OVER
from quitbutton.adapters.held import HeldReply
from quitbutton.adapters.splice import encode, with_member
from quitbutton.adapters.sse import LF, data_of, frame_of, line_end_of
from quitbutton.core.messages import Piece
from quitbutton.core.tools.watcher import Passage

BREAK = "\n\n"
"""Between the words of two speakers, or of two calls, in one reply."""


def _fresh(model: str) -> dict[str, Any]:
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


class StreamWriter:
    """Writes an event stream. Its end waits until the turn is settled, so that it can carry the outcome.

    Blocks are numbered anew as they leave: ours are missing, and a second call's go on where the first's ended.
    """

    streams = True
    content_type = "text/event-stream; charset=utf-8"
    reply_id = ""

    def __init__(self, model: str) -> None:
        self._model = model
        self._end = LF
        """How the upstream's lines end, and so ours."""
        self._began = False
        self._places: dict[int, int] = {}
        """The client's index of each block of this call."""
        self._next = 0
        self._open: int | None = None
        """The client's index of the block that is not closed yet."""
        self._tail: list[Passage] = []
        self._output = 0
        self._said = False
        self._needs_break = False
        self._resumed = False

    def _event(self, kind: str, body: dict[str, Any]) -> bytes:
        return frame_of(encode({"type": kind, **body}), self._end, kind)

    def pass_on(self, passage: Passage) -> bytes:
        """The bytes of a passage; empty while it waits for the end."""
        piece = passage.piece
        if piece.finish or piece.done or (self._tail and not piece.text):
            self._tail.append(passage)
            return b""
        data = data_of(piece.raw)
        if not data.startswith(b"{"):
            return piece.raw
        return self._bytes(passage, msgspec.json.decode(data))

    def _bytes(self, passage: Passage, body: dict[str, Any]) -> bytes:
        kind = body.get("type")
        if kind == "message_start":
            is_first, self._began = not self._began, True
            self._end = line_end_of(passage.piece.raw)
            return passage.piece.raw if is_first else b""
        if "index" not in body:
            return passage.piece.raw
        if kind == "content_block_start":
            self._places[body["index"]] = self._next
            self._open = self._next
            self._next += 1
        place = self._places.get(body["index"], body["index"])
        self._open = None if kind == "content_block_stop" else self._open
        changed = self._retouched(passage, body) or place != body["index"]
        return self._event(str(kind), {**body, "index": place}) if changed else passage.piece.raw

    def _retouched(self, passage: Passage, body: dict[str, Any]) -> bool:
        """Cut text, and the break before the first words of a second call; whether the body was changed."""
        holder = body.get("delta") or body.get("content_block") or {}
        text, changed = passage.piece.text, False
        if passage.text is not None:
            text = holder["text"] = passage.text
            changed = True
        if text:
            if self._needs_break:
                holder["text"], changed = BREAK + text, True
            self._said, self._needs_break = True, False
        return changed

    def say(self, text: str) -> bytes:
        """A block with words of ours."""
        if not text:
            return b""
        words = BREAK + text if self._said else text
        self._said = True
        block = {"type": "text", "text": ""}
        index = self._next
        self._next += 1
        return (
            self._begun()
            + self._closed()
            + self._event("content_block_start", {"index": index, "content_block": block})
            + self._event("content_block_delta", {"index": index, "delta": {"type": "text_delta", "text": words}})
            + self._event("content_block_stop", {"index": index})
        )

    def _begun(self) -> bytes:
        if self._began:
            return b""
        self._began = True
        return self._event("message_start", {"message": _fresh(self._model)})

    def _closed(self) -> bytes:
        """The end of a block that broke off."""
        index, self._open = self._open, None
        return b"" if index is None else self._event("content_block_stop", {"index": index})

    def resume(self) -> bytes:
        """Another upstream call follows in the same reply: the end of the first is not the end."""
        self._output += sum(one.piece.usage.completion for one in self._tail if one.piece.usage)
        self._tail, self._places = [], {}
        self._resumed, self._needs_break = True, self._said
        return self._closed()

    def close(self, finish: str | None, note: dict[str, object] | None) -> bytes:
        """The last events: the upstream's own, with `end_turn` where the reason to stop is ours, and our note."""
        out = [self._begun(), self._closed()]
        told = False
        for passage in self._tail:
            piece = passage.piece
            if piece.finish and not told:
                out.append(self._delta(piece, finish, note))
                told = True
            else:
                out.append(piece.raw)
        if not told:
            delta = {"stop_reason": OVER, "stop_sequence": None}
            body: dict[str, Any] = {"delta": delta, "usage": {"output_tokens": self._output}}
            out.insert(2, self._event("message_delta", body if note is None else {**body, "quitbutton": note}))
        if not any(passage.piece.done for passage in self._tail):
            out.append(self._event("message_stop", {}))
        return b"".join(out)

    def _delta(self, piece: Piece, finish: str | None, note: dict[str, object] | None) -> bytes:
        data = data_of(piece.raw)
        if finish is not None or self._output:
            body: dict[str, Any] = msgspec.json.decode(data)
            if finish is not None:
                body["delta"] = {**body["delta"], "stop_reason": OVER, "stop_sequence": None}
            if self._output and body.get("usage"):
                body["usage"]["output_tokens"] = (body["usage"].get("output_tokens") or 0) + self._output
            data = encode(body)
        elif note is None:
            return piece.raw
        data = data if note is None else with_member(data, "quitbutton", note)
        return frame_of(data, self._end, "message_delta")


class WholeWriter(HeldReply):
    """Writes a whole reply; an untouched one keeps its bytes but for our note."""

    reply_id = ""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model
        self._blocks: list[dict[str, Any]] = []

    def _take_in(self) -> None:
        """The blocks of the call that is over join those that the client gets."""
        if not self._passages:
            return
        drop, cut = self._cuts()
        body = msgspec.json.decode(self._raw)
        needs_break = self._said
        for place, block in enumerate(body.get("content") or ()):
            if place in drop:
                continue
            if block.get("type") == "text":
                if cut is not None:  # the first block of words carries what is left of all of them
                    block["text"], cut = cut, ""
                if not block["text"]:
                    continue
                if needs_break:
                    block["text"], needs_break = BREAK + block["text"], False
                self._said = True
            self._blocks.append(block)
        self._passages = []

    def say(self, text: str) -> bytes:
        """Add words of ours."""
        if text:
            self._take_in()
            self._blocks.append({"type": "text", "text": BREAK + text if self._said else text})
            self._said = self._changed = True
        return b""

    def resume(self) -> bytes:
        """Another upstream call follows in the same reply."""
        self._take_in()
        self._changed = True
        return b""

    def close(self, finish: str | None, note: dict[str, object] | None) -> bytes:
        """The reply's body."""
        raw = self._raw if self._raw and not self._changed and finish is None else self._rewritten(finish)
        return raw if note is None else with_member(raw, "quitbutton", note)

    def _rewritten(self, finish: str | None) -> bytes:
        self._take_in()
        body: dict[str, Any] = msgspec.json.decode(self._raw) if self._raw else _fresh(self._model)
        body["content"] = self._blocks
        if finish is not None or body.get("stop_reason") is None:
            body |= {"stop_reason": OVER, "stop_sequence": None}
        if len(self._usage) > 1 and body.get("usage"):
            earlier = self._usage[:-1]
            body["usage"]["input_tokens"] = (body["usage"].get("input_tokens") or 0) + sum(
                one.prompt for one in earlier
            )
            body["usage"]["output_tokens"] = self._usage[-1].completion + sum(one.completion for one in earlier)
        return encode(body)
