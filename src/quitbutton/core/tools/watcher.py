"""Sees a reply go by, piece by piece; lets everything pass but what may turn out to be a call of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from quitbutton.core.messages import CallDelta, Piece, Reply, ToolCall, Usage
from quitbutton.core.tools.model_tool import ModelTool
from quitbutton.core.tools.text_calls import NOTHING, grammar_of, seek
from quitbutton.core.value import value

NOTHING_OF: frozenset[int] = frozenset()
NO_STRINGS: Mapping[str, str] = MappingProxyType({})
Tools = tuple[ModelTool[object], ...]


@value
class Passage:
    """A piece on its way to the client: untouched, unless calls of ours are dropped or its text is cut."""

    piece: Piece
    drop: frozenset[int] = NOTHING_OF
    """Indices of tool calls that are ours."""
    text: str | None = None
    """The text to send in place of the piece's own; None keeps it."""
    gone: frozenset[int] = NOTHING_OF
    """Indices of our calls before those of this piece: the client's close the gap."""

    @property
    def is_untouched(self) -> bool:
        """True when the piece's bytes can leave as they came."""
        return not self.drop and not self.gone and self.text is None

    @property
    def is_empty(self) -> bool:
        """True when nothing of the piece is left to send."""
        rest = [call for call in self.piece.calls if call.index not in self.drop]
        text = self.piece.text if self.text is None else self.text
        return not (self.is_untouched or rest or text or self.piece.finish or self.piece.usage or self.piece.done)


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""
    settled: bool = False
    """True once it is known to be the client's: its pieces pass."""
    held: list[Piece] = field(default_factory=list)


class Watcher:
    """Watches one reply. Where the stream is cut does not change what it sees or lets pass.

    Calls of the tools in `native` are ours; any other is the client's. With `written` the calls of these tools that the model
    wrote as text are ours too, and with `strings` the exit strings, each with the name of the tool that it calls.
    """

    def __init__(self, native: Tools, written: Tools = (), strings: Mapping[str, str] = NO_STRINGS) -> None:
        self._native = tuple(tool.name for tool in native)
        self._grammar = grammar_of(tuple(tool.name for tool in written)) if written else None
        self._strings = strings
        self._calls: dict[int, _Call] = {}
        self._held_text: list[Passage] = []
        self._written: ToolCall | None = None
        self._text: list[str] = []
        self._begins_line = True
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._complete = False
        self._pieces = 0

    def see(self, piece: Piece) -> list[Passage]:
        """Take in one piece; what may pass now, in order."""
        self._pieces += 1
        self._finish = piece.finish or self._finish
        self._usage = piece.usage or self._usage
        self._complete = self._complete or piece.done or piece.finish is not None
        if not piece.calls and self._lets_by(piece):
            return [Passage(piece)]
        out: list[Passage] = []
        drop: set[int] = set()
        waits = False
        for delta in piece.calls:
            match self._see_call(delta):
                case True:
                    drop.add(delta.index)
                case None:
                    waits = True
                    drop.add(delta.index)
                case False:
                    out += self._released(delta.index)
        if waits:
            self._hold_call(piece)
        out += self._see_text(Passage(piece, frozenset(drop)))
        return [self._without_gaps(one) for one in out if not one.is_empty]

    def _lets_by(self, piece: Piece) -> bool:
        """True for words in which no call can begin: most pieces are of that kind, and cost no more than this."""
        text = piece.text
        if self._strings or self._held_text or self._written is not None:
            return False
        if self._grammar is not None and text:
            if seek(text, NO_STRINGS, self._grammar, begins_line=self._begins_line) is not NOTHING:
                return False
            self._pass_line(text)
        self._text.append(text)
        return True

    def _pass_line(self, text: str) -> None:
        _, newline, line = text.rpartition("\n")
        self._begins_line = (bool(newline) or self._begins_line) and not line.strip()

    def end(self) -> list[Passage]:
        """The reply is over: what was held and is no call of ours after all."""
        out: list[Passage] = []
        for index, call in self._calls.items():
            if not self._is_ours(call) and not call.settled:
                out += self._released(index)
        out += self._settled_text()
        return [self._without_gaps(one) for one in out if not one.is_empty]

    def _without_gaps(self, passage: Passage) -> Passage:
        if not passage.piece.calls or len(self._calls) == 1:
            return passage
        highest = max(delta.index for delta in passage.piece.calls)
        gone = frozenset(index for index, call in self._calls.items() if self._is_ours(call) and index < highest)
        return replace(passage, gone=gone) if gone else passage

    @property
    def is_complete(self) -> bool:
        """True once the reply's own end was seen."""
        return self._complete

    @property
    def reply(self) -> Reply:
        """What the reply said; final after `end()`."""
        ours = [call for call in self._calls.values() if self._is_ours(call)]
        others = len(self._calls) - len(ours)
        calls = [
            ToolCall(one.name, one.id or f"call_{one.name}", one.arguments or "{}", alone=not others) for one in ours
        ]
        if self._written is not None:
            calls.append(replace(self._written, alone=not others))
        text = "".join(self._text)
        return Reply(text, tuple(calls), others, self._finish, self._usage, self._complete, self._pieces)

    def _is_ours(self, call: _Call) -> bool:
        return call.name in self._native and not call.settled

    def _see_call(self, delta: CallDelta) -> bool | None:
        """True: ours. False: the client's. None: cannot be told yet."""
        call = self._calls.setdefault(delta.index, _Call())
        call.id = call.id or delta.id
        if delta.name != call.name:  # some servers repeat the whole name on every piece
            call.name += delta.name
        call.arguments += delta.arguments
        if call.settled or not any(name.startswith(call.name) for name in self._native):
            return False
        is_named = delta.named or bool(call.arguments)
        if call.name in self._native:
            return True if is_named else None
        return False if is_named else None

    def _hold_call(self, piece: Piece) -> None:
        for delta in piece.calls:
            if delta.index in self._calls and not self._calls[delta.index].settled:
                self._calls[delta.index].held.append(piece)

    def _released(self, index: int) -> list[Passage]:
        call = self._calls[index]
        call.settled = True
        held, call.held = call.held, []
        return [_only_call(piece, index) for piece in held]

    def _see_text(self, passage: Passage) -> list[Passage]:
        text = passage.piece.text
        before = self._settled_text() if passage.piece.parts_text else []
        if not self._strings and self._grammar is None:
            self._text.append(text)
            return [passage]
        if self._written is not None:
            return [Passage(passage.piece, passage.drop, text="")] if text else [passage]
        if not text:
            return [*before, passage]
        waiting = [*self._held_text, passage]
        self._held_text = []
        return [*before, *self._sifted(waiting, over=False)]

    def _settled_text(self) -> list[Passage]:
        """What was held of the words, now that no more of them follow."""
        waiting, self._held_text = self._held_text, []
        return self._sifted(waiting, over=True) if waiting else []

    def _sifted(self, waiting: list[Passage], over: bool) -> list[Passage]:
        whole = "".join(held.piece.text for held in waiting)
        found = seek(whole, self._strings, self._grammar, over, self._begins_line)
        if found.may_begin:
            self._held_text = waiting
            return []
        if found.call is None:
            self._text.append(whole)
            self._pass_line(whole)
            return waiting
        self._written = found.call
        self._text.append(whole[: found.start])
        said = Passage(waiting[0].piece, _calls_in(waiting[0].piece), text=whole[: found.start])
        return [said, *(Passage(one.piece, one.drop, text="") for one in waiting)]


def _calls_in(piece: Piece) -> frozenset[int]:
    return frozenset(delta.index for delta in piece.calls)


def _only_call(piece: Piece, index: int) -> Passage:
    """What is left to send of a piece whose text and other calls have passed already."""
    return Passage(piece, _calls_in(piece) - {index}, text="" if piece.text else None)
