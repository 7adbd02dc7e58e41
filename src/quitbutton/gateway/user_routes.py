"""What an end user's client may ask and do: state of a conversation, stop, feedback, and what runs here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import quitbutton
from quitbutton.core.announcement import ended
from quitbutton.core.errors import BadRequest, NotFound, QuitbuttonError
from quitbutton.core.notices import LANGUAGES, language_for
from quitbutton.gateway.chat_routes import ChatRoute, stop
from quitbutton.gateway.http import headers_of, headers_upstream
from quitbutton.gateway.models import listed
from quitbutton.gateway.openapi import document
from quitbutton.wiring import Judges

MAX_FEEDBACK = 4000
"""Longest text of a feedback, in characters."""
MAX_SMALL_BODY = 64 * 1024
"""Largest body of a request that is no chat, in bytes."""

Endpoint = Callable[[Request], Awaitable[Response]]


class _Feedback(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    rating: str
    text: str = ""


def user_routes(route: ChatRoute, judges: Judges) -> list[Route]:
    """The routes, over the same guard as the chat."""

    async def health(request: Request) -> Response:
        await route.guard.store.ping()
        return JSONResponse({"status": "ok", "version": quitbutton.__version__})

    async def about(request: Request) -> Response:
        settings = route.settings
        return JSONResponse(
            {
                "name": "quitbutton",
                "version": quitbutton.__version__,
                "demonstration": settings.is_embedded,
                "model": settings.model if settings.is_embedded else None,
                "mode": route.guard.policy.mode,
                "policy": route.guard.policy.digest,
                "locales": list(LANGUAGES),
            }
        )

    async def judge_reports(request: Request) -> Response:
        route.doorkeeper.tenant_of(headers_of(request.scope))
        return JSONResponse({"judges": [asdict(report) for report in judges.reports()]})

    async def models(request: Request) -> Response:
        route.doorkeeper.tenant_of(headers_of(request.scope))
        headers = headers_upstream(request.scope, with_key=not route.settings.api_keys)
        status, passed, body = await listed(route.upstreams, headers, request.url.query)
        return Response(body, status, dict(passed))

    async def conversation(request: Request) -> Response:
        tenant = route.doorkeeper.tenant_of(headers_of(request.scope))
        name = request.path_params["conversation"]
        view = await route.guard.store.conversation(tenant, name)
        if view is None:
            raise NotFound("There is no such conversation of yours. Replies name theirs as `quitbutton.conversation`.")
        language = language_for(route.guard.policy, request.headers.get("accept-language", ""))
        return JSONResponse(
            {
                "id": view.id,
                "state": view.state,
                "turns": view.turns,
                "created_at": _iso(view.created_at),
                "updated_at": _iso(view.updated_at),
                "ends": [ended(end, language) for end in view.ends],
            }
        )

    async def stop_request(request: Request) -> Response:
        tenant = route.doorkeeper.tenant_of(headers_of(request.scope))
        receipt = await stop(route, tenant, request.path_params["request_id"])
        return JSONResponse(asdict(receipt))

    async def feedback(request: Request) -> Response:
        tenant = route.doorkeeper.tenant_of(headers_of(request.scope))
        given = _decoded(await _small_body(request))
        now = route.guard.now()
        await route.guard.store.put_feedback(tenant, given.about, given.rating, given.text, now)
        return Response(status_code=204)

    async def openapi(request: Request) -> Response:
        return JSONResponse(document())

    def guarded(endpoint: Endpoint) -> Endpoint:
        async def call(request: Request) -> Response:
            try:
                route.doorkeeper.check_site(headers_of(request.scope))
                return await endpoint(request)
            except QuitbuttonError as error:
                return Response(route.adapter.error(error), error.status, media_type="application/json")

        return call

    return [
        Route("/healthz", guarded(health), methods=["GET"]),
        Route("/v1/models", guarded(models), methods=["GET"]),
        Route("/v1/quitbutton/about", guarded(about), methods=["GET"]),
        Route("/v1/quitbutton/judges", guarded(judge_reports), methods=["GET"]),
        Route("/v1/quitbutton/openapi.json", guarded(openapi), methods=["GET"]),
        Route("/v1/quitbutton/conversations/{conversation}", guarded(conversation), methods=["GET"]),
        Route("/v1/quitbutton/stop/{request_id}", guarded(stop_request), methods=["POST"]),
        Route("/v1/quitbutton/feedback", guarded(feedback), methods=["POST"]),
    ]


async def _small_body(request: Request) -> bytes:
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MAX_SMALL_BODY:
            raise BadRequest(f"The request body is over {MAX_SMALL_BODY} bytes.")
    return bytes(chunks)


def _decoded(body: bytes) -> _Feedback:
    try:
        given = msgspec.json.decode(body, type=_Feedback)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"A feedback is {{about, rating, text}}: {error}.") from error
    if given.rating not in ("up", "down"):
        raise BadRequest('`rating` must be "up" or "down".')
    if not given.about.startswith(("req_", "end_")) or len(given.about) > 64:
        raise BadRequest("`about` must be the id of a request (req_...) or of an end (end_...).")
    if len(given.text) > MAX_FEEDBACK:
        raise BadRequest(f"`text` must have at most {MAX_FEEDBACK} characters.")
    return given


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
