"""Who is calling, and may they? Keys, sessions, origins and host names."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.types import Scope

from quitbutton.core.errors import Forbidden, NotAllowed, SettingsError, StoreFailed
from quitbutton.core.keys import ANONYMOUS, LOOPBACK, Caller, Need, Role, is_made_here, tenant_of, token_of
from quitbutton.core.sessions import CSRF_HEADER, SAFE_METHODS, has_csrf_token, session_id_of
from quitbutton.gateway.http import address_of, headers_of
from quitbutton.gateway.limits import LoginThrottle
from quitbutton.gateway.sessions import Sessions
from quitbutton.gateway.strangers import KNOWN
from quitbutton.settings.installation import Settings
from quitbutton.stores.keys import KeyStore

RECALLED = 10_000
"""Callers that are remembered."""
NO_CHAT_KEY = "This needs an API key of this gateway: send `Authorization: Bearer <key>`."
NO_OPERATOR_KEY = (
    "This needs a key of an operator or auditor: send `Authorization: Bearer <key>`, or sign in at the console. "
    "`quitbutton keys create NAME --role operator` makes one."
)


@dataclass(slots=True)
class Authenticator:
    """Lets a request in and says who it is from. Its tenant is a keyed digest of its key, never the key itself."""

    settings: Settings
    secret: bytes = field(repr=False)
    keys: KeyStore
    sessions: Sessions
    guesses: LoginThrottle = field(default_factory=LoginThrottle)
    """Wrong keys at the sign-in."""
    wrong_keys: LoginThrottle = field(default_factory=LoginThrottle)
    """Wrong keys that requests show; apart, so that a client with an old key keeps nobody from signing in."""
    now: Callable[[], float] = time.time
    _given: dict[str, tuple[Role, str]] = field(default_factory=dict, repr=False)
    """Keys of the settings by their digests."""
    _let_in_before: set[str] = field(default_factory=set, repr=False)
    """Digests of right keys that this process has seen: no more than there are keys."""
    _recent: dict[str, Caller] = field(default_factory=dict, repr=False)
    """Callers that were let in to chat, by their tenants."""

    def __post_init__(self) -> None:
        given = ((Role.CHAT, self.settings.api_keys), (Role.OPERATOR, self.settings.operator_keys))
        for role, tokens in given:
            name = "setting api_keys" if role is Role.CHAT else "setting operator_keys"
            self._given |= {tenant_of(self.secret, token): (role, name) for token in tokens}

    async def admit(self, scope: Scope, need: Need) -> Caller:
        """Who is calling, where they may do what a route needs.

        Raises `NotAllowed` (who is that?), `Forbidden` (not with this key, or not from this site), or `RateLimited` for
        whoever guesses.
        """
        headers = headers_of(scope)
        self._check_origin(headers)
        if need is Need.NOTHING:
            await self._check_host(headers)
            return Caller(ANONYMOUS, frozenset())
        token = token_of(headers)
        caller = await self._by_token(scope, token, need) if token else await self._by_cookie(scope, headers, need)
        caller = caller or await self._open(headers, token, need)
        if not need.roles & caller.roles:
            raise Forbidden(_not_with(caller, need))
        if (become_known := scope.get("extensions", {}).get(KNOWN)) is not None:
            become_known()
        if need is Need.CHAT and caller.tenant not in self._recent:
            if len(self._recent) >= RECALLED:
                self._recent.pop(next(iter(self._recent)))
            self._recent[caller.tenant] = caller
        return caller

    def recalled(self, scope: Scope) -> Caller | None:
        """Who may chat here as far as is remembered, for a time when the store does not say.

        The key may have been revoked since: this caller may be told where help is, and nothing else.
        """
        headers = headers_of(scope)
        token = token_of(headers)
        caller = self._recent.get(tenant_of(self.secret, token) if token else ANONYMOUS)
        if caller is not None and not caller.is_known:
            _only_loopback(headers)
        return caller

    async def by_digest(self, digest: str) -> Caller | None:
        """Whoever holds the key with this digest; without roles once it is revoked or expired.

        The store's word goes before the settings'.
        """
        key = await self.keys.by_digest(digest)
        if key is not None and hmac.compare_digest(key.digest, digest):
            roles = frozenset({key.rules.role} if key.is_valid(self.now()) else ())
            return Caller(digest, roles, key.rules.name, key, is_known=True)
        # Every key of the settings is compared, in constant time, so that the time taken says nothing.
        known = [one for one in self._given if hmac.compare_digest(one, digest)]
        if not known:
            return None
        role, name = self._given[known[0]]
        return Caller(digest, frozenset({role}), name, is_known=True)

    async def is_open(self, role: Role) -> bool:
        """True where callers without a key have this role: on loopback, as long as there never was a key for it."""
        settings = self.settings
        if settings.host not in LOOPBACK or settings.api_keys or (settings.operator_keys and role is not Role.CHAT):
            return False
        chat, any_at_all = await self.keys.exist()
        return not (chat if role is Role.CHAT else any_at_all)

    async def _by_token(self, scope: Scope, token: str, need: Need) -> Caller | None:
        caller = await self.by_digest(tenant_of(self.secret, token))
        if caller is not None and not caller.roles:
            raise NotAllowed("This API key has expired or was revoked. Ask its operator for another.")
        if caller is not None and caller.key is not None:
            with suppress(StoreFailed):  # a time of last use is not worth a refusal
                await self.keys.use(caller.key, self.now())
        if caller is not None:
            self._let_in(scope, token, caller)
        elif not await self.is_open(Role.CHAT if need is Need.CHAT else Role.OPERATOR):
            address = address_of(scope)
            self.wrong_keys.check(address, overall=True)
            self.wrong_keys.wrong(address)
        return caller

    def _let_in(self, scope: Scope, token: str, caller: Caller) -> None:
        """Raises `RateLimited` where a right key waits like a wrong one: made up by people, while somebody guesses.

        So a guess learns nothing before its time. Keys that were made here cannot be guessed, and those that were let in
        before are in use: neither ever waits for what others do.
        """
        if caller.tenant not in self._let_in_before and not is_made_here(token):
            self.wrong_keys.check(address_of(scope), overall=True)
        self._let_in_before.add(caller.tenant)

    async def _by_cookie(self, scope: Scope, headers: Mapping[str, str], need: Need) -> Caller | None:
        session_id = "" if need is Need.CHAT else session_id_of(headers, scope["scheme"] == "https")
        if not session_id:
            return None
        caller = await self.signed_in(session_id)
        if caller is None or scope["method"] in SAFE_METHODS:
            return caller
        checked_csrf(self.secret, session_id, headers)
        return caller

    async def signed_in(self, session_id: str) -> Caller | None:
        """Whose session that is, while it and the key it was opened with are valid."""
        session = await self.sessions.find(session_id)
        if session is None:
            return None
        if session.key_digest is None and self.settings.oidc is not None:
            return Caller("", frozenset({session.role}), session.name, is_known=True)
        caller = await self.by_digest(session.key_digest) if session.key_digest else None
        if caller is None or session.role not in caller.roles:
            await self.sessions.close(session_id)
            return None
        return caller

    async def _open(self, headers: Mapping[str, str], token: str, need: Need) -> Caller:
        """A caller without a key that is known here. Raises `NotAllowed` where one is asked for."""
        role = Role.CHAT if need is Need.CHAT else Role.OPERATOR
        if not await self.is_open(role):
            raise NotAllowed(NO_CHAT_KEY if role is Role.CHAT else NO_OPERATOR_KEY)
        _only_loopback(headers)
        if role is not Role.CHAT and _is_foreign(headers):
            raise Forbidden("Pages of another site may chat here, where allowed_origins says so, but are no operators.")
        return Caller(tenant_of(self.secret, token) if token else ANONYMOUS, frozenset({role}), "this machine")

    async def _check_host(self, headers: Mapping[str, str]) -> None:
        if not _is_loopback(headers) and await self.is_open(Role.CHAT):
            _only_loopback(headers)

    def _check_origin(self, headers: Mapping[str, str]) -> None:
        """Raises `Forbidden` when a browser speaks for another site."""
        if _is_foreign(headers) and not {headers["origin"], "*"} & set(self.settings.allowed_origins):
            raise Forbidden("Pages of another site may not call this gateway; the setting allowed_origins lets them.")


def checked_csrf(secret: bytes, session_id: str, headers: Mapping[str, str]) -> None:
    """Raises `Forbidden` where a request of a session that changes something does not carry the session's token."""
    if not has_csrf_token(secret, session_id, headers):
        raise Forbidden(
            f"This changes something: send the session's token, as GET /v1/quitbutton/session tells it, in {CSRF_HEADER}."
        )


def check_exposure(settings: Settings, has_keys: bool = False) -> None:
    """Raises `SettingsError` when the gateway would listen to others without asking for a key.

    `has_keys` says that the store has some.
    """
    if settings.host not in LOOPBACK and not (settings.api_keys or settings.operator_keys or has_keys):
        raise SettingsError(
            f"Listening on {settings.host} without API keys would let everybody in. Make one with `quitbutton keys create "
            "NAME`, or set QUITBUTTON_API_KEYS to a comma-separated list of keys that clients must send, or listen on "
            "127.0.0.1."
        )


def _not_with(caller: Caller, need: Need) -> str:
    had, wanted = (" or ".join(sorted(roles)) for roles in (caller.roles, need.roles))
    return f"This needs the role {wanted}; the key or session that came with the request has the role {had}."


def _is_foreign(headers: Mapping[str, str]) -> bool:
    """True for a request of a browser's page that did not come from here."""
    origin = headers.get("origin")
    return bool(origin) and str(origin).partition("://")[2] != headers.get("host", "")


def _is_loopback(headers: Mapping[str, str]) -> bool:
    host = headers.get("host", "")
    return not host or _name_of(host) in LOOPBACK


def _only_loopback(headers: Mapping[str, str]) -> None:
    """Raises `Forbidden` when a request without a key names this host in a way of its own.

    It keeps a foreign page that points its own name at 127.0.0.1 (DNS rebinding) from using the gateway.
    """
    if not _is_loopback(headers):
        name = _name_of(headers["host"])
        raise Forbidden(f"This gateway serves loopback only, not the host name {name!r}. Use 127.0.0.1.")


def _name_of(host: str) -> str:
    name = host.rsplit("]", 1)[0] + "]" if host.startswith("[") else host.rsplit(":", 1)[0]
    return name.lower().rstrip(".")
