"""OpenAI Responses: reads replies, streamed and whole."""

from __future__ import annotations

from typing import Any

import msgspec

from quitbutton.adapters.held import HeldBytes
from quitbutton.adapters.splice import encode
from quitbutton.adapters.sse import Frames, data_of
from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.messages import CallDelta, Piece, Usage

OVER = ("response.completed", "response.incomplete")
"""Events that end a stream well."""
WAITING = ("queued", "in_progress")
"""States of a reply that is made in the background."""
WORDS = ("response.output_text.delta", "response.refusal.delta")
ARGUMENTS = "response.function_call_arguments."


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Response(msgspec.Struct):
    id: str = ""
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    usage: _Usage | None = None
    error: Any = None


class _Item(msgspec.Struct):
    type: str = ""
    id: str | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""


class _Event(msgspec.Struct):
    type: str = ""
    output_index: int | None = None
    item_id: str = ""
    delta: Any = None
    item: msgspec.Raw = msgspec.Raw(b"")
    response: _Response | None = None
    message: str | None = None
    error: Any = None


_event = msgspec.json.Decoder(_Event)
_item = msgspec.json.Decoder(_Item)
_response = msgspec.json.Decoder(_Response)


def _usage_of(usage: _Usage | None) -> Usage | None:
    return Usage(usage.input_tokens or 0, usage.output_tokens or 0) if usage else None


def error_of(error: Any) -> str:
    """What a provider's error says."""
    return str(error.get("message") if isinstance(error, dict) else error)


class Places:
    """The index of the item that an event belongs to; some servers name it by the item's id alone."""

    def __init__(self) -> None:
        self._by_id: dict[str, int] = {}

    def of(self, index: int | None, item_id: str) -> int | None:
        """The event's own `output_index`, else the place of its item in the order in which items came."""
        if index is not None:
            return index
        return self._by_id.setdefault(item_id, len(self._by_id)) if item_id else None


class StreamReader:
    """Bytes of an event stream, cut anywhere, become pieces."""

    streams = True

    def __init__(self) -> None:
        self.id = ""
        self._frames = Frames()
        self._places = Places()
        self._items: dict[int, bytes] = {}
        self._calls: dict[int, bool] = {}
        """The calls by index, and whether their arguments came already."""

    @property
    def items(self) -> tuple[bytes, ...]:
        """The reply's items, as a second call needs them: reasoning, words, calls."""
        return tuple(self._items[index] for index in sorted(self._items))

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
        if event.response is not None:
            return self._state(frame, event.type, event.response)
        if event.type == "error":
            return Piece(frame, error=event.message or error_of(event.error))
        if event.type in WORDS:
            return Piece(frame, text=str(event.delta or ""))
        item = _item.decode(event.item) if event.item else _Item()
        index = self._places.of(event.output_index, item.id or event.item_id)
        if index is None:
            return Piece(frame)
        if event.type == "response.output_item.added":
            return self._added(frame, item, index)
        if index in self._calls:
            return self._more_of_call(frame, event, index)
        if event.type == "response.output_item.done" and event.item:
            self._items[index] = bytes(event.item)
        return Piece(frame, parts_text=event.type.endswith((".done", ".added")))

    def _state(self, frame: bytes, kind: str, response: _Response) -> Piece:
        self.id = response.id or self.id
        if kind == "response.failed":
            return Piece(frame, error=error_of(response.error or "The reply failed."))
        if kind not in OVER:
            return Piece(frame)
        return Piece(
            frame, finish=kind.removeprefix("response."), usage=_usage_of(response.usage), done=True, parts_text=True
        )

    def _added(self, frame: bytes, item: _Item, index: int) -> Piece:
        if item.type != "function_call":
            return Piece(frame, parts_text=True)
        self._calls[index] = bool(item.arguments)
        call = CallDelta(index, item.call_id, item.name, item.arguments, named=True)
        return Piece(frame, calls=(call,), parts_text=True)

    def _more_of_call(self, frame: bytes, event: _Event, index: int) -> Piece:
        arguments = ""
        if event.type == ARGUMENTS + "delta":
            arguments = str(event.delta or "")
        elif event.type == "response.output_item.done" and event.item:
            self._items[index] = bytes(event.item)
            arguments = "" if self._calls[index] else _item.decode(event.item).arguments
        self._calls[index] = self._calls[index] or bool(arguments)
        return Piece(frame, calls=(CallDelta(index, arguments=arguments, named=True),))


class WholeReader(HeldBytes):
    """A whole reply is a stream of one piece."""

    def close(self) -> list[Piece]:
        """The reply. Raises `UpstreamFailed` when it is no response."""
        raw = self._body()
        try:
            body = _response.decode(raw)
            items: list[dict[str, Any]] = [msgspec.json.decode(item) for item in body.output or ()]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UpstreamFailed("The model's reply is not a response, or it broke off. Try again.") from error
        if body.error:
            return [Piece(raw, error=error_of(body.error))]
        if body.output is None:
            raise UpstreamFailed("The model's reply is not a response, or it broke off. Try again.")
        self.id, self.items = body.id, tuple(map(bytes, body.output))
        calls = tuple(
            CallDelta(place, str(item.get("call_id", "")), str(item.get("name", "")), _arguments(item), named=True)
            for place, item in enumerate(items)
            if item.get("type") == "function_call"
        )
        return [Piece(raw, text_of(items), calls, body.status or "completed", _usage_of(body.usage))]


def _arguments(item: dict[str, Any]) -> str:
    given = item.get("arguments") or "{}"
    return given if isinstance(given, str) else encode(given).decode()


def text_of(items: list[dict[str, Any]]) -> str:
    """The words of a reply's messages."""
    parts = (part for item in items if item.get("type") == "message" for part in item.get("content") or ())
    return "".join(str(part.get("text") or part.get("refusal") or "") for part in parts)
