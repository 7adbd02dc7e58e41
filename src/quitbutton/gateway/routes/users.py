"""What an end user's client may ask and do: state of a conversation, stop, feedback, and what runs here."""

from __future__ import annotations

from dataclasses import asdict

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import quitbutton
from quitbutton.core.announcement import ended
from quitbutton.core.errors import BadRequest, NotFound
from quitbutton.core.keys import Caller, Need
from quitbutton.core.notices import LANGUAGES, language_for
from quitbutton.gateway.endpoints import decoded, endpoint, iso
from quitbutton.gateway.http import headers_upstream
from quitbutton.gateway.models import listed
from quitbutton.gateway.openapi import document
from quitbutton.gateway.services import Services
from quitbutton.gateway.stopping import Stopping
from quitbutton.wiring import Judges

MAX_FEEDBACK = 4000
"""Longest text of a feedback, in characters."""


class _Feedback(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    rating: str
    text: str = ""


def user_routes(services: Services, judges: Judges, stopping: Stopping) -> list[Route]:
    """The routes, over the same guard as the chat."""

    async def health(request: Request, _: Caller) -> Response:
        await services.guard.store.ping()
        return JSONResponse({"status": "ok", "version": quitbutton.__version__})

    async def about(request: Request, _: Caller) -> Response:
        settings = services.settings
        return JSONResponse(
            {
                "name": "quitbutton",
                "version": quitbutton.__version__,
                "demonstration": settings.is_embedded,
                "model": settings.model if settings.is_embedded else None,
                "mode": services.guard.policy.mode,
                "policy": services.guard.policy.digest,
                "locales": list(LANGUAGES),
            }
        )

    async def judge_reports(request: Request, _: Caller) -> Response:
        return JSONResponse({"judges": [asdict(report) for report in judges.reports()]})

    async def models(request: Request, caller: Caller) -> Response:
        services.count(caller)
        headers = headers_upstream(request.scope, with_key=not caller.is_known)
        status, passed, body = await listed(services.upstreams, headers, request.url.query)
        return Response(body, status, dict(passed))

    async def conversation(request: Request, caller: Caller) -> Response:
        name = request.path_params["conversation"]
        view = await services.guard.store.conversation(caller.tenant, name)
        if view is None:
            raise NotFound("There is no such conversation of yours. Replies name theirs as `quitbutton.conversation`.")
        language = language_for(
            services.guard_for(caller, services.home.path).policy, request.headers.get("accept-language", "")
        )
        return JSONResponse(
            {
                "id": view.id,
                "state": view.state,
                "turns": view.turns,
                "created_at": iso(view.created_at),
                "updated_at": iso(view.updated_at),
                "ends": [ended(end, language) for end in view.ends],
            }
        )

    async def stop_request(request: Request, caller: Caller) -> Response:
        receipt = await stopping.stop(caller.tenant, request.path_params["request_id"])
        return JSONResponse(receipt._asdict())

    async def feedback(request: Request, caller: Caller) -> Response:
        services.count(caller)
        given = _checked(await decoded(request, _Feedback, "{about, rating, text}"))
        now = services.now()
        await services.guard.store.put_feedback(caller.tenant, given.about, given.rating, given.text, now)
        return Response(status_code=204)

    async def openapi(request: Request, _: Caller) -> Response:
        return JSONResponse(document())

    return [
        endpoint(services, "GET", "/healthz", Need.NOTHING, health),
        endpoint(services, "GET", "/v1/models", Need.CHAT, models),
        endpoint(services, "GET", "/v1/quitbutton/about", Need.NOTHING, about),
        endpoint(services, "GET", "/v1/quitbutton/judges", Need.READ, judge_reports),
        endpoint(services, "GET", "/v1/quitbutton/openapi.json", Need.NOTHING, openapi),
        endpoint(services, "GET", "/v1/quitbutton/conversations/{conversation}", Need.CHAT, conversation),
        endpoint(services, "POST", "/v1/quitbutton/stop/{request_id}", Need.CHAT, stop_request),
        endpoint(services, "POST", "/v1/quitbutton/feedback", Need.CHAT, feedback),
    ]


def _checked(given: _Feedback) -> _Feedback:
    if given.rating not in ("up", "down"):
        raise BadRequest('`rating` must be "up" or "down".')
    if not given.about.startswith(("req_", "end_")) or len(given.about) > 64:
        raise BadRequest("`about` must be the id of a request (req_...) or of an end (end_...).")
    if len(given.text) > MAX_FEEDBACK:
        raise BadRequest(f"`text` must have at most {MAX_FEEDBACK} characters.")
    return given
