"""What machines ask a gateway: does it live, may it be sent requests, what are its metrics?"""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from quitbutton.core.errors import QuitbuttonError
from quitbutton.core.keys import Caller, Need, token_of
from quitbutton.gateway.endpoints import endpoint
from quitbutton.gateway.http import error_headers, headers_of
from quitbutton.gateway.loading import Loading
from quitbutton.gateway.services import Services
from quitbutton.gateway.turnstile import Room
from quitbutton.observing.metrics import Metrics
from quitbutton.settings.installation import MetricsFor
from quitbutton.stores.audit import AuditLog

PING_SECONDS = 1.0
"""How long a store may take to answer before the gateway calls itself not ready."""
NO_STORE = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class Readiness:
    """What decides whether requests may come."""

    services: Services
    room: Room
    loading: Loading
    trail: AuditLog

    async def store(self) -> str:
        """`ok`, `slow` or `failed`."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self.services.guard.store.ping()
        except TimeoutError:
            return "slow"
        except QuitbuttonError:
            return "failed"
        return "ok"

    async def answer(self) -> Response:
        """200 or 503, and why; an assessor that failed, or a trail with a fault, stops nobody from chatting."""
        store = await self.store()
        is_ready = store == "ok" and self.loading.state != "loading" and not self.room.is_stopping
        told = {"ready": is_ready, "store": store, "assessor": self.loading.state, "stopping": self.room.is_stopping}
        told["audit"] = "ok" if self.trail.fault is None else "fault"
        return JSONResponse(told, 200 if is_ready else 503, NO_STORE)


def health_routes(services: Services, readiness: Readiness, metrics: Metrics | None) -> list[Route]:
    """The routes; `/metrics` is only there where it is not off."""

    async def live(request: Request, _: Caller) -> Response:
        return JSONResponse({"status": "ok"}, headers=NO_STORE)

    async def ready(request: Request, _: Caller) -> Response:
        return await readiness.answer()

    routes = [
        endpoint(services, "GET", "/livez", Need.NOTHING, live),
        endpoint(services, "GET", "/readyz", Need.NOTHING, ready),
    ]
    return routes if metrics is None else [*routes, _metrics_route(services, metrics)]


def _metrics_route(services: Services, metrics: Metrics) -> Route:
    async def told(request: Request) -> Response:
        try:
            await _admit(services, request)
        except QuitbuttonError as error:
            return Response(services.error(error), error.status, {**NO_STORE, **dict(error_headers(error))})
        text, content_type = metrics.text(request.headers.get("accept", ""))
        return Response(text, headers={**NO_STORE, "content-type": content_type})

    return Route("/metrics", told, methods=["GET"])


async def _admit(services: Services, request: Request) -> None:
    """Raises where the caller may not read the metrics."""
    settings = services.settings
    if settings.metrics is MetricsFor.OPEN:
        await services.authenticator.admit(request.scope, Need.NOTHING)
        return
    token, given = settings.metrics_token, token_of(headers_of(request.scope))
    if token and given and hmac.compare_digest(token.encode(), given.encode()):
        return
    await services.authenticator.admit(request.scope, Need.READ)
