"""Policies for operators: their versions with differences and authors, roll-out, roll-back, and replays under a draft."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from enum import Enum
from functools import partial
from typing import Any, get_args, get_type_hints

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from quitbutton.core.errors import BadRequest, PolicyError, SettingsError
from quitbutton.core.keys import Caller, Need
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.statements import iso
from quitbutton.core.versions import DEFAULT, MAX_NOTE, Stage, Version, checked_roll_out, difference
from quitbutton.gateway.endpoints import decoded, endpoint, whole
from quitbutton.gateway.guards import Guards
from quitbutton.gateway.services import Services
from quitbutton.interfaces import Assessor, ReplyAssessor, Store
from quitbutton.replay.recorded import LONGEST, recorded
from quitbutton.replay.simulate import simulate
from quitbutton.settings.installation import policy_from
from quitbutton.stores.console import LAST_SEQ, Console, Page
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.stores.versions import Versions
from quitbutton.wiring import check_policy

API = "/v1/quitbutton/policies"
NO_STORE = {"cache-control": "no-store"}
MOST = 200
"""Most conversations of one replay."""

CHOICES = {
    name: [one.value for one in kind]
    for name, hint in get_type_hints(Policy).items()
    for kind in (hint, *get_args(hint))
    if isinstance(kind, type) and issubclass(kind, Enum)
}
"""What the keys of a policy that are chosen from a list may be."""


Course = Callable[[Policy, Store], Awaitable[dict[str, Any]]]
"""A conversation under a policy, with a store of its own."""


class _NewVersion(msgspec.Struct, forbid_unknown_fields=True):
    policy: dict[str, Any]
    note: str = ""


class _RollOut(msgspec.Struct, forbid_unknown_fields=True):
    stage: Stage
    share: float = 0.0


class _Replay(msgspec.Struct, forbid_unknown_fields=True):
    policy: dict[str, Any]
    conversations: list[dict[str, Any]] = []
    stored: list[str] = []
    """Ids of conversations of the record."""
    newest: int = 0
    """And as many of those that were newest spoken in."""


def policy_routes(services: Services, versions: Versions, console: Console) -> list[Route]:
    """The routes, over the guards of the services."""
    guards, now = services.guards, services.now

    async def listed(request: Request, _: Caller) -> Response:
        found = await versions.all()
        names = [DEFAULT, *services.settings.policies]
        told = [_view_of(guards, name, found.get(name, [])) for name in names]
        return JSONResponse({"policies": told, "choices": CHOICES}, headers=NO_STORE)

    async def write(request: Request, caller: Caller) -> Response:
        name = request.path_params["name"]
        before = guards.policy_named(name)
        given = await decoded(request, _NewVersion, "{policy, note}")
        if len(given.note) > MAX_NOTE:
            raise BadRequest(f"`note` must have no more than {MAX_NOTE} characters.")
        policy = _policy(before, given.policy, services)
        made = await versions.put(name, policy, caller.name or "operator", given.note.strip(), now())
        await guards.refresh()
        return JSONResponse(_version_view(made, before), 201, NO_STORE)

    async def roll_out(request: Request, caller: Caller) -> Response:
        name, number = request.path_params["name"], request.path_params["number"]
        before = guards.policy_named(name)
        given = await decoded(request, _RollOut, "{stage, share}")
        share = checked_roll_out(given.stage, given.share)
        number = whole(number, "number", 1)
        if stands := next((one for one in (await versions.all()).get(name, ()) if one.number == number), None):
            _check(stands.policy, services)
        moved = await versions.roll_out(name, number, given.stage, share, caller.name or "operator", now())
        await guards.refresh()
        return JSONResponse(_version_view(moved, before), headers=NO_STORE)

    async def replay(request: Request, _: Caller) -> Response:
        before = guards.policy_named(request.path_params["name"])
        given = await decoded(request, _Replay, "{policy, conversations, stored}")
        draft = _policy(before, given.policy, services)
        if not 0 < len(given.conversations) + len(given.stored) + max(0, given.newest) <= MOST:
            raise BadRequest(
                f"Name 1 to {MOST} conversations: `conversations` as {{id, messages}}, `stored` ids, or how many of the"
                " `newest`."
            )
        newest = (
            [one.id for one in await console.conversations(None, Page(limit=given.newest))] if given.newest > 0 else []
        )
        courses = [(row.get("id"), _course_of(services, row)) for row in given.conversations]
        for name in dict.fromkeys([*given.stored, *newest]):
            courses.append((name, recorded(name, await console.ladder(name, LAST_SEQ, LONGEST)).under))
        changes = [{"id": name, **await _compared(course, before, draft)} for name, course in courses]
        told = {"changed": sum(one["changed"] for one in changes), "of": len(changes), "conversations": changes}
        return JSONResponse({**told, "difference": difference(before, draft)}, headers=NO_STORE)

    return [
        endpoint(services, "GET", API, Need.READ, listed),
        endpoint(services, "POST", f"{API}/{{name}}/versions", Need.MANAGE, write),
        endpoint(services, "POST", f"{API}/{{name}}/versions/{{number}}/stage", Need.MANAGE, roll_out),
        endpoint(services, "POST", f"{API}/{{name}}/replay", Need.READ, replay),
    ]


def _policy(before: Policy, keys: dict[str, Any], services: Services) -> Policy:
    """The policy in force with these keys changed. Raises `PolicyError`, naming the key."""
    return _check(policy_from({**msgspec.to_builtins(before), **keys}), services)


def _check(policy: Policy, services: Services) -> Policy:
    """The same policy, where it can hold here. Raises `PolicyError`."""
    try:
        check_policy(policy, services.settings)
    except SettingsError as error:
        raise PolicyError(str(error)) from error
    return policy


def _view_of(guards: Guards, name: str, found: Sequence[Version]) -> dict[str, Any]:
    live = guards.policy_named(name)
    settings = guards.default.policy if name == DEFAULT else guards.settings.policies[name]
    views = []
    before = settings
    for one in found:
        views.append(_version_view(one, before))
        before = one.policy
    return {
        "name": name,
        "in_force": {"digest": live.digest, "policy": asdict(live)},
        "settings": {"digest": settings.digest, "policy": asdict(settings)},
        "versions": views[::-1],
    }


def _version_view(one: Version, before: Policy) -> dict[str, Any]:
    return {
        "number": one.number,
        "digest": one.policy.digest,
        "policy": asdict(one.policy),
        "difference": difference(before, one.policy),
        "author": one.author,
        "note": one.note,
        "created_at": iso(one.created_at),
        "stage": one.stage.value,
        "share": one.share or None,
        "changed_at": iso(one.changed_at),
        "changed_by": one.changed_by,
    }


def _course_of(services: Services, row: dict[str, Any]) -> Course:
    return partial(_simulated, row, services.guard.assessor, services.guard.reader)


async def _simulated(
    row: dict[str, Any], assessor: Assessor, reader: ReplyAssessor | None, policy: Policy, store: Store
) -> dict[str, Any]:
    return await simulate(row, policy, assessor, store, reader)


async def _compared(course: Course, before: Policy, draft: Policy) -> dict[str, Any]:
    told = {}
    for name, policy in (("before", before), ("after", draft)):
        store = SQLStore(SQLite(":memory:"))
        try:
            found = await course(policy, store)
        finally:
            store.close()
        told[name] = {key: found[key] for key in ("final", "warned_at", "ended_at", "crisis_at")}
    return {"changed": told["before"] != told["after"], **told}
