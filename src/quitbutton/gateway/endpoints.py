"""Endpoints of our own: every one says what it needs of its caller, is let in by the same door, and errs in the same way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from quitbutton.core.errors import BadRequest, QuitbuttonError, TooLarge
from quitbutton.core.keys import Caller, Need
from quitbutton.gateway.http import error_headers
from quitbutton.gateway.services import Services

T = TypeVar("T")
MAX_SMALL_BODY = 64 * 1024
"""Largest body of a request that is no services, in bytes."""

Answer = Callable[[Request, Caller], Awaitable[Response]]


def endpoint(services: Services, method: str, path: str, need: Need, answer: Answer) -> Route:
    """A route of ours. `answer` is only asked for callers that may do what `need` says."""

    async def call(request: Request) -> Response:
        try:
            caller = await services.authenticator.admit(request.scope, need)
            return await answer(request, caller)
        except QuitbuttonError as error:
            headers = {"cache-control": "no-store", **dict(error_headers(error))}
            return Response(services.error(error), error.status, headers)

    return Route(path, call, methods=[method])


async def small_body(request: Request) -> bytes:
    """The body of a request that is no services. Raises `TooLarge`."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MAX_SMALL_BODY:
            raise TooLarge(f"The request body is over {MAX_SMALL_BODY} bytes. Send a smaller one.")
    return bytes(chunks)


async def decoded(request: Request, kind: type[T], shape: str) -> T:
    """The request's JSON body. Raises `BadRequest`, naming the `shape` it must have and what is wrong."""
    try:
        return msgspec.json.decode(await small_body(request), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The body must be {shape}: {error}.") from error


def iso(seconds: float) -> str:
    """A time as text, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def whole(given: str, name: str, low: int = 0, high: int = 2**62) -> int:
    """A whole number that a client wrote. Raises `BadRequest`, naming it and its bounds."""
    if not given.isascii() or not given.isdigit() or len(given) > 20 or not low <= int(given) <= high:
        raise BadRequest(f"`{name}` must be a whole number from {low} to {high}.")
    return int(given)
