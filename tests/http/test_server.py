"""The server under an application that echoes: what its connections keep, in which order, and what an application sees."""

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

from quitbutton.gateway import connection
from quitbutton.gateway.server import Server
from quitbutton.gateway.serving import loop_factory
from quitbutton.gateway.sockets import socket_at
from quitbutton.settings.installation import Settings
from tests.http.wire import Wire, eventually


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
        server = Server(self.app, Settings(header_timeout=1.0))
        await server.open(self.sock)
        self._ready.set()
        await self.over.wait()
        await server.close(1)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.over.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        body = b""
        while (part := await receive())["type"] == "http.request":
            body += part["body"]
            if not part["more_body"]:
                break
        if path == "/hang":
            assert (await receive())["type"] == "http.disconnect"
            self.left.append("received")
            return
        if path == "/fails":
            raise RuntimeError("on purpose")
        if path == "/breaks":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise RuntimeError("on purpose")
        if path == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for part in (b"one ", b"two ", b"three"):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        told = {name: scope[name] for name in ("method", "path", "scheme", "client", "http_version")}
        told |= {"query": scope["query_string"].decode(), "body": body.decode()}
        data = json.dumps(told).encode()
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(data)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": data, "more_body": False})


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.close()


GET = "GET {} HTTP/1.1\r\nhost: x\r\n\r\n"


def test_connections_are_kept_and_answers_come_in_order(served: Served) -> None:
    with Wire(served.port) as wire:
        for number in range(3):
            status, headers, body = wire.send(GET.format(f"/a?n={number}")).answer()
            assert (status, json.loads(body)["query"]) == (200, f"n={number}")
            assert "date" in headers
            assert "connection" not in headers
            assert "server" not in headers
        wire.send("".join(GET.format(f"/pipelined/{number}") for number in range(40)))
        assert [json.loads(wire.answer()[2])["path"] for _ in range(40)] == [f"/pipelined/{n}" for n in range(40)]


def test_bodies_come_whole_in_chunks_and_cut_anywhere(served: Served) -> None:
    chunked = b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n"
    with Wire(served.port) as wire:
        for start in range(len(chunked)):
            wire.send(chunked[start : start + 1])
        assert json.loads(wire.answer()[2])["body"] == "abcdefg"
        large = "y" * 3_000_000
        wire.send(f"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: {len(large)}\r\n\r\n{large}")
        assert json.loads(wire.answer()[2])["body"] == large


def test_streams_and_old_clients(served: Served) -> None:
    with Wire(served.port) as wire:
        assert wire.send(GET.format("/stream")).answer()[2] == b"one two three"
        assert wire.send(GET.format("/next")).answer()[0] == 200
    with Wire(served.port) as old:
        status, headers, body = old.send("GET /stream HTTP/1.0\r\n\r\n").answer()
        assert (status, headers["connection"], body) == (200, "close", b"one two three")
        assert "transfer-encoding" not in headers
    with Wire(served.port) as old:
        status, headers, body = old.send("POST /a HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi").answer()
        assert (status, json.loads(body)["body"], headers["connection"]) == (200, "hi", "close")
        assert old.is_over()


def test_a_client_that_leaves_is_noticed(served: Served) -> None:
    served.left.clear()
    with Wire(served.port) as wire:
        wire.send(GET.format("/hang"))
        time.sleep(0.1)
    assert eventually(lambda: served.left == ["received"], 1)


def test_an_old_client_that_sends_nothing_more_has_left(served: Served) -> None:
    """HTTP/1.0 has no interim responses to try it with, and proxies that speak it hang up in this way."""
    served.left.clear()
    with Wire(served.port) as wire:
        wire.send("GET /hang HTTP/1.0\r\n\r\n").sock.shutdown(socket.SHUT_WR)
        assert eventually(lambda: served.left == ["received"], 1)


def test_a_failing_application_leaves_no_half_answer(served: Served) -> None:
    with Wire(served.port) as wire:
        assert wire.send(GET.format("/fails")).answer()[0] == 500
    with Wire(served.port) as wire:
        assert wire.send(GET.format("/breaks")).file.read().endswith(b"4\r\nhalf\r\n"), "no last chunk"


def test_other_forms_of_the_target_and_proxies(served: Served) -> None:
    with Wire(served.port) as wire:
        told = json.loads(wire.send("GET http://x/a%20b?q=1 HTTP/1.1\r\nhost: x\r\n\r\n").answer()[2])
        assert (told["path"], told["query"], told["scheme"]) == ("/a b", "q=1", "http")
        sent = "GET /a HTTP/1.1\r\nhost: x\r\nx-forwarded-proto: https\r\nx-forwarded-for: 1.2.3.4, 9.8.7.6\r\n\r\n"
        told = json.loads(wire.send(sent).answer()[2])
        assert (told["scheme"], told["client"][0]) == ("https", "9.8.7.6"), "the nearest that is not a proxy of ours"


def test_who_is_idle_is_let_go_and_who_waits_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.5)
    served = Served()
    with Wire(served.port) as idle, Wire(served.port) as busy, Wire(served.port, timeout=2.0) as hanging:
        idle.send(GET.format("/a")).answer()
        hanging.send(GET.format("/hang"))
        busy.send(GET.format("/a")).answer()
        busy.send("\r\n")
        assert idle.is_over()
        assert busy.is_over(), "empty lines are no requests"
        with pytest.raises(TimeoutError):
            hanging.file.read(1)  # a request that is answered slowly is nobody's fault
    served.close()


def test_requests_ahead_are_bounded_and_those_before_are_answered(served: Served) -> None:
    more = connection.MOST_AHEAD + 50
    with Wire(served.port) as wire:
        found, is_over = wire.send("".join(GET.format("/a") for _ in range(more))).statuses()
        assert is_over
        assert found == [200] * (connection.MOST_AHEAD + 1)


def test_a_broken_request_behind_an_answer_under_way_breaks_no_answer(served: Served) -> None:
    served.left.clear()
    with Wire(served.port) as wire:
        wire.send(GET.format("/stream") + "nonsense\r\n\r\n")
        assert wire.answer()[2] == b"one two three"
        assert wire.is_over()
    with Wire(served.port) as wire:
        wire.send(GET.format("/a") + "POST /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
        assert wire.answer()[0] == 200
        assert wire.is_over()
    with Wire(served.port) as wire, suppress(ConnectionResetError):
        wire.send(GET.format("/hang") + "GET /slow HTTP/1.1\r\nhost")
        time.sleep(3)
        assert served.left == [], "half a request sent ahead takes nothing from the one before"
