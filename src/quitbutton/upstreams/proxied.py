"""A provider behind an HTTP proxy of the environment: aiohttp, which knows proxies, at three times the price."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from quitbutton.core.errors import UpstreamFailed, UpstreamTimeout
from quitbutton.core.headers import of_another_site
from quitbutton.core.upstreams import REPLY_LIMITS, KeyHeader, ReplyLimits, base_of, keyed
from quitbutton.interfaces import Headers
from quitbutton.upstreams.bounded import Bounded, Unreadable, no_answer

MAX_CONNECTIONS = 0
"""No limit: `max_turns` is one, and whoever is over it is told."""


class ProxiedExchange:
    """One answer of a provider."""

    def __init__(self, response: aiohttp.ClientResponse, url: str, limits: ReplyLimits) -> None:
        self._response = response
        self._url = url
        self.status = response.status
        self.headers: Headers = of_another_site(list(response.headers.items()))
        try:
            self._body = Bounded(self.status, self.headers, limits)
        except Unreadable as error:
            raise self._unreadable(error) from error

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, unpacked."""
        content = self._response.content
        try:
            while True:
                while (part := self._body.next()) is None:
                    self._body.feed(await content.readany())
                if not part:
                    return
                yield part
        except TimeoutError as error:
            raise UpstreamTimeout(f"The model at {self._url} stopped sending. Try again.") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise UpstreamFailed(f"The model at {self._url} broke off its reply. Try again.") from error
        except Unreadable as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Unreadable) -> UpstreamFailed:
        self._response.close()
        return UpstreamFailed(f"The reply of the model at {self._url} was given up: {error}.")


class ProxiedUpstream:
    """As `HTTPUpstream`, by way of the proxy that `HTTPS_PROXY` or `HTTP_PROXY` names."""

    def __init__(
        self,
        base: str,
        key: str | None,
        connect_timeout: float,
        read_timeout: float,
        key_header: KeyHeader | None = None,
        limits: ReplyLimits = REPLY_LIMITS,
    ) -> None:
        self._limits = limits
        self.max_tokens: int | None = None
        self._base, self._said = base_of(base)
        self._key = key
        self._key_header = key_header
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout, sock_read=read_timeout)
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def send(self, method: str, path: str, headers: Headers, body: bytes) -> AsyncIterator[ProxiedExchange]:
        """Send a request. Leaving the context early aborts it."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=60)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=True,
                auto_decompress=False,
            )
        sent = list(headers) if self._key is None else keyed(headers, path, self._key, self._key_header)
        url = URL(self._base + path.removeprefix(self._said), encoded=True)
        try:
            for _ in range(2):  # the loop hears of kept connections that were closed meanwhile: none of them is taken
                await asyncio.sleep(0)
            response = await self._request(method, url, sent, body)
        except TimeoutError as error:
            raise UpstreamTimeout(f"The model at {self._base} did not answer in time. Is it overloaded?") from error
        except aiohttp.ServerDisconnectedError as error:
            raise UpstreamFailed(no_answer(self._base, "the connection was closed")) from error
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamFailed(
                f"The model at {self._base} cannot be reached ({type(error).__name__}). "
                "Check that it runs and that --upstream names it."
            ) from error
        try:
            yield ProxiedExchange(response, self._base, self._limits)
        finally:
            if response.content.at_eof():
                response.release()
            else:
                response.close()

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
