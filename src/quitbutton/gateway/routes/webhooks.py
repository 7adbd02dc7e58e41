"""Webhooks for operators: set up, removed, their deliveries listed and replayed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from quitbutton.core.errors import BadRequest
from quitbutton.core.keys import Caller, Need
from quitbutton.core.statements import iso
from quitbutton.core.webhooks import TYPES, Delivery, Webhook
from quitbutton.gateway.endpoints import decoded, endpoint, whole
from quitbutton.gateway.services import Services
from quitbutton.stores.webhooks import Webhooks

PATH = "/v1/quitbutton/webhooks"
NO_STORE = {"cache-control": "no-store"}
STATES = ("waiting", "done", "dead")
LONGEST_PAGE = 200
NEWEST = 1e15


class _NewWebhook(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    types: tuple[str, ...] = TYPES


def webhook_routes(services: Services, webhooks: Webhooks) -> list[Route]:
    """The routes. A secret is shown once, when its webhook is made."""
    now = services.now

    async def create(request: Request, _: Caller) -> Response:
        given = await decoded(request, _NewWebhook, "{url, types}")
        made = await webhooks.put(given.url, given.types, now())
        return JSONResponse({"secret": made.secret, **_view(made)}, 201, NO_STORE)

    async def listed(request: Request, _: Caller) -> Response:
        return JSONResponse(
            {"webhooks": [_view(one) for one in await webhooks.all()], "types": list(TYPES)}, headers=NO_STORE
        )

    async def remove(request: Request, _: Caller) -> Response:
        await webhooks.drop(request.path_params["webhook_id"])
        return Response(status_code=204)

    async def deliveries(request: Request, _: Caller) -> Response:
        state = request.query_params.get("state", "dead")
        limit = whole(request.query_params.get("limit", "50"), "limit", 1, LONGEST_PAGE)
        if state not in STATES:
            raise BadRequest(f"`state` must be one of {', '.join(STATES)}, not {state!r}.")
        found = await webhooks.deliveries(state, _before(request), limit)
        more = f"{found[-1].created_at!r}~{found[-1].id}" if len(found) == limit else None
        return JSONResponse({"deliveries": [_told(one) for one in found], "next": more}, headers=NO_STORE)

    async def replay(request: Request, _: Caller) -> Response:
        again = await webhooks.replay(request.path_params["delivery_id"], now())
        return JSONResponse(_told(again), 202, NO_STORE)

    return [
        endpoint(services, "POST", PATH, Need.MANAGE, create),
        endpoint(services, "GET", PATH, Need.READ, listed),
        endpoint(services, "DELETE", PATH + "/{webhook_id}", Need.MANAGE, remove),
        endpoint(services, "GET", "/v1/quitbutton/deliveries", Need.READ, deliveries),
        endpoint(services, "POST", "/v1/quitbutton/deliveries/{delivery_id}/replay", Need.MANAGE, replay),
    ]


def _before(request: Request) -> tuple[float, str]:
    at, _, last = request.query_params.get("before", "").partition("~")
    try:
        return (float(at) if at else NEWEST), last
    except ValueError as error:
        raise BadRequest("`before` must be what `next` of the page before said.") from error


def _view(one: Webhook) -> dict[str, Any]:
    return {"id": one.id, "url": one.url, "types": list(one.types), "created_at": iso(one.created_at)}


def _told(one: Delivery) -> dict[str, Any]:
    return {
        "id": one.id,
        "webhook": one.webhook,
        "type": one.type,
        "state": one.state,
        "attempts": one.attempts,
        "created_at": iso(one.created_at),
        "next_at": iso(one.next_at) if one.state == "waiting" else None,
        "status": one.status,
        "error": one.error,
        "body": json.loads(one.body),
    }
