"""Where a request ends must be beyond doubt: what could be read in two ways is answered 400 and serves nothing more."""

from __future__ import annotations

import pytest

from tests.conftest import Running
from tests.http.wire import BODY, CHAT, CHUNKED, CHUNKS, HEALTH, HOST, LENGTH, PLAIN, Wire
from tests.upstream import Provider

SMUGGLED = b"0\r\n\r\n" + HEALTH
START = CHAT + HOST


def _length(value: bytes) -> bytes:
    return START + b"Content-Length: " + value + b"\r\n\r\n" + BODY


def _encoded(line: bytes) -> bytes:
    return START + line + b"\r\n" + CHUNKS


def _chunks(data: bytes) -> bytes:
    return START + CHUNKED + b"\r\n" + data


REFUSED = {
    "CL.TE": START + b"Content-Length: %d\r\n" % len(SMUGGLED) + CHUNKED + b"\r\n" + SMUGGLED,
    "TE.CL": START + CHUNKED + b"Content-Length: 4\r\n\r\n" + b"5c\r\n" + HEALTH + b"\r\n0\r\n\r\n",
    "TE.TE: a second coding": _encoded(CHUNKED + b"Transfer-Encoding: x\r\n"),
    "TE.TE: not chunked last": _encoded(b"Transfer-Encoding: chunked, identity\r\n"),
    "TE.TE: another word": _encoded(b"Transfer-Encoding: xchunked\r\n"),
    "TE.TE: a blank before the colon": _encoded(b"Transfer-Encoding : chunked\r\n"),
    "TE.TE: another coding": _encoded(b"Transfer-Encoding: gzip\r\n"),
    "TE in HTTP/1.0": b"POST /v1/chat/completions HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n" + CHUNKS,
    "length: a sign": _length(b"+%d" % len(BODY)),
    "length: negative": _length(b"-1"),
    "length: hexadecimal": _length(b"0x10"),
    "length: an exponent": _length(b"1e1"),
    "length: two in one": _length(b"%d, %d" % (len(BODY), len(BODY))),
    "length: parted": _length(b"1 2"),
    "length: empty": _length(b""),
    "length: over 64 bits": _length(b"1" + b"0" * 30),
    "length: twice, different": START + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY,
    "length: twice, the same": START + LENGTH + LENGTH + b"\r\n" + BODY,
    "a folded header": START + b"X-A: b\r\n c\r\n" + LENGTH + b"\r\n" + BODY,
    "a folded length": START + b"Content-Length:\r\n %d\r\n\r\n" % len(BODY) + BODY,
    "bare LF after the request line": PLAIN.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n", 1),
    "bare LF after a header": PLAIN.replace(b"127.0.0.1\r\n", b"127.0.0.1\n", 1),
    "bare LF throughout": PLAIN.replace(b"\r\n", b"\n"),
    "bare CR in a header": START + b"X-A: b\rc: d\r\n" + LENGTH + b"\r\n" + BODY,
    "NUL in a header's value": START + b"X-A: b\0c\r\n" + LENGTH + b"\r\n" + BODY,
    "NUL in a header's name": START + b"X\0A: b\r\n" + LENGTH + b"\r\n" + BODY,
    "NUL in the target": PLAIN.replace(b"/v1/chat", b"/v1\0/chat", 1),
    "no colon": START + b"nonsense\r\n" + LENGTH + b"\r\n" + BODY,
    "no name": START + b": b\r\n" + LENGTH + b"\r\n" + BODY,
    "no request": b"nonsense\r\n\r\n",
    "no such method": b"GETT /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "no such version": HEALTH.replace(b"HTTP/1.1", b"HTTP/1.7", 1),
    "chunk: no size": _chunks(b"zz\r\n" + BODY),
    "chunk: a negative size": _chunks(b"-1\r\n" + BODY),
    "chunk: a size in 0x": _chunks(b"0x5\r\nhello\r\n0\r\n\r\n"),
    "chunk: a size over 64 bits": _chunks(b"f" * 20 + b"\r\n" + BODY),
    "chunk: longer than its size": _chunks(b"3\r\nhello\r\n0\r\n\r\n"),
    "chunk: bare LF after the size": _chunks(b"5\nhello\r\n0\r\n\r\n"),
    "chunk: bare LF after the data": _chunks(b"5\r\nhello\n0\r\n\r\n"),
    "no Host": CHAT + LENGTH + b"\r\n" + BODY,
    "two Hosts": CHAT + HOST + HOST + LENGTH + b"\r\n" + BODY,
    "two different Hosts": CHAT + HOST + b"Host: evil.example\r\n" + LENGTH + b"\r\n" + BODY,
    "absolute form of another host": PLAIN.replace(b"POST /", b"POST http://evil.example/", 1),
    "OPTIONS *": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_a_request_in_doubt_is_answered_400_and_ends_the_connection(
    product: Running, fresh: Provider, name: str
) -> None:
    with Wire(product.port) as wire:
        assert wire.send(REFUSED[name]).statuses() == ([400], True)
        wire.send(HEALTH)
        assert wire.is_over()
    assert fresh.seen == []


@pytest.mark.parametrize("name", list(REFUSED))
def test_so_is_one_that_is_sent_behind_another(product: Running, fresh: Provider, name: str) -> None:
    """The first request is answered; of the second nothing is served, whatever it turns out to be."""
    with Wire(product.port) as wire:
        assert wire.send(HEALTH + REFUSED[name] + HEALTH).statuses() == ([200], True)
    assert fresh.seen == []


UPGRADES = HEALTH[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc"
SERVED = {
    "a length": (PLAIN, [200]),
    "chunks": (_chunks(CHUNKS), [200]),
    "chunks with extensions": (_chunks(CHUNKS.replace(b"\r\n", b";a=b\r\n", 1)), [200]),
    "the coding in capitals": (_encoded(b"TRANSFER-ENCODING: CHUNKED\r\n"), [200]),
    "pipelined": (PLAIN + HEALTH + HEALTH, [200, 200, 200]),
    "pipelined behind chunks": (_chunks(CHUNKS) + HEALTH, [200, 200]),
    "empty lines before": (b"\r\n\r\n" + PLAIN, [200]),
    "absolute form": (PLAIN.replace(b"POST /", b"POST http://127.0.0.1/", 1), [200]),
    "OPTIONS": (HEALTH.replace(b"GET", b"OPTIONS", 1), [405]),
    "an unknown expectation": (START + b"Expect: the best\r\n" + LENGTH + b"\r\n" + BODY, [200]),
    "upgrade to h2c, a length": (
        START
        + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
        + LENGTH
        + b"\r\n"
        + BODY,
        [200],
    ),
    "upgrade to h2c, chunks": (_encoded(b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + CHUNKED), [200]),
    "upgrade and pipelined": (UPGRADES * 3, [200] * 3),
    "upgrade to a web socket": (HEALTH[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", [200]),
}


@pytest.mark.parametrize("name", list(SERVED))
def test_a_plain_request_is_served_and_its_connection_kept(product: Running, name: str) -> None:
    sent, statuses = SERVED[name]
    with Wire(product.port) as wire:
        assert wire.send(sent).statuses() == (statuses, False)
        assert wire.send(HEALTH).answer()[0] == 200


@pytest.mark.parametrize("name", ["a length", "chunks", "upgrade to h2c, a length", "upgrade to h2c, chunks"])
def test_it_is_the_same_wherever_its_bytes_are_cut(product: Running, fresh: Provider, name: str) -> None:
    with Wire(product.port) as wire:
        sent = SERVED[name][0]
        for start in range(0, len(sent), 7):
            wire.send(sent[start : start + 7])
        assert wire.answer()[0] == 200
    assert fresh.seen[-1].json["messages"][0]["content"] == "hello"


def test_other_protocols_are_told_so(product: Running) -> None:
    for sent, status in (
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", 405),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ):
        with Wire(product.port) as wire:
            assert wire.send(sent).statuses() == ([status], True)


def test_head_gets_headers_alone(product: Running) -> None:
    with Wire(product.port) as wire:
        status, headers, _ = wire.send(HEALTH.replace(b"GET", b"HEAD", 1)).answer(has_body=False)
        assert (status, int(headers["content-length"]) > 0) == (200, True)
        assert wire.send(HEALTH.replace(b"GET", b"HEAD", 1)).answer(has_body=False)[0] == 200
        assert wire.send(HEALTH).answer()[0] == 200, "no body came before it"


def test_who_asks_whether_to_go_on_is_told_to(product: Running) -> None:
    with Wire(product.port) as wire:
        wire.send(START + b"Expect: 100-continue\r\n" + LENGTH + b"\r\n")
        assert wire.head()[0] == 100
        assert wire.send(BODY).answer()[0] == 200
    with Wire(product.port) as wire:
        wire.send(START + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (1 << 40))
        assert wire.head()[0] == 413, "not told to send what is too large"


TRAILED = CHUNKS[:-2]


def test_trailers_are_no_headers(product: Running, fresh: Provider) -> None:
    trailers = b"X-Quitbutton-Conversation: other\r\nAuthorization: Bearer stolen\r\nX-Trailer: t\r\n\r\n"
    with Wire(product.port) as wire:
        status, headers, _ = wire.send(_chunks(TRAILED + trailers)).answer()
        assert status == 200
        assert headers.get("x-quitbutton-conversation") != "other"
    assert not {"authorization", "x-trailer", "trailer"} & set(fresh.seen[-1].headers)


def test_a_trailer_does_not_change_the_host(product: Running) -> None:
    sent = CHAT + b"Host: evil.example\r\n" + CHUNKED + b"\r\n" + TRAILED + b"Host: 127.0.0.1\r\n\r\n"
    with Wire(product.port) as wire:
        assert wire.send(sent).answer()[0] == 403
