"""A client that sends the bytes it is told, and what the suite sends."""

from __future__ import annotations

import io
import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]}).encode()
CHAT = b"POST /v1/chat/completions HTTP/1.1\r\n"
HOST = b"Host: 127.0.0.1\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
PLAIN = CHAT + HOST + LENGTH + b"\r\n" + BODY
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Wire:
    """One connection."""

    def __init__(self, port: int, timeout: float = 10, receive_buffer: int = 0) -> None:
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect(("127.0.0.1", port))
        self.file = self.sock.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.sock.close()

    def send(self, data: str | bytes) -> Wire:
        """Send bytes; a server that has closed by then is no fault."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers."""
        line = self.file.readline()
        assert line.startswith(b"HTTP/1.1 "), line
        headers = {}
        while (header := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        return int(line.split()[1]), headers

    def answer(self, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """The next response; interim ones are passed over."""
        status, headers = self.head()
        while status < 200:
            status, headers = self.head()
        if not has_body:
            return status, headers, b""
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.file.readline(), 16):
                body += self.file.read(size)
                self.file.readline()
            self.file.readline()
            return status, headers, body
        length = headers.get("content-length")
        return status, headers, self.file.read(int(length)) if length is not None else self.file.read()

    def statuses(self, quiet: float = 0.3) -> tuple[list[int], bool]:
        """Those of every response until nothing more comes, and whether the server then ended the connection."""
        data, is_over = b"", False
        with suppress(TimeoutError, ConnectionResetError):
            while part := self.sock.recv(1 << 16):
                data += part
                self.sock.settimeout(quiet)
            is_over = True
        self.sock.settimeout(10)
        kept, self.file = self.file, io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]
        found: list[int] = []
        while self.file.peek(1):
            found.append(self.answer()[0])
        self.file = kept
        return found, is_over

    def is_over(self) -> bool:
        """True once the server ended the connection."""
        with suppress(ConnectionResetError):
            return self.file.read(1) == b""
        return True


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
