"""The ASGI application, built by one function from settings."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from quitbutton.adapters.anthropic_messages import AnthropicMessages
from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.adapters.openai_responses import OpenAIResponses
from quitbutton.audit.trail import audit_log_of, logging_job, warn_of_faults
from quitbutton.audit.witness import EVERY as WITNESSED_EVERY
from quitbutton.audit.witness import Witnesses, witnesses_of
from quitbutton.gateway.auth import Authenticator, check_exposure
from quitbutton.gateway.delivering import Deliverer
from quitbutton.gateway.gauges import EVERY, here, look
from quitbutton.gateway.guards import Guards
from quitbutton.gateway.jobs import Job, Jobs, retention
from quitbutton.gateway.limits import RateLimits
from quitbutton.gateway.loading import Loading
from quitbutton.gateway.observed import Observer, observer_of, watched
from quitbutton.gateway.pages import page_routes
from quitbutton.gateway.paths import not_here, not_so, straightened
from quitbutton.gateway.routes.audit import audit_routes
from quitbutton.gateway.routes.chat import ChatRoute
from quitbutton.gateway.routes.console import console_routes
from quitbutton.gateway.routes.health import Readiness, health_routes
from quitbutton.gateway.routes.keys import key_routes
from quitbutton.gateway.routes.oidc import oidc_routes, provider_of
from quitbutton.gateway.routes.policies import policy_routes
from quitbutton.gateway.routes.relay import relay_routes
from quitbutton.gateway.routes.rights import rights_routes
from quitbutton.gateway.routes.sessions import session_routes
from quitbutton.gateway.routes.users import user_routes
from quitbutton.gateway.routes.webhooks import webhook_routes
from quitbutton.gateway.services import Services, Turns
from quitbutton.gateway.sessions import IdentityProvider, sessions_of
from quitbutton.gateway.stopping import LOOK_SECONDS, Stopping
from quitbutton.gateway.turnstile import Room, Turnstile, cut_all
from quitbutton.interfaces import Adapter, Store, Upstream
from quitbutton.observing.stores import WatchedDatabase, WatchedStore
from quitbutton.settings.installation import Settings
from quitbutton.stores.console import Console
from quitbutton.stores.database import Database
from quitbutton.stores.keys import KeyStore
from quitbutton.stores.rights import Rights
from quitbutton.stores.sessions import SessionStore
from quitbutton.stores.stops import Stops
from quitbutton.stores.versions import Versions
from quitbutton.stores.webhooks import Webhooks
from quitbutton.upstreams.embedded import EmbeddedUpstream
from quitbutton.upstreams.routing import Upstreams, upstreams_of
from quitbutton.wiring import Judges, database_of, guard_of

EXPOSED = [f"X-Quitbutton-{name}" for name in ("Request-Id", "Conversation", "State", "End-Id")] + ["Retry-After"]
"""Headers that a page of an allowed origin may read."""

ADAPTERS: tuple[Adapter, ...] = (OpenAIChat(), OpenAIResponses(), AnthropicMessages())
"""The protocols spoken here."""

OFTEN = 2.0
"""Seconds between two looks at what goes into the audit log and what webhooks are to be told."""

AT_ONCE = 1.0
"""Seconds within which a policy that was rolled out elsewhere holds here."""

log = logging.getLogger("quitbutton.gateway")


@dataclass(slots=True)
class Gateway:
    """The application. The chat goes straight to its route; Starlette serves the rest."""

    settings: Settings
    upstream: Upstream | None = None
    """An upstream of the caller's own, in place of the one the settings name."""
    services: Services | None = None
    _rest: ASGIApp | None = None
    _chats: dict[str, ASGIApp] = field(default_factory=dict)
    _store: Store | None = None
    _upstreams: Upstreams | None = None
    _identities: IdentityProvider | None = None
    _judges: Judges = field(default_factory=Judges)
    _jobs: list[Jobs] = field(default_factory=list)
    _deliverer: Deliverer | None = None
    observer: Observer = field(default_factory=Observer)
    room: Room = field(default_factory=lambda: Room(0))
    """What is under way, and whether the gateway stops."""
    _loading: Loading | None = None
    _is_observed: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] == "lifespan":
            await _Lifespan(self)(scope, receive, send)
            return
        if self.services is None or self._rest is None:
            raise RuntimeError("The application was not started: its server must run the ASGI lifespan.")
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        chat = self._chats.get(scope["path"]) if is_post else None
        if chat is None and scope["type"] == "http" and (path := straightened(scope["path"])) != scope["path"]:
            scope = {**scope, "path": path}
            chat = self._chats.get(path) if is_post else None
        if self._is_observed and scope["type"] == "http":
            await self.observer.watch(chat or self._rest, scope["path"] if chat else None, scope, receive, send)
        else:
            await (chat or self._rest)(scope, receive, send)

    def routes(self) -> list[tuple[str, str]]:
        """Method and path of everything that is answered here, once it was started."""
        found = [("POST", path) for path in self._chats]
        for route in getattr(self._rest, "routes", ()):
            found += [(method, route.path) for method in sorted(route.methods - {"HEAD"})]
        return found

    async def start(self) -> None:
        """Open the store, load model and assessor. Raises `SettingsError` or `StoreFailed`."""
        self.observer = observer = observer_of(self.settings)
        self._is_observed, metrics = observer.is_on, observer.metrics
        self.room.most, self.room.metrics = self.settings.max_turns, metrics
        database: Database = WatchedDatabase(database_of(self.settings), metrics)
        self._store = store = WatchedStore(database, metrics)
        keys = KeyStore(database)
        check_exposure(self.settings, has_keys=any(await keys.exist()))
        self._upstreams = upstreams = upstreams_of(self.settings, self.upstream)
        self._judges = Judges(self.settings.judges)
        guard = await guard_of(self.settings, self._store, self._judges)
        for upstream in upstreams.made.values():
            if isinstance(upstream, EmbeddedUpstream):
                await upstream.load()
        guard = replace(watched(guard, upstreams, metrics), begins_ahead=self.settings.begin_ahead)
        versions = Versions(database)
        guards = Guards(self.settings, guard, versions)
        await guards.prepare()
        sessions = sessions_of(self.settings, SessionStore(database), guard.key)
        self._identities = provider_of(self.settings)
        authenticator, turns, limits = Authenticator(self.settings, guard.key, keys, sessions), Turns(), RateLimits()
        self.services = services = Services(self.settings, guards, authenticator, turns, upstreams, limits, ADAPTERS[0])
        routes = [ChatRoute(one, services) for one in ADAPTERS]
        stopping = Stopping(turns, self._store, Stops(database) if self.settings.is_shared else None)
        rights = Rights(database)
        webhooks = Webhooks(database)
        trail = audit_log_of(self.settings, database)
        console = Console(database)
        more = [*rights_routes(services, rights), *webhook_routes(services, webhooks)]
        more += [*console_routes(services, console), *audit_routes(services, trail)]
        self._loading = Loading((guard.assessor, guard.judge), guard.reader)
        more += health_routes(services, Readiness(services, self.room, self._loading, trail), metrics)
        more += policy_routes(services, versions, console)
        await warn_of_faults(trail)
        self._rest = rest = _rest(
            services, routes, self._judges, stopping, [*more, *oidc_routes(services, self._identities)]
        )
        observer.knows(rest.routes)
        self._deliverer = Deliverer(webhooks, guard.now)
        hourly = [retention(rights, self.settings.retention_days, guard.now), self._deliverer.forget]
        # Events are gone through at one time: whatever else writes to a SQLite file empties the cache of its turns.
        often: list[list[Job]] = [
            [logging_job(trail, guard.now), console.count],
            [self._deliverer.deliver],
        ]
        elsewhere = [stopping.take_up] if self.settings.is_shared else []
        witnesses = Witnesses(trail, witnesses_of(self.settings.witnesses), guard.now)
        self._jobs = [
            Jobs(hourly),
            Jobs([guards.refresh], every=AT_ONCE),
            Jobs([witnesses.round], every=WITNESSED_EVERY),
            *(Jobs([one], LOOK_SECONDS) for one in elsewhere),
        ]
        self._jobs += [Jobs(jobs, every=OFTEN) for jobs in often]  # no event waits for a slow receiver
        if metrics is not None:
            metrics.gauges += here(observer, self.room, store, upstreams.made)
            self._jobs.append(Jobs([look(metrics, trail, webhooks)], every=EVERY))
        for jobs in self._jobs:
            jobs.start()
        self._loading.start()
        origins = list(self.settings.allowed_origins)
        doors = {route.adapter.path: Turnstile(route, self.room) for route in routes}
        self._chats = {
            path: CORSMiddleware(door, origins, expose_headers=EXPOSED) if origins else door
            for path, door in doors.items()
        }

    async def cut(self) -> int:
        """End every turn under way with an error of its protocol; each still comes to its record. How many."""
        return 0 if self.services is None else await cut_all(self.services.turns, self.observer.metrics)

    async def stop(self) -> None:
        """Let go of everything."""
        for jobs in self._jobs:
            await jobs.stop()
        if self._loading is not None:
            await self._loading.stop()
        if self._deliverer is not None:
            await self._deliverer.close()
        if self._upstreams is not None:
            await self._upstreams.close()
        if self._identities is not None:
            await self._identities.close()
        await self._judges.close()
        await self.observer.close()
        if self._store is not None:
            self._store.close()


@dataclass(slots=True)
class _Lifespan:
    gateway: Gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            await self.gateway.start()
            try:
                yield
            finally:
                await self.gateway.stop()

        await Starlette(lifespan=lifespan)(scope, receive, send)


def create_app(settings: Settings, upstream: Upstream | None = None) -> Gateway:
    """The application for these settings."""
    return Gateway(settings, upstream)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
    code, message = "not_found", f"{error.detail}."
    if error.status_code == 404:
        message = f"{message} {not_here(request.url.path)}"
    elif error.status_code == 405:
        code = "method_not_allowed"
        message = not_so(request.method, request.url.path, (error.headers or {}).get("Allow", "others"))
    body = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return JSONResponse({"error": body}, error.status_code, error.headers)


async def _on_failure(request: Request, error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    body = {
        "message": "The gateway failed. Try again.",
        "type": "server_error",
        "param": None,
        "code": "internal_error",
    }
    return JSONResponse({"error": body}, 500)


def _rest(
    services: Services, chats: list[ChatRoute], judges: Judges, stopping: Stopping, more: list[Route]
) -> Starlette:
    origins = list(services.settings.allowed_origins)
    cors = [
        Middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], expose_headers=EXPOSED
        )
    ]
    return Starlette(
        routes=[
            *user_routes(services, judges, stopping),
            *key_routes(services),
            *session_routes(services),
            *more,
            *relay_routes(chats),
            *page_routes(),
        ],
        middleware=cors if origins else [],
        exception_handlers={HTTPException: _on_http, Exception: _on_failure},
    )
