"""Which headers pass through: those of the message do, those of a connection or of a web site do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    }
)
"""Headers of one connection and its framing, in either direction (RFC 9110, section 7.6.1)."""

OURS_BEGIN = "x-quitbutton-"
"""What only the gateway says, and only the gateway is told."""
DROPPED = HOP_BY_HOP | {"proxy-authenticate", "content-encoding", "set-cookie", "date", "server"}
"""Headers of a reply that the client does not get: its connection's, its body's coding, and its server's own."""

OF_A_SITE = frozenset(
    {
        "alt-svc",
        "clear-site-data",
        "document-policy",
        "nel",
        "origin-agent-cluster",
        "permissions-policy",
        "public-key-pins",
        "referrer-policy",
        "refresh",
        "report-to",
        "reporting-endpoints",
        "service-worker-allowed",
        "set-cookie",
        "set-cookie2",
        "speculation-rules",
        "strict-transport-security",
        "timing-allow-origin",
        "www-authenticate",
        "x-content-type-options",
        "x-frame-options",
    }
)
"""What a server says about its own web site, to a browser."""
OF_A_SITE_BEGIN = ("access-control-", "content-security-policy", "cross-origin-")

INERT = (("x-content-type-options", "nosniff"), ("content-security-policy", "sandbox; default-src 'none'"))
"""On all that another server says: opened in a browser it runs nothing, and is not of the console's origin."""


def connection_names(values: Iterable[str]) -> frozenset[str]:
    """The headers that `Connection` headers name: they are of that connection too."""
    return frozenset(name.strip().lower() for value in values for name in value.split(","))


def of_another_site(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of another server's reply, fit for a browser at our site: nothing of its site, an inert body."""
    kept = [
        (name, value)
        for name, value in headers
        if (lowered := name.lower()) not in OF_A_SITE and not lowered.startswith(OF_A_SITE_BEGIN)
    ]
    return [*kept, *INERT]


def passed_on(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of a reply that the client gets."""
    named = connection_names(value for name, value in headers if name.lower() == "connection")
    return [
        (name, value)
        for name, value in headers
        if (lowered := name.lower()) not in DROPPED and lowered not in named and not lowered.startswith(OURS_BEGIN)
    ]
