"""What passes the gateway, either way: nothing that is of a connection, or of a web site."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.conftest import Running
from tests.upstream import Provider, Reply, stream, whole

CHAT = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
STREAM = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}).encode()
FORGED = [
    ("X-Quitbutton-State", "ended"),
    ("X-Quitbutton-Forged", "yes"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Clear-Site-Data", '"*"'),
    ("Set-Cookie", "session=theirs"),
    ("Strict-Transport-Security", "max-age=1"),
    ("Service-Worker-Allowed", "/"),
    ("Refresh", "0; url=https://evil.example"),
    ("WWW-Authenticate", "Basic realm=console"),
    ("Content-Security-Policy", "script-src *"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Connection", "x-hop"),
    ("X-Hop", "of the connection"),
    ("X-Kept", "yes"),
]
WAYS: dict[str, tuple[str, str, bytes, dict[str, str]]] = {
    "a chat": ("POST", "/v1/chat/completions", CHAT, {}),
    "a stream": ("POST", "/v1/chat/completions", STREAM, {}),
    "a background call": ("POST", "/v1/chat/completions", CHAT, {"x-quitbutton-background": "true"}),
    "completions": ("POST", "/v1/completions", b'{"model": "m", "prompt": "x"}', {}),
    "embeddings": ("POST", "/v1/embeddings", b'{"model": "m", "input": "x"}', {}),
    "a kept response": ("GET", "/v1/responses/resp_1", b"", {}),
    "the list of models": ("GET", "/v1/models", b"", {}),
}


def asked(
    url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("way", WAYS)
def test_headers_of_a_web_site_and_forged_ones_of_ours_do_not_reach_the_client(
    guarded: Running, fresh: Provider, way: str, status: int
) -> None:
    def answer(_: object) -> Reply:
        one = stream("Hi") if way == "a stream" and status == 200 else whole()
        one.status, one.headers = status, FORGED
        return one

    fresh.answer = answer
    got, headers, _ = asked(guarded.url, *WAYS[way])
    assert got == status
    assert headers["x-kept"] == "yes"
    for name, value in FORGED[:-1]:
        assert headers.get(name.lower()) != value, name


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xml", "text/plain"])
@pytest.mark.parametrize("way", [one for one in WAYS if one != "a stream"])
def test_a_page_that_the_upstream_sends_is_inert(guarded: Running, fresh: Provider, way: str, kind: str) -> None:
    """Opened in a browser it stood on the console's origin; the sandbox gives it an origin of its own, and no scripts."""
    page = b"<script>fetch('/v1/quitbutton/session')</script>"
    fresh.answer = lambda _: Reply([page], 404, kind)
    status, headers, body = asked(guarded.url, *WAYS[way])
    assert (status, body) == (404, page)
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["x-content-type-options"] == "nosniff"


def test_headers_that_connection_names_stay_behind(guarded: Running, fresh: Provider) -> None:
    headers = {"connection": "x-secret, close", "x-secret": "of this connection", "x-kept": "yes"}
    status, _, _ = asked(guarded.url, "POST", "/v1/chat/completions", CHAT, headers)
    assert status == 200
    assert "x-secret" not in fresh.seen[-1].headers
    assert fresh.seen[-1].headers["x-kept"] == "yes"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/responses/a%3Fk=1",
        "/v1/responses/a%3fk=1",
        "/v1/responses/..",
        "/v1/responses/%2e%2e",
        "/v1/responses/.",
        "/v1/responses/../input_items",
        "/v1/responses/a%2Finput_items",
        "/v1/responses/a%23b",
        "/v1/responses/a%25b",
        "/v1/responses/a%5Cb",
        "/v1/responses/a%0d%0ab",
        "/v1/responses/%C3%BC",
    ],
)
def test_a_path_that_could_lead_elsewhere_upstream_is_refused(guarded: Running, fresh: Provider, path: str) -> None:
    status, _, body = asked(guarded.url, "GET", path)
    assert status == 400
    assert "as it was given" in json.loads(body)["error"]["message"]
    assert fresh.seen == []


@pytest.mark.parametrize("reply_id", ["resp_0a-B.c~1", "resp_bGl0ZWxsbQ==", "resp_bGl0ZWxsbQ%3D%3D", "a:b@c"])
def test_ids_as_providers_give_them_go_through(guarded: Running, fresh: Provider, reply_id: str) -> None:
    kept: dict[str, Any] = {"id": "resp_1", "object": "response", "output": []}
    fresh.answer = lambda _: whole(kept)
    status, _, _ = asked(guarded.url, "GET", f"/v1/responses/{reply_id}?include=x%3Fy")
    assert status == 200
    assert fresh.seen[-1].path == f"/v1/responses/{reply_id.replace('%3D', '=')}?include=x%3Fy"
