"""What a client may hold: a connection, memory, a turn. Each has a limit by name, and what was held is free after it."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from quitbutton.settings.installation import Settings
from tests.conftest import Running
from tests.http.conftest import BODIES, HEADERS, SETTINGS, WRITES, has_room
from tests.http.wire import BODY, CHAT, CHUNKED, CHUNKS, HEALTH, HOST, LENGTH, PLAIN, Wire, eventually
from tests.upstream import Provider, Reply, stream, whole

SOON = 1.5
"""Seconds over a limit within which it is kept: it is looked at once a second."""
FILLED = 5.0
"""Seconds within which an answer has filled the system's buffers, on a machine that does much else."""
FLAT_MB = 64
"""By how much 2,000 half requests may make the process grow: `max_unknown_connections` times `max_header_bytes`, twice."""


def took(begin: float) -> float:
    return time.monotonic() - begin


def memory_mb(gateway: Running) -> float:
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


SLOW = {
    "nothing at all": (b"", [], HEADERS),
    "half a request line": (b"POST /v1/ch", [408], HEADERS),
    "half the headers": (CHAT + HOST + b"X-A: b\r\nX-", [408], HEADERS),
    "half a body": (CHAT + HOST + LENGTH + b"\r\n" + BODY[:9], [408], BODIES),
    "no body": (CHAT + HOST + LENGTH + b"\r\n", [408], BODIES),
    "half a chunk": (CHAT + HOST + CHUNKED + b"\r\n" + CHUNKS[:9], [408], BODIES),
    "no last chunk": (CHAT + HOST + CHUNKED + b"\r\n" + CHUNKS[:-5], [408], BODIES),
}


@pytest.mark.parametrize("name", list(SLOW))
def test_a_client_that_stops_half_way_is_told_and_let_go(product: Running, name: str) -> None:
    sent, statuses, limit = SLOW[name]
    with Wire(product.port) as wire:
        begin = time.monotonic()
        assert wire.send(sent).statuses() == (statuses, True)
        assert limit <= took(begin) + 0.1 < limit + SOON + 0.5
        assert has_room(product, 0.5), "the slot is free as soon as it is told"


TRICKLES = {
    "headers": (CHAT + HOST, b"x", HEADERS),
    "empty lines": (HEALTH, b"\r\n", 75.0),
    "a body": (CHAT + HOST + LENGTH + b"\r\n", b" ", BODIES),
    "chunks": (CHAT + HOST + CHUNKED + b"\r\n", b"1\r\n \r\n", BODIES),
    "trailers": (CHAT + HOST + CHUNKED + b"\r\n" + CHUNKS[:-2], b"x", BODIES),
}


@pytest.mark.parametrize("name", [name for name in TRICKLES if TRICKLES[name][2] < 10])
def test_so_is_one_that_sends_a_byte_now_and_then(product: Running, name: str) -> None:
    sent, more, limit = TRICKLES[name]
    with Wire(product.port, timeout=0.2) as wire:
        begin = time.monotonic()
        wire.send(sent)
        got = b""
        while not got:
            assert took(begin) < limit + SOON
            try:
                got = wire.send(more).sock.recv(4096)
            except TimeoutError:
                continue
        assert got.startswith(b"HTTP/1.1 408 ")
        assert has_room(product, 0.5)


def test_broken_bodies_hold_no_slot(product: Running) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            wire = stack.enter_context(Wire(product.port))
            wire.send(CHAT + HOST + CHUNKED + b"\r\nzz\r\n")
            assert wire.answer()[0] == 400
        assert has_room(product, 0.5)


LONG = {
    "100,000 headers": HEALTH[:-2] + b"X-A: b\r\n" * 100_000 + b"\r\n",
    "101 headers": HEALTH[:-2] + b"X-A: b\r\n" * 100 + b"\r\n",
    "one long header": HEALTH[:-2] + b"X-A: " + b"b" * 40_000 + b"\r\n\r\n",
    "a header without end": HEALTH[:-2] + b"X-A: " + b"b" * 3_000_000,
    "a name without end": HEALTH[:-2] + b"b" * 3_000_000,
    "a target without end": b"GET /" + b"b" * 3_000_000,
    "a method without end": b"G" * 3_000_000,
    "empty lines without end": b"\r\n" * 1_500_000,
    "trailers without end": CHAT + HOST + CHUNKED + b"\r\n" + CHUNKS[:-2] + b"X-A: b\r\n" * 100_000,
    "a trailer without end": CHAT + HOST + CHUNKED + b"\r\n" + CHUNKS[:-2] + b"X-A: " + b"b" * 3_000_000,
    "a chunk's extension without end": CHAT + HOST + CHUNKED + b"\r\n4;" + b"b" * 3_000_000,
}


@pytest.mark.parametrize("name", list(LONG))
def test_what_is_too_long_is_refused_before_it_is_kept(product: Running, name: str) -> None:
    before = memory_mb(product)
    with Wire(product.port) as wire:
        found, is_over = wire.send(LONG[name]).statuses()
        assert is_over
        assert found == [400 if name == "a method without end" else 431]
    assert memory_mb(product) < before + 16


def test_a_hundred_headers_are_served(product: Running) -> None:
    with Wire(product.port) as wire:
        assert wire.send(HEALTH[:-2] + b"X-A: b\r\n" * 99 + b"\r\n").answer()[0] == 200


def test_half_requests_leave_memory_flat(start_gateway: Callable[..., Running], fresh: Provider) -> None:
    """2,000 of them, each with nearly as many bytes of headers as are taken; all over the first thousand are turned away."""
    gateway = start_gateway("--upstream", fresh.url, "--assessor", "scripted")
    half = b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: %b\r\n" % (n, b"y" * 330) for n in range(90))
    assert 30_000 < len(half) < 32 * 1024
    before, highest, begin = memory_mb(gateway), 0.0, time.monotonic()
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(gateway.port)) for _ in range(2000)]
        for wire in wires:
            wire.send(half)
        answered = select.poll()
        for wire in wires:
            answered.register(wire.sock, select.POLLIN)
        eventually(lambda: len(answered.poll(0)) >= 1000, 10)
        highest, number, passed = memory_mb(gateway), len(answered.poll(0)), took(begin)
        if passed < Settings().header_timeout:
            assert number == 1000
        assert eventually(lambda: len(answered.poll(0)) == 2000, Settings().header_timeout + 10), "all are let go"
        assert highest < before + FLAT_MB
        assert memory_mb(gateway) < before + FLAT_MB
    with Wire(gateway.port) as wire:
        assert wire.send(PLAIN).answer()[0] == 200
    gateway.stop()


NEVER_READ = {
    "a whole answer": Reply([whole().parts[0].replace(b"Hello.", b"word " * 800_000)]),
    "a stream": stream(*["word " * 20_000] * 40),
}


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
@pytest.mark.parametrize("name", list(NEVER_READ))
def test_a_client_that_never_reads_is_let_go_and_its_slot_freed(
    product: Running, fresh: Provider, name: str, more: bytes
) -> None:
    fresh.answer = lambda seen: NEVER_READ[name] if len(fresh.seen) == 1 else whole()
    with Wire(product.port, receive_buffer=4096) as wire:
        wire.send(PLAIN.replace(HOST, HOST + more, 1))
        assert eventually(lambda: bool(fresh.seen), 5)
        time.sleep(0.5)
        assert not has_room(product, 0.0), "it holds the slot"
        assert has_room(product, FILLED + WRITES + SOON)
        with pytest.raises(ConnectionResetError):
            wire.file.read()


@pytest.mark.parametrize("streams", [False, True])
def test_a_client_that_sends_nothing_more_gets_its_answer(product: Running, fresh: Provider, streams: bool) -> None:
    fresh.answer = lambda seen: stream("a", "b", delay=0.2) if streams else Reply(whole().parts, delay=0.7)
    body = BODY[:-1] + b', "stream": true}' if streams else BODY
    with Wire(product.port) as wire:
        wire.send(CHAT + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        wire.sock.shutdown(socket.SHUT_WR)
        status, headers, got = wire.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert (b"[DONE]" in got) == streams
        assert wire.is_over()


def test_one_that_is_gone_altogether_stops_its_turn(product: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: Reply([b'{"a": '], hang=True)
    with Wire(product.port) as wire:
        wire.send(PLAIN)
        assert eventually(lambda: bool(fresh.seen), 5)
    assert eventually(lambda: fresh.seen[0].closed_at is not None, 1.0)


def test_one_that_is_gone_with_requests_ahead_stops_all(product: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: stream(*["word "] * 400, delay=0.02)
    with Wire(product.port) as wire:
        wire.send(PLAIN[:-1] + b"}" + HEALTH * 3)
        assert eventually(lambda: bool(fresh.seen), 5)
        time.sleep(0.1)
    assert eventually(lambda: fresh.seen[0].closed_at is not None, 2.0)


def test_an_answer_before_the_whole_body_is_still_read_by_who_only_sends(product: Running) -> None:
    size = 40_000_000
    for more in (b"", b"Connection: close\r\n"):
        with Wire(product.port) as wire:
            wire.send(CHAT + HOST + more + b"Content-Length: %d\r\n\r\n" % size)
            wire.send(b"z" * size)
            assert wire.answer()[0] == 413


@pytest.fixture(scope="module")
def guarded_by_key(
    start_gateway: Callable[..., Running], provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A gateway that asks for keys and takes few connections without one; no proxy stands before it."""
    config = tmp_path_factory.mktemp("strangers") / "quitbutton.toml"
    lines = [
        'api_keys = ["client-key"]',
        "max_unknown_connections = 8",
        "max_unknown_per_address = 4",
        "max_turns = 50",
    ]
    config.write_text(SETTINGS.replace("max_turns = 1\n", "") + "\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.1")
        yield start_gateway("--upstream", provider.url, "--assessor", "scripted", "--config", str(config))


def test_connections_without_a_key_are_bounded_by_address(guarded_by_key: Running, fresh: Provider) -> None:
    keyed = PLAIN.replace(HOST, HOST + b"Authorization: Bearer client-key\r\n", 1)
    with ExitStack() as stack:

        def wire() -> Wire:
            return stack.enter_context(Wire(guarded_by_key.port))

        known = [wire() for _ in range(4)]
        for one in known:
            assert one.send(keyed).answer()[0] == 200
        strangers = [wire() for _ in range(3)]
        for one in strangers:
            one.send(b"GET /he")
        wrong = wire().send(keyed.replace(b"client-key", b"wrong-key"))
        assert wrong.answer()[0] == 401
        status, headers, _ = wire().answer()
        assert (status, headers["retry-after"], headers["connection"]) == (503, "1", "close")
        assert known[0].send(keyed).answer()[0] == 200, "who has shown a key is not concerned"
        assert strangers[0].statuses() == ([408], True)
    assert eventually(lambda: Wire(guarded_by_key.port).send(HEALTH).answer()[0] == 200, 2.0)
