"""A whole reply while its end is waited for: as bytes that come in, and as parts that go out."""

from __future__ import annotations

from quitbutton.core.messages import Piece, Usage
from quitbutton.core.tools.watcher import Passage


class HeldBytes:
    """Reads a whole reply: a stream of one piece, which is known when it has closed."""

    streams = False

    def __init__(self) -> None:
        self.id = ""
        self.items: tuple[bytes, ...] = ()
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> list[Piece]:
        """Nothing yet: the body is read to its end."""
        self._chunks.append(chunk)
        return []

    def _body(self) -> bytes:
        return b"".join(self._chunks)


class HeldReply:
    """Holds a reply that is a list of parts: the bytes of the newest call, what may pass of it, the usage of each call."""

    streams = False
    content_type = "application/json"

    def __init__(self) -> None:
        self._raw = b""
        self._passages: list[Passage] = []
        self._said = False
        self._changed = False
        self._usage: list[Usage] = []

    def pass_on(self, passage: Passage) -> bytes:
        """Nothing leaves before the end."""
        if passage.piece.raw is not self._raw:
            self._passages = []
            if passage.piece.usage:
                self._usage.append(passage.piece.usage)
        self._raw = passage.piece.raw
        self._passages.append(passage)
        self._changed = self._changed or not passage.is_untouched
        return b""

    def _cuts(self) -> tuple[frozenset[int], str | None]:
        """Places that are left out, and what is left of all the words where they were cut."""
        drop = frozenset.intersection(*(one.drop for one in self._passages))
        left = [one.text for one in self._passages if one.text is not None]
        return drop, "".join(left) if left else None
