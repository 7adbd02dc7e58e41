"""Posts a delivery to its receiver."""

from __future__ import annotations

import aiohttp

TIMEOUT = 15.0
"""Seconds that a receiver has to answer."""


class Poster:
    """Its connections are kept and used again; cookies and redirects are not."""

    def __init__(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> tuple[int | None, str | None]:
        """The answer's status, where there was one, and what is wrong with it."""
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status, None if answer.status < 300 else f"HTTP {answer.status}"
        except TimeoutError:
            return None, f"no answer within {TIMEOUT:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return None, type(error).__name__

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()
