"""The client that asks providers, over raw sockets: kept connections, odd framings, codings, time-outs, TLS, limits."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from quitbutton.core.errors import BadRequest, UpstreamFailed, UpstreamTimeout
from quitbutton.upstreams.http import HTTPUpstream
from quitbutton.upstreams.provider import has_proxy
from quitbutton.upstreams.proxied import ProxiedUpstream

OK = b"HTTP/1.1 200 OK\r\ncontent-type: a/b\r\n"
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Provider:
    """Answers with bytes as they are, and counts connections and requests."""

    def __init__(self, *answers: bytes | Answer) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
                self.requests.append(head + await reader.readexactly(size))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if callable(answer):
                    await answer(writer)
                else:
                    writer.write(answer)
                if b"connection: close" in (answer if isinstance(answer, bytes) else b""):
                    break
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()


def asked(
    provider: Provider, scene: Callable[[HTTPUpstream], Awaitable[Any]], tls: Any = None, wait: float = 2.0
) -> Any:
    async def run() -> Any:
        server = await asyncio.start_server(provider, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        scheme = "https" if tls else "http"
        host = "localhost" if tls else "127.0.0.1"
        upstream = HTTPUpstream(f"{scheme}://{host}:{port}/base/v1", "sk-1", 1.0, wait)
        try:
            return await scene(upstream)
        finally:
            await upstream.close()
            server.close()

    return asyncio.run(run())


async def whole(upstream: HTTPUpstream, method: str = "POST", body: bytes = b"{}") -> tuple[int, bytes]:
    headers = [("content-type", "application/json"), ("authorization", "Bearer theirs")]
    async with upstream.send(method, "/v1/x?q=1", headers, body) as exchange:
        return exchange.status, b"".join([chunk async for chunk in exchange.chunks()])


def test_a_request_is_sent_as_it_is_and_its_connection_used_again() -> None:
    provider = Provider(OK + b"content-length: 2\r\n\r\nhi")

    async def scene(upstream: HTTPUpstream) -> None:
        for _ in range(3):
            assert await whole(upstream) == (200, b"hi")

    asked(provider, scene)
    assert provider.connections == 1
    head = provider.requests[0]
    assert head.startswith(b"POST /base/v1/x?q=1 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"\r\nauthorization: Bearer sk-1\r\n" in head
    assert b"theirs" not in head
    assert b"accept-encoding" not in head.lower()
    assert head.endswith(b"\r\ncontent-length: 2\r\n\r\n{}")


def test_nothing_of_a_client_begins_another_request() -> None:
    provider = Provider(OK + b"content-length: 2\r\n\r\nhi")

    async def scene(upstream: HTTPUpstream) -> None:
        path = "/v1/responses/a b\r\nx: y\r\n\r\nGET /evil HTTP/1.1\r\n/ü"
        async with upstream.send("GET", path, (), b"") as exchange:
            assert exchange.status == 200
        with pytest.raises(BadRequest, match="line end"):
            upstream.send("POST", "/v1/x", [("x", "y\r\nhost: evil")], b"")

    asked(provider, scene)
    (sent,) = provider.requests
    assert sent.startswith(
        b"GET /base/v1/responses/a%20b%0D%0Ax:%20y%0D%0A%0D%0AGET%20/evil%20HTTP/1.1%0D%0A/%C3%BC HTTP/1.1\r\n"
    )


FRAMINGS = {
    "chunked": OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\ntrailer: x\r\n\r\n",
    "until the end": OK + b"connection: close\r\n\r\nabcde",
    "after an interim answer": b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK + b"content-length: 5\r\n\r\nabcde",
    "gzip": OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(gzip.compress(b"abcde", mtime=0))
    + gzip.compress(b"abcde", mtime=0),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMINGS)
def test_every_framing_is_read(name: str) -> None:
    assert asked(Provider(FRAMINGS[name]), whole) == (200, b"abcde")


def test_answers_without_a_body() -> None:
    assert asked(Provider(b"HTTP/1.1 204 No Content\r\n\r\n"), whole) == (204, b"")

    async def scene(upstream: HTTPUpstream) -> None:
        assert await whole(upstream, "HEAD", b"") == (200, b"")
        assert await whole(upstream) == (200, b"hi")

    asked(Provider(OK + b"content-length: 2\r\n\r\n", OK + b"content-length: 2\r\n\r\nhi"), scene)


def test_a_kept_connection_that_the_server_closed_is_replaced() -> None:
    async def closes(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"content-length: 2\r\n\r\nhi")
        await writer.drain()
        writer.close()

    provider = Provider(closes)

    async def scene(upstream: HTTPUpstream) -> None:
        for _ in range(5):
            assert await whole(upstream) == (200, b"hi")

    asked(provider, scene)
    assert provider.connections == 5
    assert len(provider.requests) == 5, "no request was sent twice"


BROKEN = {
    "no HTTP": b"nonsense\r\n\r\n",
    "too short": OK + b"content-length: 9\r\nconnection: close\r\n\r\nabc",
    "a chunk of no size": OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    "an unknown coding": OK + b"content-encoding: br\r\ncontent-length: 2\r\n\r\nab",
    "broken gzip": OK + b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\nab",
    "headers without end": OK + b"".join(b"x-%d: y\r\n" % n for n in range(400)) + b"\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_answer_is_an_error_of_the_upstream(name: str) -> None:
    with pytest.raises(UpstreamFailed, match=r"cannot be reached|broke off|given up"):
        asked(Provider(BROKEN[name]), whole)


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    provider = Provider(OK + b"content-length: 2\r\n\r\nhi" + OK + b"content-length: 4\r\n\r\nevil")

    async def scene(upstream: HTTPUpstream) -> None:
        for _ in range(3):
            assert await whole(upstream) == (200, b"hi")

    asked(provider, scene)
    assert provider.connections == 3


def test_time_outs() -> None:
    async def hangs(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    with pytest.raises(UpstreamTimeout, match="did not answer in time"):
        asked(Provider(hangs), whole, wait=0.2)

    async def stalls(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(4):
            await asyncio.sleep(0.15)
            writer.write(b"1\r\nx\r\n")
        await asyncio.sleep(30)

    with pytest.raises(UpstreamTimeout, match="stopped sending"):
        asked(Provider(stalls), whole, wait=0.3)

    async def unreachable() -> None:
        with pytest.raises(UpstreamFailed, match="cannot be reached"):
            await whole(HTTPUpstream("http://127.0.0.1:9", None, 1.0, 1.0))

    asyncio.run(unreachable())


def test_who_leaves_early_closes_and_who_reads_slowly_slows_the_provider() -> None:
    sent = 0

    async def floods(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(OK + b"transfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
            sent += 65536

    async def scene(upstream: HTTPUpstream) -> None:
        async with upstream.send("POST", "/v1/x", (), b"{}") as exchange:
            chunks = exchange.chunks()
            await anext(chunks)
            await asyncio.sleep(0.5)
            before = sent
            assert before < 20_000_000, "kernel buffers and a little of ours"
            await asyncio.sleep(0.3)
            assert sent == before
        await asyncio.sleep(0.1)
        assert upstream._idle == []

    asked(Provider(floods), scene)


def certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def test_tls_is_spoken_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file)
    provider = Provider(OK + b"content-length: 2\r\n\r\nhi")
    with pytest.raises(UpstreamFailed, match="SSLCertVerificationError"):
        asked(provider, whole, tls)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert asked(provider, whole, tls) == (200, b"hi")


def test_a_proxy_of_the_environment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert not has_proxy("https://api.example.org/v1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    assert has_proxy("https://api.example.org/v1")
    assert not has_proxy("http://api.example.org/v1")
    assert not has_proxy("https://127.0.0.1:8000")
    monkeypatch.setenv("NO_PROXY", "api.example.org")
    assert not has_proxy("https://api.example.org/v1")


def test_trailers_are_no_headers() -> None:
    """They come after the body: whoever looks at the headers then still sees those that came before it."""
    trailer = b"x-quitbutton-state: ended\r\ncontent-encoding: gzip\r\nset-cookie: a=b\r\n"
    provider = Provider(OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n" + trailer + b"\r\n")

    async def scene(upstream: HTTPUpstream) -> None:
        async with upstream.send("POST", "/v1/x", [], b"{}") as exchange:
            before = list(exchange.headers)
            assert b"".join([chunk async for chunk in exchange.chunks()]) == b"hi"
            assert exchange.headers == before
            assert dict(before).keys() & {"x-quitbutton-state", "content-encoding", "set-cookie"} == set()

    asked(provider, scene)


BASES = {
    "": "/v1/x",
    "/": "/v1/x",
    "/v1": "/v1/x",
    "/v1/": "/v1/x",
    "/openai": "/openai/v1/x",
    "/openai/v1": "/openai/v1/x",
    "/v1beta/openai": "/v1beta/openai/x",
    "/api/paas/v4/": "/api/paas/v4/x",
    "/vendor": "/vendor/v1/x",
}


@pytest.mark.parametrize("base", BASES)
def test_a_base_url_that_names_a_version_is_taken_as_it_is(base: str) -> None:
    provider = Provider(OK + b"content-length: 2\r\n\r\nhi")

    async def run() -> None:
        server = await asyncio.start_server(provider, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{base}"
        for upstream in (HTTPUpstream(url, None, 1.0, 2.0), ProxiedUpstream(url, None, 1.0, 2.0)):
            async with upstream.send("GET", "/v1/x", [], b"") as exchange:
                assert exchange.status == 200
            await upstream.close()
        server.close()

    asyncio.run(run())
    assert [one.split(b" ")[1].decode() for one in provider.requests] == [BASES[base]] * 2
