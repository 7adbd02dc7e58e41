"""Who is calling, and may they? Keys, origins and host names."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from quitbutton.core.errors import Forbidden, NotAllowed, SettingsError
from quitbutton.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
ANONYMOUS = "anonymous"


class Doorkeeper:
    """Lets a request in and names its tenant: a keyed digest of its key, never the key itself."""

    def __init__(self, settings: Settings, key: bytes) -> None:
        self._key = key
        self._known = [self._digest(one) for one in settings.api_keys]
        self._origins = frozenset(settings.allowed_origins)
        self._only_loopback = settings.host in LOOPBACK and not settings.api_keys

    def tenant_of(self, headers: Mapping[str, str]) -> str:
        """The tenant of a request. Raises `NotAllowed` without a key that is known, where keys are set."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        token = (value if scheme.lower() == "bearer" else "").strip() or headers.get("x-api-key", "")
        digest = self._digest(token)
        if not self._known:
            return digest if token else ANONYMOUS
        # Every key is compared, in constant time, so that the time taken says nothing.
        if not sum(hmac.compare_digest(digest, known) for known in self._known):
            raise NotAllowed("This needs an API key of this gateway: send `Authorization: Bearer <key>`.")
        return digest

    def check_site(self, headers: Mapping[str, str]) -> None:
        """Raises `Forbidden` when a browser speaks for another site, or names this host in a way of its own.

        Without keys only loopback is served; the check of the Host header keeps a foreign page that points its own name
        at 127.0.0.1 (DNS rebinding) from using it.
        """
        host = headers.get("host", "")
        if self._only_loopback and host and _name_of(host) not in LOOPBACK:
            raise Forbidden(f"This gateway serves loopback only, not the host name {_name_of(host)!r}. Use 127.0.0.1.")
        origin = headers.get("origin")
        if origin and origin not in self._origins and origin.partition("://")[2] != host:
            raise Forbidden("Pages of another site may not call this gateway; the setting allowed_origins lets them.")

    def _digest(self, token: str) -> str:
        return hashlib.blake2b(token.encode(), digest_size=16, key=self._key, person=b"tenant").hexdigest()


def check_exposure(settings: Settings) -> None:
    """Raises `SettingsError` when the gateway would listen to others without asking for a key."""
    if settings.host not in LOOPBACK and not settings.api_keys:
        raise SettingsError(
            f"Listening on {settings.host} without API keys would let everybody in. Set QUITBUTTON_API_KEYS to a comma-"
            "separated list of keys that clients must send, or listen on 127.0.0.1."
        )


def _name_of(host: str) -> str:
    name = host.rsplit("]", 1)[0] + "]" if host.startswith("[") else host.rsplit(":", 1)[0]
    return name.lower().rstrip(".")
