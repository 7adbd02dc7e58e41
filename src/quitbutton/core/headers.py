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

OF_A_SITE = frozenset(
    {
        "alt-svc",
        "clear-site-data",
        "date",
        "document-policy",
        "nel",
        "origin-agent-cluster",
        "permissions-policy",
        "public-key-pins",
        "referrer-policy",
        "refresh",
        "report-to",
        "reporting-endpoints",
        "server",
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
"""What a server says about its own web site, to a browser: the client is at ours."""
OF_A_SITE_BEGIN = ("access-control-", "content-security-policy", "cross-origin-")
OURS_BEGIN = "x-quitbutton-"
"""What only the gateway says, and only the gateway is told."""
DROPPED = HOP_BY_HOP | OF_A_SITE | {"proxy-authenticate", "content-encoding"}
NEVER_BEGIN = (OURS_BEGIN, *OF_A_SITE_BEGIN)

INERT = (("x-content-type-options", "nosniff"), ("content-security-policy", "sandbox; default-src 'none'"))
"""On everything that an upstream says: opened in a browser it runs nothing, and is not of the console's origin."""


def connection_names(values: Iterable[str]) -> frozenset[str]:
    """The headers that `Connection` headers name: they are of that connection too."""
    return frozenset(name.strip().lower() for value in values for name in value.split(","))


def passed_on(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The upstream's headers that the client gets, and those that make its body harmless in a browser."""
    named = connection_names(value for name, value in headers if name.lower() == "connection")
    kept = [
        (name, value)
        for name, value in headers
        if (lowered := name.lower()) not in DROPPED and lowered not in named and not lowered.startswith(NEVER_BEGIN)
    ]
    return [*kept, *INERT]
