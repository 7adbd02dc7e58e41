"""The console's first page for operators: counts by day, what waits for somebody, crisis referrals, the policy in force."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import quitbutton
from quitbutton.core.counting import REFERRED, day_of
from quitbutton.core.keys import Caller, Need
from quitbutton.core.versions import DEFAULT
from quitbutton.gateway.console_views import csv_of, overview_days, referrals, totals
from quitbutton.gateway.endpoints import endpoint
from quitbutton.gateway.routes.records import asked, record_routes
from quitbutton.gateway.services import Services
from quitbutton.stores.console import AT_ONCE, Console

API = "/v1/quitbutton"
NO_STORE = {"cache-control": "no-store"}
MOST_DAYS = 400


def console_routes(services: Services, console: Console) -> list[Route]:
    """The routes: operators and auditors read, nothing here changes anything."""
    now = services.now

    async def overview(request: Request, _: Caller) -> Response:
        days = asked(request, "days", 30, 1, MOST_DAYS)
        await console.count(AT_ONCE)
        last = day_of(now())
        rows = await console.daily(last - days + 1, last)
        body = {"days": overview_days(rows, last - days + 1, last), "totals": totals(rows)}
        health = {
            "version": quitbutton.__version__,
            "mode": services.guards.policy_named(DEFAULT).mode.value,
            "store": "ok",
        }
        return JSONResponse({**body, "waiting": await console.waiting(now()), "health": health}, headers=NO_STORE)

    async def crisis(request: Request, _: Caller) -> Response:
        return JSONResponse({"months": await months()}, headers=NO_STORE)

    async def crisis_csv(request: Request, _: Caller) -> Response:
        named = {"content-disposition": 'attachment; filename="crisis-referrals.csv"'}
        return Response(csv_of(await months()), headers={**NO_STORE, **named}, media_type="text/csv")

    async def months() -> list[dict[str, Any]]:
        await console.count(AT_ONCE)
        first = await console.first_day()
        return [] if first is None else referrals(await console.daily_of(REFERRED), first, day_of(now()))

    async def policy(request: Request, _: Caller) -> Response:
        held = services.guards.policy_named(DEFAULT)
        named = {name: services.guards.policy_named(name) for name in services.settings.policies}
        told = {name: {"digest": one.digest, "rules": asdict(one)} for name, one in named.items()}
        body = {
            "digest": held.digest,
            "rules": asdict(held),
            "policies": told,
            "routes": dict(services.settings.routes),
        }
        return JSONResponse(body, headers=NO_STORE)

    return [
        *record_routes(services, console),
        endpoint(services, "GET", f"{API}/overview", Need.READ, overview),
        endpoint(services, "GET", f"{API}/crisis-referrals", Need.READ, crisis),
        endpoint(services, "GET", f"{API}/crisis-referrals.csv", Need.READ, crisis_csv),
        endpoint(services, "GET", f"{API}/policy", Need.READ, policy),
    ]
