"""Server-sent events (WHATWG HTML, section 9.2): bytes cut anywhere become whole frames."""

from __future__ import annotations

import re

from quitbutton.core.errors import UpstreamFailed

MAX_FRAME = 8 * 1024 * 1024
"""Longest frame that is waited for, in bytes."""

LF = b"\n"
ENDS = (b"\r\n", LF, b"\r")
"""How lines may end; the longest first."""

_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class Frames:
    """Collects bytes, gives out frames as they came, each with the blank line that ends it."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that are whole now. Raises `UpstreamFailed` when one grows over `MAX_FRAME`."""
        if (
            not self._waiting
            and chunk.endswith(b"\n\n")
            and chunk.find(b"\n\n") == len(chunk) - 2
            and b"\r" not in chunk
        ):
            return [chunk]
        data = self._waiting + chunk if self._waiting else chunk
        frames: list[bytes] = []
        start = 0
        for end in _END.finditer(data):
            frames.append(data[start : end.end()])
            start = end.end()
        self._waiting = data[start:]
        if len(self._waiting) > MAX_FRAME:
            raise UpstreamFailed(f"The model's reply has a frame of more than {MAX_FRAME} bytes.")
        return frames

    def rest(self) -> bytes:
        """What came after the last blank line."""
        rest, self._waiting = self._waiting, b""
        return rest


def data_of(frame: bytes) -> bytes:
    """The data of a frame, its lines joined; empty for comments and other fields."""
    if frame.startswith(b"data: ") and frame.count(b"\n") == 2 and frame.endswith(b"\n\n"):
        return frame[6:-2].strip()
    lines = (line for line in re.split(rb"\r\n|\n|\r", frame) if line.startswith(b"data:"))
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines).strip()


def line_end_of(frame: bytes) -> bytes:
    """How the lines of a frame end; as ours do where it has no end."""
    return next((end for end in ENDS if frame.endswith(end)), LF)


def frame_of(data: bytes, end: bytes = LF, kind: str = "") -> bytes:
    """A frame that carries `data`, which holds no line end, of an event where one is named."""
    event = b"event: %b%b" % (kind.encode(), end) if kind else b""
    return b"".join((event, b"data: ", data, end, end))
