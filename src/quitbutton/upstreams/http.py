"""A provider over HTTP, with pooled connections; an abandoned reply closes its connection at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import getproxies

import aiohttp
from yarl import URL

from quitbutton.core.errors import UpstreamFailed, UpstreamTimeout
from quitbutton.core.upstreams import KeyHeader
from quitbutton.interfaces import Headers

MESSAGES = "/v1/messages"
"""Paths of Anthropic's protocol begin like this; its keys go into `x-api-key`."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts that no proxy stands before."""
MAX_CONNECTIONS = 0
"""No limit of connections to the provider: `max_turns` sets it, and whoever is over it is told."""


class HTTPExchange:
    """One answer of a provider."""

    def __init__(self, response: aiohttp.ClientResponse, url: str) -> None:
        self._response = response
        self._url = url
        self.status = response.status
        self.headers: Headers = list(response.headers.items())

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except TimeoutError as error:
            raise UpstreamTimeout(f"The model at {self._url} stopped sending. Try again.") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise UpstreamFailed(f"The model at {self._url} broke off its reply. Try again.") from error


class HTTPUpstream:
    """Any server that speaks the client's protocol. `base` is its URL, with or without a closing `/v1`."""

    def __init__(
        self,
        base: str,
        key: str | None,
        connect_timeout: float,
        read_timeout: float,
        key_header: KeyHeader | None = None,
    ) -> None:
        self.max_tokens: int | None = None
        self._base = base.rstrip("/").removesuffix("/v1")
        self._key = key
        self._key_header = key_header
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout, sock_read=read_timeout)
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def send(self, method: str, path: str, headers: Headers, body: bytes) -> AsyncIterator[HTTPExchange]:
        """Send a request. Leaving the context early aborts it."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=60)
            # Only where a proxy is set: `trust_env` also reads .netrc, in a thread, for each request.
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=bool(getproxies()) and URL(self._base).host not in LOOPBACK,
            )
        sent = list(headers) if self._key is None else self._with_key(headers, path, self._key)
        url = URL(self._base + path, encoded=True)
        try:
            try:
                response = await self._request(method, url, sent, body)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                # A kept connection that the server had closed meanwhile: once more, on a new one.
                response = await self._request(method, url, sent, body)
        except TimeoutError as error:
            raise UpstreamTimeout(f"The model at {self._base} did not answer in time. Is it overloaded?") from error
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamFailed(
                f"The model at {self._base} cannot be reached ({type(error).__name__}). "
                "Check that it runs and that --upstream names it."
            ) from error
        try:
            yield HTTPExchange(response, self._base)
        finally:
            if response.content.at_eof():
                response.release()
            else:
                response.close()

    def _with_key(self, headers: Headers, path: str, key: str) -> Headers:
        """The headers with the upstream's key in place of any the client sent."""
        name = self._key_header or (KeyHeader.X_API_KEY if path.startswith(MESSAGES) else KeyHeader.AUTHORIZATION)
        kept = [(one, value) for one, value in headers if one.lower() not in list(KeyHeader)]
        return [*kept, (name.value, f"Bearer {key}" if name is KeyHeader.AUTHORIZATION else key)]

    async def _request(self, method: str, url: URL, sent: Headers, body: bytes) -> aiohttp.ClientResponse:
        assert self._session is not None  # noqa: S101 - made by send()
        return await self._session.request(
            method,
            url,
            headers=sent,
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept-Encoding"),
        )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
