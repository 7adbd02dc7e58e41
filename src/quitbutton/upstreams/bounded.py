"""The body of a provider's answer, unpacked and within the limits that the settings name."""

from __future__ import annotations

from collections.abc import Iterator

from quitbutton.core.codings import Unpackable, Unpacker, is_packed
from quitbutton.core.upstreams import ReplyLimits
from quitbutton.interfaces import Headers

STREAM = "text/event-stream"


class Unreadable(Exception):
    """A body over a limit, or one that cannot be unpacked. `str(error)` says which."""


class Bounded:
    """Bytes as they come in; `next()` gives out what they are. Raises `Unreadable`."""

    __slots__ = ("_limit", "_name", "_parts", "_plain", "_size", "_unpacker", "_was_fed")

    def __init__(self, status: int, headers: Headers, limits: ReplyLimits) -> None:
        told = {name.lower(): value for name, value in headers}
        streams = status == 200 and told.get("content-type", "").strip().lower().startswith(STREAM)
        self._limit, self._name = (limits.stream, "max_stream") if streams else (limits.whole, "max_reply")
        self._size = 0
        self._parts: Iterator[bytes] = iter(())
        self._plain: bytes | None = None
        self._unpacker: Unpacker | None = None
        if is_packed(coding := told.get("content-encoding", "")):
            try:
                self._unpacker = Unpacker(coding, limits.ratio)
            except Unpackable as error:
                raise Unreadable(str(error)) from error
        declared = told.get("content-length", "")
        if declared.isdecimal():
            self._check(int(declared))  # no need to begin

    def feed(self, data: bytes) -> None:
        """What came; empty at the end."""
        if self._unpacker is None:
            self._plain = data
        elif data:
            self._parts = self._unpacker.feed(data)
        else:
            try:
                self._unpacker.close()
            except Unpackable as error:
                raise Unreadable(str(error)) from error
            self._plain = b""

    def next(self) -> bytes | None:
        """The next part; empty at the end, None where more must come first."""
        if self._unpacker is None:
            part, self._plain = self._plain, None
        else:
            try:
                part = next(self._parts, None)
            except Unpackable as error:
                raise Unreadable(str(error)) from error
            part = self._plain if part is None else part
        if part:
            self._size += len(part)
            self._check(self._size)
        return part

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise Unreadable(f"it is over {self._limit} bytes (setting {self._name})")


def no_answer(base: str, why: str) -> str:
    """What is told where a request was sent and nothing came back."""
    return (
        f"The model at {base} took the request and gave no answer ({why}). The request was sent once: whether it was acted "
        "on is not known. Send it again if it may be done twice; if this goes on, look at that server's log."
    )
