"""Bodies that came compressed (RFC 9110, section 8.4): unpacked a little at a time, within limits."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}
"""Codings that are undone, and zlib's window for each."""
PLAIN = ("", "identity")
PART = 256 * 1024
"""Most bytes that are unpacked at once."""
SPARED = 1 << 20
"""Unpacked bytes up to which the ratio is no matter: a short body may well be one letter many times."""
MOST_RATIO = 100
"""How many times its size a body may grow. Text grows 3 to 30 times."""


class Unpackable(Exception):
    """A compressed body that cannot be read, or that grows beyond all measure. `str(error)` says which."""


class Overgrown(Unpackable):
    """A compressed body that grows over the ratio."""


def is_packed(coding: str) -> bool:
    """Whether a `Content-Encoding` says that the body is compressed, in a way that is known here or not."""
    return coding.strip().lower() not in PLAIN


class Unpacker:
    """Undoes one coding. Raises `Unpackable` for one that is not known here."""

    def __init__(self, coding: str, most_ratio: int = MOST_RATIO) -> None:
        window = WINDOWS.get(coding.strip().lower())
        if window is None:
            raise Unpackable(f"its body is coded as {coding}; gzip and deflate are read")
        self._window, self._most_ratio = window, most_ratio
        self._zlib = zlib.decompressobj(window)
        self._in = self._out = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes become, in parts of `PART` bytes at most. Raises `Unpackable`, `Overgrown`."""
        self._in += len(data)
        while data:
            if self._zlib.eof:  # gzip may be several packs in a row
                self._zlib = zlib.decompressobj(self._window)
            try:
                part = self._zlib.decompress(data, PART)
            except zlib.error as error:
                raise Unpackable(f"its compressed body is broken ({error})") from error
            self._out += len(part)
            if self._out > max(SPARED, self._in * self._most_ratio):
                raise Overgrown(f"its compressed body grows to over {self._most_ratio} times its size")
            data = self._zlib.unconsumed_tail or self._zlib.unused_data
            if part:
                yield part

    def close(self) -> None:
        """The body is over. Raises `Unpackable` where its end is missing."""
        if self._in and not self._zlib.eof:
            raise Unpackable("its compressed body ends too early")
