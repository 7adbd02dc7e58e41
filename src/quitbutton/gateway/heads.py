"""What the head of a request must leave beyond doubt: whose it is, and where it ends."""

from __future__ import annotations

from collections.abc import Sequence

NO_REQUEST = "This is no HTTP/1.1 request that can be read here."


class Refused(Exception):
    """A request that is not served: its status, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def check(version: str, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Raises `Refused` where the parser took what is in doubt all the same. Names of headers are in lower case."""
    if version not in ("1.0", "1.1"):
        raise Refused(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    if method == b"CONNECT":
        raise Refused(405, "This is no proxy for other servers.")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        raise Refused(400, "The request must have one Host header.")
    if not target.startswith(b"/") and hosts and _host_in(target) != hosts[0].lower():
        raise Refused(400, "The request's target and its Host header name different hosts.")
    if version == "1.0" and any(name == b"transfer-encoding" for name, _ in headers):
        raise Refused(400, "HTTP/1.0 has no Transfer-Encoding.")


def _host_in(target: bytes) -> bytes:
    """The host that a target in absolute form names, with its port."""
    return target.partition(b"://")[2].partition(b"/")[0].partition(b"?")[0].lower()
