"""What an end user may ask about an end, and what operators do about it: statements, appeals, reviews."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from quitbutton.core.appeals import DAY, MAX_TEXT, Appeal, AppealSource, AppealState
from quitbutton.core.errors import BadRequest
from quitbutton.core.keys import Caller, Need
from quitbutton.core.notices import LANGUAGES, language_for
from quitbutton.core.rates import Rate
from quitbutton.core.statements import iso, statement, told
from quitbutton.gateway.endpoints import decoded, endpoint, whole
from quitbutton.gateway.services import Services
from quitbutton.stores.rights import Rights

API = "/v1/quitbutton"
NO_STORE = {"cache-control": "no-store"}
LONGEST_PAGE = 200
"""Most appeals in one answer."""


class _Appeal(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class _Decision(msgspec.Struct, forbid_unknown_fields=True):
    outcome: AppealState
    reason: str


class _Sample(msgspec.Struct, forbid_unknown_fields=True):
    share: float
    days: float = 30.0


def rights_routes(services: Services, rights: Rights) -> list[Route]:
    """The routes. A statement needs no login: whoever holds the end's id, which cannot be guessed, may read it."""
    now = services.now

    async def read(request: Request, _: Caller) -> Response:
        return JSONResponse(await _statement(services, rights, request), headers=NO_STORE)

    async def contest(request: Request, _: Caller) -> Response:
        given = await decoded(request, _Appeal, "{text}")
        if not given.text.strip() or len(given.text) > MAX_TEXT:
            raise BadRequest(f"`text` must have 1 to {MAX_TEXT} characters: say why the end was wrong.")
        appeal = await rights.appeal(request.path_params["end_id"], given.text.strip(), now())
        return JSONResponse(told(appeal), 201, NO_STORE)

    async def queue(request: Request, _: Caller) -> Response:
        state, limit = _state(request), _limit(request)
        due, _tilde, last = request.query_params.get("after", "").partition("~")
        found = await rights.queue(state, (_number(due), last), limit)
        more = f"{found[-1].due_at!r}~{found[-1].id}" if len(found) == limit else None
        return JSONResponse({"appeals": [listed(one) for one in found], "next": more}, headers=NO_STORE)

    async def one(request: Request, _: Caller) -> Response:
        appeal = await rights.find(request.path_params["appeal_id"])
        grounds = await rights.grounds(appeal.end_id)
        words, branch = await rights.words(grounds.end.conversation), await rights.messages_above(appeal.end_id)
        is_blind = appeal.source is AppealSource.SAMPLE and appeal.state is AppealState.OPEN
        said = [
            {
                "message": word["message"],
                "speaker": word["speaker"],
                "text": word["text"],
                "at": iso(word["at"]),
                "on_branch": word["message"] in branch,
            }
            for word in words
            if not (is_blind and word["speaker"] == "press")
        ]
        about = statement(grounds, _language(services, request), _links(services, appeal.end_id), now())
        told_ = {"blind": is_blind, "statement": blinded(about) if is_blind else about, "words": said}
        return JSONResponse({**listed(appeal), **told_}, headers=NO_STORE)

    async def decide(request: Request, caller: Caller) -> Response:
        given = await decoded(request, _Decision, '{outcome: "upheld" | "rejected", reason}')
        if given.outcome is AppealState.OPEN:
            raise BadRequest('`outcome` must be "upheld" or "rejected".')
        if not given.reason.strip() or len(given.reason) > MAX_TEXT:
            raise BadRequest(f"`reason` must have 1 to {MAX_TEXT} characters: the user is told.")
        name = caller.name or "operator"
        decided = await rights.decide(
            request.path_params["appeal_id"], given.outcome, name, given.reason.strip(), now()
        )
        return JSONResponse(listed(decided), headers=NO_STORE)

    async def sample(request: Request, _: Caller) -> Response:
        given = await decoded(request, _Sample, "{share, days}")
        if not 0 < given.share <= 1 or not 0 < given.days <= 3650:
            raise BadRequest("`share` must be over 0 and no more than 1, `days` over 0 and no more than 3650.")
        put = await rights.sample(now() - given.days * DAY, given.share, now())
        return JSONResponse({"put_into_the_queue": put}, 201, NO_STORE)

    async def false_ends(request: Request, _: Caller) -> Response:
        days = _number(request.query_params.get("days", "365"))
        return JSONResponse(rates_of(await rights.reviewed(now() - days * DAY)), headers=NO_STORE)

    return [
        endpoint(services, "GET", f"{API}/ends/{{end_id}}", Need.NOTHING, read),
        endpoint(services, "POST", f"{API}/ends/{{end_id}}/appeal", Need.NOTHING, contest),
        endpoint(services, "GET", f"{API}/appeals", Need.READ, queue),
        endpoint(services, "GET", f"{API}/appeals/{{appeal_id}}", Need.READ, one),
        endpoint(services, "POST", f"{API}/appeals/{{appeal_id}}/decision", Need.MANAGE, decide),
        endpoint(services, "POST", f"{API}/reviews/sample", Need.MANAGE, sample),
        endpoint(services, "GET", f"{API}/reviews/false-ends", Need.READ, false_ends),
    ]


async def _statement(services: Services, rights: Rights, request: Request) -> dict[str, Any]:
    end_id = request.path_params["end_id"]
    grounds = await rights.grounds(end_id)
    return statement(grounds, _language(services, request), _links(services, end_id), services.now())


def _links(services: Services, end_id: str) -> dict[str, str | None]:
    links = services.guard.links
    return {"statement_url": links.statement(end_id), "appeal_url": links.appeal(end_id)}


def _language(services: Services, request: Request) -> str:
    wanted = request.query_params.get("lang", "")
    return (
        wanted
        if wanted in LANGUAGES
        else language_for(services.guard.policy, request.headers.get("accept-language", ""))
    )


def blinded(about: dict[str, Any]) -> dict[str, Any]:
    """A statement as a blind reviewer may see it: what was said on which rung, not who or what decided, or found what."""
    seen = ("rung", "message", "at", "excerpt", "reply_excerpt")
    facts = [{name: fact[name] for name in seen} for fact in about["facts"]]
    return {"id": about["id"], "language": about["language"], "facts": facts}


def listed(appeal: Appeal) -> dict[str, Any]:
    """An appeal as an operator sees it."""
    return {
        **told(appeal),
        "end_id": appeal.end_id,
        "source": appeal.source.value,
        "due_at": iso(appeal.due_at),
        "decided_by": appeal.decided_by,
    }


def rates_of(rows: list[Any]) -> dict[str, Any]:
    """False ends among the reviewed ones: of appeals and of random samples apart, and by policy, model and reason.

    Only a sample says how many ends are false; appeals are filed where somebody feels wronged.
    """
    groups: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for policy, model, reason, source, state in rows:
        false = state == AppealState.UPHELD.value
        groups["source", source].append(false)
        for kind, name in (("policy", policy), ("model", model), ("reason", reason)):
            groups[f"{source}/{kind}", name].append(false)
    out: dict[str, Any] = defaultdict(dict)
    for (kind, name), found in groups.items():
        out[kind][name] = Rate(sum(found), len(found)).told()
    return dict(out)


def _state(request: Request) -> AppealState:
    given = request.query_params.get("state", AppealState.OPEN.value)
    try:
        return AppealState(given)
    except ValueError as error:
        raise BadRequest(f"`state` must be one of {', '.join(AppealState)}, not {given!r}.") from error


def _limit(request: Request) -> int:
    return whole(request.query_params.get("limit", "50"), "limit", 1, LONGEST_PAGE)


def _number(text: str) -> float:
    try:
        number = float(text or 0.0)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadRequest(f"{text[:40]!r} is not a number.")
    return number
