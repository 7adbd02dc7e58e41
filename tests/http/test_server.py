"""The server under the application, over raw sockets: what HTTP/1.1 clients and broken ones send."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from quitbutton.gateway.server import connection, listener
from quitbutton.gateway.server.cycle import HANGUP
from quitbutton.gateway.server.listener import Listener
from quitbutton.gateway.serving import loop_factory
from quitbutton.gateway.sockets import socket_at


class Served:
    """A server on a thread of its own. Its application echoes, and does what paths say."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.sock = socket_at("127.0.0.1", 0)
        self.port = self.sock.getsockname()[1]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(5)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        self.listener = Listener(self.app, self.loop)
        await self.listener.open(self.sock)
        self._ready.set()
        await self.over.wait()
        await self.listener.close(1)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.over.set)
        self._thread.join(10)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path == "/early":
            await _answer(send, 413, b"too large")
            return
        body = b""
        while (part := await receive())["type"] == "http.request":
            body += part["body"]
            if not part["more_body"]:
                break
        if path == "/hang":
            scope["extensions"][HANGUP](lambda: self.left.append("told"))
            assert (await receive())["type"] == "http.disconnect"
            self.left.append("received")
            return
        if path == "/fails":
            raise RuntimeError("on purpose")
        if path == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for part in (b"one ", b"two ", b"three"):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        told = {name: scope[name] for name in ("method", "path", "scheme", "client", "http_version")}
        told |= {"query": scope["query_string"].decode(), "body": body.decode()}
        await _answer(send, 200, json.dumps(told).encode())


async def _answer(send: Any, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.close()


class Wire:
    """A client that sends what it is told."""

    def __init__(self, served: Served) -> None:
        self.sock = socket.create_connection(("127.0.0.1", served.port), timeout=10)
        self.file = self.sock.makefile("rb")

    def send(self, data: str | bytes) -> Wire:
        self.sock.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def head(self) -> tuple[int, dict[str, str]]:
        line = self.file.readline()
        assert line.startswith(b"HTTP/1.1 "), line
        headers = {}
        while (header := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        return int(line.split()[1]), headers

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status, headers = self.head()
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.file.readline(), 16):
                body += self.file.read(size)
                self.file.readline()
            self.file.readline()
            return status, headers, body
        length = headers.get("content-length")
        return status, headers, self.file.read(int(length)) if length is not None else self.file.read()

    def is_over(self) -> bool:
        return self.file.read(1) == b""


GET = "GET {} HTTP/1.1\r\nhost: x\r\n\r\n"


def test_connections_are_kept_and_answers_come_in_order(served: Served) -> None:
    wire = Wire(served)
    for number in range(3):
        status, headers, body = wire.send(GET.format(f"/a?n={number}")).answer()
        assert (status, json.loads(body)["query"]) == (200, f"n={number}")
        assert "date" in headers
        assert "connection" not in headers
    wire.send("".join(GET.format(f"/pipelined/{number}") for number in range(40)))
    assert [json.loads(wire.answer()[2])["path"] for _ in range(40)] == [f"/pipelined/{n}" for n in range(40)]


def test_bodies_come_whole_in_chunks_and_cut_anywhere(served: Served) -> None:
    wire = Wire(served)
    chunked = b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n"
    for start in range(len(chunked)):
        wire.send(chunked[start : start + 1])
    assert json.loads(wire.answer()[2])["body"] == "abcdefg"
    large = "y" * 3_000_000
    wire.send(f"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: {len(large)}\r\n\r\n{large}")
    assert json.loads(wire.answer()[2])["body"] == large


def test_streams_head_and_old_clients(served: Served) -> None:
    assert Wire(served).send(GET.format("/stream")).answer()[2] == b"one two three"
    wire = Wire(served).send("HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n")
    status, headers = wire.head()
    assert status == 200
    assert int(headers["content-length"]) > 0
    assert wire.send(GET.format("/next")).answer()[0] == 200, "no body came with the HEAD's answer"
    old = Wire(served).send("GET /stream HTTP/1.0\r\n\r\n")
    status, headers, body = old.answer()
    assert (status, headers["connection"], body) == (200, "close", b"one two three")
    assert "transfer-encoding" not in headers


def test_a_client_that_asks_first_is_told_to_go_on(served: Served) -> None:
    wire = Wire(served).send("POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n")
    assert wire.head()[0] == 100
    assert json.loads(wire.send("abc").answer()[2])["body"] == "abc"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /a HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        (b"POST /a HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"GET /a HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
    ],
)
def test_what_is_no_request_gets_an_error_and_the_end(served: Served, sent: bytes, status: int) -> None:
    wire = Wire(served).send(sent)
    got, headers, _ = wire.answer()
    assert (got, headers["connection"]) == (status, "close")
    assert wire.is_over()


def test_an_answer_before_the_whole_body_is_still_read_by_who_only_sends(served: Served) -> None:
    size = 20_000_000
    wire = Wire(served).send(f"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n\r\n")
    wire.send(b"z" * size)
    status, _, body = wire.answer()
    assert (status, body) == (413, b"too large")
    assert wire.is_over()


def test_a_client_that_leaves_is_noticed(served: Served) -> None:
    served.left.clear()
    wire = Wire(served).send(GET.format("/hang"))
    time.sleep(0.1)
    wire.sock.shutdown(socket.SHUT_RDWR)
    wire.sock.close()
    wire.file.close()
    deadline = time.monotonic() + 5
    while len(served.left) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(served.left) == ["received", "told"]


def test_a_failing_application_leaves_no_half_answer(served: Served) -> None:
    assert Wire(served).send(GET.format("/fails")).file.read() == b""


def test_other_forms_of_the_target_and_proxies(served: Served) -> None:
    told = json.loads(Wire(served).send("GET http://x/a%20b?q=1 HTTP/1.1\r\nhost: x\r\n\r\n").answer()[2])
    assert (told["path"], told["query"], told["scheme"]) == ("/a b", "q=1", "http")
    sent = "GET /a HTTP/1.1\r\nhost: x\r\nx-forwarded-proto: https\r\nx-forwarded-for: 1.2.3.4, 9.8.7.6\r\n\r\n"
    told = json.loads(Wire(served).send(sent).answer()[2])
    assert (told["scheme"], told["client"][0]) == ("https", "9.8.7.6"), "the nearest that is not a proxy of ours"


def test_who_pauses_halfway_or_is_idle_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HALFWAY_SECONDS", 0.3)
    monkeypatch.setattr(listener, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(listener, "LOOK_SECONDS", 0.1)
    served = Served()
    slow = Wire(served).send("GET /a HTTP/1.1\r\nhost: ")
    stuck = Wire(served).send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
    idle = Wire(served)
    idle.send(GET.format("/a")).answer()
    hanging = Wire(served).send(GET.format("/hang"))
    assert all(one.is_over() for one in (slow, idle))
    with suppress(ConnectionResetError):
        assert stuck.is_over()
    hanging.sock.settimeout(1.0)
    with pytest.raises(TimeoutError):
        hanging.is_over()  # a request that is answered slowly is nobody's fault
    for one in (slow, stuck, idle, hanging):
        one.sock.close()
        one.file.close()
    served.close()


def test_requests_ahead_are_bounded(served: Served) -> None:
    served.left.clear()
    wire = Wire(served)
    wire.send(GET.format("/hang") + "".join(GET.format("/a") for _ in range(connection.MOST_QUEUED + 50)))
    with suppress(ConnectionResetError):
        assert wire.is_over()
    deadline = time.monotonic() + 5
    while "told" not in served.left and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "told" in served.left
