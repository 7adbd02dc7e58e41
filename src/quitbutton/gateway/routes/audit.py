"""The audit trail for operators and auditors: its head, events with their state, proofs, the whole export."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from quitbutton.audit.signer import is_signed_by
from quitbutton.core.audit.log import FIELDS
from quitbutton.core.errors import BadRequest
from quitbutton.core.keys import Caller, Need
from quitbutton.gateway.endpoints import endpoint, whole
from quitbutton.gateway.services import Services
from quitbutton.stores.audit import AuditLog
from quitbutton.stores.checking import check_log
from quitbutton.stores.leaves import Logged

API = "/v1/quitbutton/audit"
NO_STORE = {"cache-control": "no-store"}
LONGEST_PAGE = 200
NEWEST = 1 << 62


def audit_routes(services: Services, log: AuditLog) -> list[Route]:
    """The routes."""

    async def head(request: Request, _: Caller) -> Response:
        size, note = await log.head()
        told = {"key": log.signer.key.text, "size": size, "checkpoint": note, "waiting": await log.unlogged()}
        return JSONResponse({**told, "fault": log.fault}, headers=NO_STORE)

    async def events(request: Request, _: Caller) -> Response:
        before, limit = _whole(request, "before", NEWEST), _whole(request, "limit", 50)
        if not 1 <= limit <= LONGEST_PAGE:
            raise BadRequest(f"`limit` must be a number from 1 to {LONGEST_PAGE}.")
        found = await log.newest(before, limit)
        more = found[-1].n if len(found) == limit and found[-1].n > 0 else None
        return JSONResponse({"events": [told(one) for one in found], "next": more}, headers=NO_STORE)

    async def proof(request: Request, _: Caller) -> Response:
        return JSONResponse(await log.inclusion(whole(request.path_params["seq"], "seq")), headers=NO_STORE)

    async def consistency(request: Request, _: Caller) -> Response:
        size, _note = await log.head()
        old, new = _whole(request, "from", 0), _whole(request, "to", size)
        return JSONResponse(await log.consistency(old, new), headers=NO_STORE)

    async def check(request: Request, _: Caller) -> Response:
        found = await check_log(log, is_signed_by)
        told_ = {"sound": found.is_sound, "events": found.events, "signed": found.signed, "problems": found.problems}
        return JSONResponse({**told_, "checkpoints": found.checkpoints, "key": found.key}, headers=NO_STORE)

    async def export(request: Request, _: Caller) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            async for line in log.export():
                yield line.encode("utf-8", "surrogatepass")

        headers = {**NO_STORE, "content-disposition": 'attachment; filename="quitbutton-audit.jsonl"'}
        return StreamingResponse(lines(), media_type="application/jsonl", headers=headers)

    return [
        endpoint(services, "GET", API, Need.READ, head),
        endpoint(services, "GET", f"{API}/events", Need.READ, events),
        endpoint(services, "GET", f"{API}/events/{{seq}}/proof", Need.READ, proof),
        endpoint(services, "GET", f"{API}/consistency", Need.READ, consistency),
        endpoint(services, "GET", f"{API}/check", Need.READ, check),
        endpoint(services, "GET", f"{API}/export", Need.READ, export),
    ]


def told(one: Logged) -> dict[str, Any]:
    """A logged event as JSON, with what is wrong with it, if anything."""
    event: dict[str, Any] = {} if one.event is None else dict(zip(FIELDS, one.event, strict=True))
    if "body" in event:
        event["body"] = json.loads(event["body"])
    return {"n": one.n, "seq": one.seq, "hash": one.hash.hex(), "fault": one.fault, **event}


def _whole(request: Request, name: str, default: int) -> int:
    given = request.query_params.get(name)
    if given is None:
        return default
    return whole(given, name)
