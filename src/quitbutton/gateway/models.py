"""`GET /v1/models`: what the upstreams say they have, of several as one list."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import UpstreamFailed
from quitbutton.core.headers import passed_on
from quitbutton.interfaces import Headers, Upstream
from quitbutton.turn.exchange import whole
from quitbutton.upstreams.routing import Upstreams

PATH = "/v1/models"

log = logging.getLogger("quitbutton.gateway")


async def listed(upstreams: Upstreams, headers: Headers, query: str) -> tuple[int, Headers, bytes]:
    """Status, headers and body. Of one upstream its own answer; of several one list, of the models each answers for."""
    dialect = Dialect.ANTHROPIC if any(name == "anthropic-version" for name, _ in headers) else Dialect.OPENAI
    asked = upstreams.speaking(dialect) or dict(upstreams.made)
    if len(asked) == 1:
        return await _asked(next(iter(asked.values())), headers, f"?{query}" if query else "")
    models: dict[str, Any] = {}
    for name, upstream in asked.items():
        for model in await _models(name, upstream, headers):
            if upstreams.tables[name].answers_for(model["id"]):
                models.setdefault(model["id"], model)
    for name in asked:  # a server that lists nothing still answers for the models that its table names
        for known in upstreams.tables[name].models:
            if "*" not in known:
                models.setdefault(known, {"id": known, "object": "model", "created": 0, "owned_by": name})
    body = {"object": "list", "data": list(models.values()), "has_more": False}
    return 200, [("content-type", "application/json")], msgspec.json.encode(body)


async def _asked(upstream: Upstream, headers: Headers, query: str = "") -> tuple[int, Headers, bytes]:
    async with upstream.send("GET", PATH + query, headers, b"") as exchange:
        return exchange.status, passed_on(exchange.headers), await whole(exchange)


async def _models(name: str, upstream: Upstream, headers: Headers) -> list[dict[str, Any]]:
    try:
        _, _, body = await _asked(upstream, headers)
        found = msgspec.json.decode(body)["data"]
        return [model for model in found if isinstance(model, dict) and isinstance(model.get("id"), str)]
    except (UpstreamFailed, msgspec.DecodeError, LookupError, TypeError) as error:
        log.warning("the upstream %s did not list its models: %s", name, type(error).__name__)
        return []
