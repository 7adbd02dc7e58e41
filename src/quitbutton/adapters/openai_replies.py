"""OpenAI chat completions: reads replies, streamed and whole, and writes them for the client."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from typing import Any

import msgspec

from quitbutton.adapters.held import HeldBytes
from quitbutton.adapters.splice import encode, with_member
from quitbutton.adapters.sse import LF, Frames, data_of, frame_of, line_end_of
from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.messages import CallDelta, Piece, Usage
from quitbutton.core.tools.watcher import Passage

DONE = b"[DONE]"
BREAK = "\n\n"
"""Between the words of two speakers, or of two calls, in one reply."""
SHARED = ("id", "created", "model")
"""Members that all frames of one reply share."""


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Said(msgspec.Struct):
    content: str | list[Any] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    index: int | None = 0
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: float | None = 0
    completion_tokens: float | None = 0


class _Body(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_body = msgspec.json.Decoder(_Body)


def _piece(raw: bytes, data: bytes, whole: bool) -> Piece:
    try:
        body = _body.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Piece(raw)
    if body.error:
        message = body.error.get("message") if isinstance(body.error, dict) else body.error
        return Piece(raw, error=str(message))
    counted = body.usage
    usage = Usage(int(counted.prompt_tokens or 0), int(counted.completion_tokens or 0)) if counted else None
    choices = body.choices or ()
    choice = choices[0] if choices and not choices[0].index else next((one for one in choices if not one.index), None)
    if choice is None:
        return Piece(raw, usage=usage, aside=bool(body.choices) and usage is None)
    said = choice.delta or choice.message or _Said()
    return Piece(
        raw,
        text=_text(said),
        calls=tuple(_call(call, place, whole) for place, call in enumerate(said.tool_calls)) if said.tool_calls else (),
        finish=choice.finish_reason,
        usage=usage,
    )


def _text(said: _Said) -> str:
    if isinstance(said.content, list):
        return "".join(part.get("text", "") for part in said.content if isinstance(part, dict))
    return said.content or said.refusal or ""


def _call(call: _Call, place: int, whole: bool) -> CallDelta:
    function = call.function or _Function()
    arguments = function.arguments or ("{}" if whole else "")
    return CallDelta(place if call.index is None else call.index, call.id or "", function.name or "", arguments)


class StreamReader:
    """Bytes of an event stream, cut anywhere, become pieces."""

    streams = True
    id = ""
    items: tuple[bytes, ...] = ()

    def __init__(self) -> None:
        self._frames = Frames()

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that are whole now."""
        return [self._read(frame) for frame in self._frames.feed(chunk)]

    def close(self) -> list[Piece]:
        """What is left when the upstream has closed."""
        rest = self._frames.rest()
        return [self._read(rest)] if rest.strip() else []

    def _read(self, frame: bytes) -> Piece:
        data = data_of(frame)
        if data == DONE:
            return Piece(frame, done=True)
        return _piece(frame, data, whole=False) if data.startswith(b"{") else Piece(frame)


class WholeReader(HeldBytes):
    """A whole reply is a stream of one piece."""

    def close(self) -> list[Piece]:
        """The reply. Raises `UpstreamFailed` when it is no chat completion."""
        raw = self._body()
        piece = _piece(raw, raw, whole=True)
        if piece.finish is None and not piece.text and not piece.calls and piece.error is None:
            raise UpstreamFailed("The model's reply is not a chat completion, or it broke off. Try again.")
        return [piece]


def _skeleton(model: str, streams: bool) -> dict[str, Any]:
    kind = "chat.completion.chunk" if streams else "chat.completion"
    named = {"id": f"chatcmpl-{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), "model": model}
    # Some clients want a fingerprint on whole replies, if only null, and take none that is null on chunks.
    return {**named, "choices": []} if streams else {**named, "choices": [], "system_fingerprint": None}


def _strip_calls(said: dict[str, Any], drop: frozenset[int], gone: frozenset[int]) -> None:
    """Remove our calls from a delta or message; the client's close the gap."""
    kept = []
    for place, call in enumerate(said.get("tool_calls") or ()):
        index = call.get("index", place)
        if index not in drop:
            if "index" in call:
                call["index"] = index - sum(other < index for other in gone)
            kept.append(call)
    if kept:
        said["tool_calls"] = kept
    else:
        said.pop("tool_calls", None)


class StreamWriter:
    """Writes an event stream. The last frames wait until the turn is settled, so that they can carry its outcome."""

    streams = True
    content_type = "text/event-stream; charset=utf-8"
    reply_id = ""

    def __init__(self, model: str, sums_up: bool = False) -> None:
        self._base = _skeleton(model, streams=True)
        self._sums_up = sums_up
        """True for a client that keeps of the stream what its deltas add up to."""
        self._end = LF
        """How the upstream's lines end, and so ours."""
        self._began = False
        """True once anything was sent; the client then has its role and id."""
        self._resumed = False
        self._needs_break = False
        self._tail: list[Passage] = []
        self._usage: list[Usage] = []
        self._said = False

    def pass_on(self, passage: Passage) -> bytes:
        """The bytes of a passage; empty while it waits for the end."""
        piece = passage.piece
        if piece.finish or piece.done or (self._tail and not piece.aside and (piece.usage or not piece.text)):
            self._tail.append(passage)
            return b""
        self._said = self._said or bool(piece.text)
        return self._bytes(passage)

    def say(self, text: str) -> bytes:
        """A frame with words of ours."""
        if not text:
            return b""
        before = self._words_of_tail()
        return before + self._words(BREAK + text if self._said else text)

    def _words(self, text: str) -> bytes:
        self._said = True
        delta = {"content": text} if self._began else {"role": "assistant", "content": text}
        self._began = True
        return frame_of(
            encode({**self._base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}), self._end
        )

    def resume(self) -> bytes:
        """Another upstream call follows in the same reply: the end of the first is not the end."""
        before = self._words_of_tail()
        self._usage += [passage.piece.usage for passage in self._tail if passage.piece.usage]
        self._tail = []
        self._resumed = True
        self._needs_break = self._said
        return before

    def close(self, finish: str | None, note: dict[str, object] | None) -> bytes:
        """The last frames: the upstream's own, with another finish reason where given, and our note on the last."""
        tail = self._tail or [Passage(Piece(b"", finish="stop")), Passage(Piece(b"", done=True))]
        finisher = next((place for place, one in enumerate(tail) if one.piece.finish), -1) if self._sums_up else -1
        carriers = (place for place, one in enumerate(tail) if not one.piece.raw or data_of(one.piece.raw)[:1] == b"{")
        last = max((place for place in carriers if not tail[place].piece.done), default=-1)
        out: list[bytes] = []
        for place, passage in enumerate(tail):
            in_delta = note if place == finisher else None
            out.append(self._last(passage, finish, note if place == last else None, in_delta))
        if last < 0 and note is not None:
            out.insert(0, frame_of(encode({**self._base, "quitbutton": note}), self._end))
        return b"".join(out)

    def _words_of_tail(self) -> bytes:
        """Words in a frame that waits for the end (some servers finish and speak in one): they leave before ours."""
        out: list[bytes] = []
        for place, passage in enumerate(self._tail):
            words = passage.piece.text if passage.text is None else passage.text
            if words:
                if not self._began and passage.piece.raw:
                    self._base |= _shared(msgspec.json.decode(data_of(passage.piece.raw)))
                self._tail[place] = replace(passage, text="")
                out.append(self._words(BREAK + words if self._needs_break else words))
                self._needs_break = False
        return b"".join(out)

    def _last(
        self,
        passage: Passage,
        finish: str | None,
        note: dict[str, object] | None,
        in_delta: dict[str, object] | None = None,
    ) -> bytes:
        piece = passage.piece
        if piece.raw:
            self._end = line_end_of(piece.raw)
        if piece.done:
            return piece.raw or frame_of(DONE, self._end)
        if not piece.raw:
            delta = {} if in_delta is None else {"quitbutton": in_delta}
            choice = {"index": 0, "delta": delta, "finish_reason": finish or piece.finish}
            body: dict[str, Any] = {**self._base, "choices": [choice]}
            return frame_of(encode({**body, "quitbutton": note} if note is not None else body), self._end)
        changes_finish = piece.finish is not None and finish is not None and finish != piece.finish
        changes = changes_finish or in_delta is not None
        if not (changes or not passage.is_untouched or self._resumed or (piece.usage and self._usage)):
            data = data_of(piece.raw)
            return piece.raw if note is None or not data else frame_of(with_member(data, "quitbutton", note), self._end)
        body = self._edited(passage)
        if changes_finish:
            for choice in body["choices"]:
                choice["finish_reason"] = finish
        if in_delta is not None:
            next(one for one in body["choices"] if not one.get("index"))["delta"]["quitbutton"] = in_delta
        if piece.usage and self._usage:
            body["usage"] = _summed(body["usage"], self._usage)
        return frame_of(encode({**body, "quitbutton": note} if note is not None else body), self._end)

    def _bytes(self, passage: Passage) -> bytes:
        raw = passage.piece.raw
        if self._began and not self._resumed and passage.is_untouched:
            return raw
        data = data_of(raw)
        if not data.startswith(b"{"):
            return raw
        self._end = line_end_of(raw)
        if passage.is_untouched and not self._resumed:
            if not self._began:
                self._remember(msgspec.json.decode(data))
            return raw
        body = self._edited(passage)
        if not any(choice["delta"] for choice in body.get("choices") or ()) and not body.get("usage"):
            return b""
        self._began = True
        return frame_of(encode(body), self._end)

    def _remember(self, body: dict[str, Any]) -> None:
        self._began = True
        self._base |= _shared(body)

    def _edited(self, passage: Passage) -> dict[str, Any]:
        """The frame without our calls and cut text; in a second call it goes on under the names of the first."""
        body: dict[str, Any] = msgspec.json.decode(data_of(passage.piece.raw))
        goes_on = self._resumed and self._began
        if goes_on:
            body |= {name: self._base[name] for name in SHARED}
        else:
            self._base |= _shared(body)
        for choice in body.get("choices") or ():
            delta = choice["delta"] = choice.get("delta") or {}
            _strip_calls(delta, passage.drop, passage.gone)
            if passage.text is not None:
                choice.pop("logprobs", None)
                delta["content"] = passage.text
            if goes_on:
                delta.pop("role", None)
            if not delta.get("content") and (goes_on or passage.text is not None):
                delta.pop("content", None)
            elif delta.get("content") and self._needs_break and choice.get("index", 0) == 0:
                delta["content"] = BREAK + delta["content"]
                self._needs_break = False
        return body


def _shared(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in SHARED if name in body}


def _summed(usage: dict[str, Any], earlier: list[Usage]) -> dict[str, Any]:
    """The usage of all upstream calls of a turn: the client pays for each."""
    prompt = usage.get("prompt_tokens", 0) + sum(one.prompt for one in earlier)
    completion = usage.get("completion_tokens", 0) + sum(one.completion for one in earlier)
    return {
        **usage,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


class WholeWriter:
    """Writes a whole reply; an untouched one keeps its bytes but for our note."""

    streams = False
    content_type = "application/json"
    reply_id = ""

    def __init__(self, model: str) -> None:
        self._model = model
        self._raw = b""
        self._drop: frozenset[int] = frozenset()
        self._texts: list[str] = []
        self._changed = False
        self._usage: list[Usage] = []

    def pass_on(self, passage: Passage) -> bytes:
        """Nothing leaves before the end."""
        piece = passage.piece
        # Some pieces pass in parts, their words before their calls: gone is only what no part lets pass.
        self._drop = passage.drop & self._drop if piece.raw is self._raw else passage.drop
        self._raw = piece.raw
        self._add(piece.text if passage.text is None else passage.text)
        self._changed = self._changed or not passage.is_untouched
        if piece.usage:
            self._usage.append(piece.usage)
        return b""

    def say(self, text: str) -> bytes:
        """Add words of ours."""
        if text:
            self._add(text)
            self._changed = True
        return b""

    def _add(self, text: str) -> None:
        if text:
            self._texts.append(text)

    def resume(self) -> bytes:
        """Another upstream call follows in the same reply."""
        self._changed = True
        return b""

    def close(self, finish: str | None, note: dict[str, object] | None) -> bytes:
        """The reply's body."""
        raw = self._raw if self._raw and not self._changed and finish is None else self._rewritten(finish)
        return raw if note is None else with_member(raw, "quitbutton", note)

    def _rewritten(self, finish: str | None) -> bytes:
        body: dict[str, Any] = msgspec.json.decode(self._raw) if self._raw else self._fresh()
        for choice in body["choices"]:
            if choice.get("index", 0) != 0:
                continue
            message = choice["message"]
            _strip_calls(message, self._drop, frozenset())
            message["content"] = BREAK.join(self._texts) or None
            if message.get("refusal"):
                message["refusal"] = None
            choice["finish_reason"] = finish or choice.get("finish_reason") or "stop"
        if len(self._usage) > 1 and body.get("usage"):
            body["usage"] = _summed(body["usage"], self._usage[:-1])
        return encode(body)

    def _fresh(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": ""}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        return {**_skeleton(self._model, streams=False), "choices": [choice], "usage": usage}
