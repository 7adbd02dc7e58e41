"""Which way a provider is reached: directly, or by a proxy of the environment."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from quitbutton.core.upstreams import REPLY_LIMITS, KeyHeader, ReplyLimits
from quitbutton.interfaces import Upstream
from quitbutton.upstreams.http import HTTPUpstream

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Hosts that no proxy stands before."""


def provider(
    base: str,
    key: str | None,
    connect_timeout: float,
    read_timeout: float,
    key_header: KeyHeader | None = None,
    limits: ReplyLimits = REPLY_LIMITS,
) -> Upstream:
    """The upstream at a URL."""
    if not has_proxy(base):
        return HTTPUpstream(base, key, connect_timeout, read_timeout, key_header, limits)
    from quitbutton.upstreams.proxied import ProxiedUpstream  # noqa: PLC0415 - aiohttp, only where it is used

    return ProxiedUpstream(base, key, connect_timeout, read_timeout, key_header, limits)


def has_proxy(base: str) -> bool:
    """Whether the environment names a proxy for this URL (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`)."""
    url = urlsplit(base)
    host = url.hostname or ""
    return url.scheme in getproxies() and host not in LOOPBACK and not proxy_bypass(host)
