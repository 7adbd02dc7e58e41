"""The record for operators: conversations with their ladders, ends, decisions by kind, and where an id leads."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from quitbutton.core.appeals import DAY
from quitbutton.core.errors import BadRequest, NotFound
from quitbutton.core.keys import Caller, Need
from quitbutton.core.ladder.transitions import Rung
from quitbutton.gateway.console_views import conversation_view, end_view, event_view, turn_view
from quitbutton.gateway.endpoints import endpoint, whole
from quitbutton.gateway.routes.rights import listed
from quitbutton.gateway.services import Services
from quitbutton.stores.console import FILTERS, LAST_SEQ, NEWEST, Console, Page

RECORDS = "/v1/quitbutton/records"
NO_STORE = {"cache-control": "no-store"}
LONGEST_PAGE = 200
KINDS = (
    *(
        "turn.warn",
        "turn.end",
        "turn.support",
        "turn.check_in",
        "turn.ask",
        "turn.redirect",
        "turn.refuse",
        "press.denied",
    ),
    *("appeal.opened", "appeal.decided", "conversation.reopened", "words.erased"),
    *("session.opened", "key.created", "key.revoked", "policy.written", "policy.rolled_out"),
)
"""Kinds of events that can be listed; clean turns are in their conversations."""


def record_routes(services: Services, console: Console) -> list[Route]:
    """The routes: operators and auditors read, nothing here changes anything."""

    async def conversations(request: Request, _: Caller) -> Response:
        state = request.query_params.get("state") or None
        if state is not None and state not in tuple(Rung):
            raise BadRequest(f"`state` must be one of {', '.join(Rung)}, not {state!r}.")
        page = _page(request, r"[\w-]{1,80}")
        found = await console.conversations(state, page)
        more = _next(page, len(found), found and (found[-1].updated_at, found[-1].id))
        return JSONResponse(
            {"conversations": [conversation_view(one) for one in found], "next": more}, headers=NO_STORE
        )

    async def conversation(request: Request, _: Caller) -> Response:
        name = request.path_params["conversation"]
        one = await console.conversation(name)
        if one is None:
            raise NotFound("There is no conversation with this id. Replies name theirs as `quitbutton.conversation`.")
        limit = asked(request, "limit", 100, 1, LONGEST_PAGE)
        events = await console.ladder(name, asked(request, "before", LAST_SEQ, 1, LAST_SEQ), limit)
        words = await console.words(name, events[0]["at"], events[-1]["at"]) if events else []
        said = {(message, request, speaker): text for message, request, speaker, text in words}
        return JSONResponse(
            {
                **conversation_view(one),
                "key": await console.key_name(one.tenant),
                "turns": [turn_view(event, said) for event in events],
                "ends": [end_view(end) for end in await console.ends_of(name)],
                "appeals": [listed(appeal) for appeal in await console.appeals_of(name)],
                "next": events[0]["seq"] if len(events) == limit else None,
            },
            headers=NO_STORE,
        )

    async def ends(request: Request, _: Caller) -> Response:
        given = {name: value for name in FILTERS if (value := request.query_params.get(name))}
        state = request.query_params.get("state") or None
        if state not in (None, "ended", "reopened"):
            raise BadRequest(f"`state` must be ended or reopened, not {state!r}.")
        page = _page(request, r"[\w-]{1,80}")
        found = await console.ends(page, given, None if state is None else state == "reopened")
        more = _next(page, len(found), found and (found[-1].ended_at, found[-1].id))
        return JSONResponse({"ends": [end_view(end) for end in found], "next": more}, headers=NO_STORE)

    async def events(request: Request, _: Caller) -> Response:
        kind, page = request.query_params.get("kind", "press.denied"), _page(request, r"\d{1,18}")
        if kind not in KINDS:
            raise BadRequest(f"`kind` must be one of {', '.join(KINDS)}, not {kind!r}.")
        found = await console.events(kind, page)
        more = _next(page, len(found), found and (found[-1]["at"], str(found[-1]["seq"])))
        return JSONResponse({"events": [event_view(event) for event in found], "next": more}, headers=NO_STORE)

    async def names(request: Request, _: Caller) -> Response:
        return JSONResponse({**await console.names(), "kinds": list(KINDS)}, headers=NO_STORE)

    async def find(request: Request, _: Caller) -> Response:
        found = await console.find(request.query_params.get("id", "").strip())
        if found is None:
            raise NotFound("Nothing here has this id. It begins with conv_, msg_, end_ or req_, and is whole.")
        return JSONResponse({"conversation": found[0], "message": found[1]}, headers=NO_STORE)

    return [
        endpoint(services, "GET", f"{RECORDS}/conversations", Need.READ, conversations),
        endpoint(services, "GET", f"{RECORDS}/conversations/{{conversation}}", Need.READ, conversation),
        endpoint(services, "GET", f"{RECORDS}/ends", Need.READ, ends),
        endpoint(services, "GET", f"{RECORDS}/events", Need.READ, events),
        endpoint(services, "GET", f"{RECORDS}/names", Need.READ, names),
        endpoint(services, "GET", f"{RECORDS}/find", Need.READ, find),
    ]


def _page(request: Request, place: str) -> Page:
    """The page that is asked for; its last row's id must look like `place`."""
    since, until = _moment(request, "since"), _moment(request, "until")
    whole_days = len(request.query_params.get("until", "")) == len("2026-11-25")
    newest = NEWEST if until is None else until + DAY * whole_days
    limit = asked(request, "limit", 50, 1, LONGEST_PAGE)
    given = request.query_params.get("before")
    if not given:
        return Page(since or 0.0, newest, "", limit)
    found = re.fullmatch(rf"(\d{{1,12}}(?:\.\d{{1,12}})?)~({place})", given, re.ASCII)
    if found is None:
        raise BadRequest("`before` must be what `next` of the page before said.")
    return Page(since or 0.0, float(found[1]), found[2], limit)


def _next(page: Page, found: int, last: Any) -> str | None:
    return f"{last[0]!r}~{last[1]}" if found == page.limit else None


def _moment(request: Request, name: str) -> float | None:
    given = request.query_params.get(name)
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"`{name}` must be a date or time such as 2026-11-25 or 2026-11-25T12:00:00Z.") from error


def asked(request: Request, name: str, otherwise: int, low: int, high: int) -> int:
    """A whole number from the query. Raises `BadRequest`."""
    return whole(request.query_params.get(name) or str(otherwise), name, low, high)
