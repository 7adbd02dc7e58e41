"""Anthropic Messages: reads replies, streamed and whole."""

from __future__ import annotations

from typing import Any

import msgspec

from quitbutton.adapters.held import HeldBytes
from quitbutton.adapters.splice import encode
from quitbutton.adapters.sse import Frames, data_of
from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.messages import CallDelta, Piece, Usage

OVER = "end_turn"
"""Why a turn ended that ended by itself."""


class _Delta(msgspec.Struct):
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    stop_reason: str | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    delta: _Delta | None = None
    content_block: dict[str, Any] | None = None
    message: dict[str, Any] | None = None
    usage: _Usage | None = None
    error: Any = None


_event = msgspec.json.Decoder(_Event)


def _error_of(error: Any) -> str:
    return str(error.get("message") if isinstance(error, dict) else error)


class StreamReader:
    """Bytes of an event stream, cut anywhere, become pieces."""

    streams = True
    id = ""

    def __init__(self) -> None:
        self._frames = Frames()
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, list[str]] = {}

    @property
    def items(self) -> tuple[bytes, ...]:
        """The reply's blocks, as a second call needs them: thinking with its signature, words, calls."""
        blocks = []
        for index, block in sorted(self._blocks.items()):
            if block.get("type") == "text" and not str(block.get("text", "")).strip():
                continue
            if index in self._inputs:
                block["input"] = _input_of("".join(self._inputs[index])) or block.get("input") or {}
            blocks.append(encode(block))
        return tuple(blocks)

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that are whole now."""
        return [self._read(frame) for frame in self._frames.feed(chunk)]

    def close(self) -> list[Piece]:
        """What is left when the upstream has closed."""
        rest = self._frames.rest()
        return [self._read(rest)] if rest.strip() else []

    def _read(self, frame: bytes) -> Piece:
        try:
            event = _event.decode(data_of(frame))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Piece(frame)
        match event.type:
            case "content_block_start":
                return self._start(frame, event)
            case "content_block_delta":
                return self._delta(frame, event)
            case "content_block_stop":
                is_call = event.index in self._inputs
                calls = (CallDelta(event.index),) if is_call else ()
                return Piece(frame, calls=calls, parts_text=not is_call)
            case "message_delta":
                finish = event.delta.stop_reason if event.delta else None
                return Piece(frame, finish=finish, usage=_usage_of(event.usage), parts_text=True)
            case "message_stop":
                return Piece(frame, done=True)
            case "error":
                return Piece(frame, error=_error_of(event.error))
        return Piece(frame)

    def _start(self, frame: bytes, event: _Event) -> Piece:
        block = event.content_block or {}
        self._blocks[event.index] = dict(block)
        if block.get("type") != "tool_use":
            text = block.get("text")
            return Piece(frame, text=text if isinstance(text, str) else "", parts_text=True)
        self._inputs[event.index] = []
        given = block.get("input")
        arguments = encode(given).decode() if given else ""
        call = CallDelta(event.index, str(block.get("id", "")), str(block.get("name", "")), arguments, named=True)
        return Piece(frame, calls=(call,), parts_text=True)

    def _delta(self, frame: bytes, event: _Event) -> Piece:
        delta, block = event.delta or _Delta(), self._blocks.get(event.index, {})
        for name in ("text", "thinking", "signature"):
            if (more := getattr(delta, name)) is not None:
                block[name] = str(block.get(name) or "") + more
        if event.index in self._inputs:
            more = delta.partial_json or ""
            self._inputs[event.index].append(more)
            return Piece(frame, calls=(CallDelta(event.index, arguments=more, named=True),))
        return Piece(frame, text=delta.text or "")


def _input_of(text: str) -> Any:
    try:
        return msgspec.json.decode(text) if text else {}
    except (msgspec.DecodeError, RecursionError):
        return {}


def _usage_of(usage: _Usage | None) -> Usage | None:
    if usage is None or usage.output_tokens is None:
        return None
    return Usage(usage.input_tokens or 0, usage.output_tokens)


class _Whole(msgspec.Struct):
    content: list[msgspec.Raw] | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None
    error: Any = None


_whole = msgspec.json.Decoder(_Whole)


class WholeReader(HeldBytes):
    """A whole reply is a stream of one piece."""

    def close(self) -> list[Piece]:
        """The reply. Raises `UpstreamFailed` when it is no message."""
        raw = self._body()
        try:
            body = _whole.decode(raw)
            blocks: list[dict[str, Any]] = [msgspec.json.decode(block) for block in body.content or ()]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UpstreamFailed("The model's reply is not a message, or it broke off. Try again.") from error
        if body.error:
            return [Piece(raw, error=_error_of(body.error))]
        if body.content is None:
            raise UpstreamFailed("The model's reply is not a message, or it broke off. Try again.")
        self.items = tuple(
            bytes(item)
            for item, block in zip(body.content, blocks, strict=True)
            if block.get("type") != "text" or str(block.get("text", "")).strip()
        )
        calls = tuple(
            CallDelta(
                place, str(block.get("id", "")), str(block.get("name", "")), encode(block.get("input") or {}).decode()
            )
            for place, block in enumerate(blocks)
            if block.get("type") == "tool_use"
        )
        finish = body.stop_reason or OVER
        return [Piece(raw, _text_of(blocks), calls, finish, _usage_of(body.usage))]


def _text_of(blocks: list[dict[str, Any]]) -> str:
    return "".join(str(block.get("text") or "") for block in blocks if block.get("type") == "text")
