"""Policies for operators: their versions with differences and authors, roll-out, roll-back, and replays under a draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from quitbutton.core.errors import BadRequest, PolicyError, SettingsError
from quitbutton.core.keys import Caller, Need
from quitbutton.core.rules import Policy
from quitbutton.core.statements import iso
from quitbutton.core.versions import DEFAULT, MAX_NOTE, Stage, Version, checked_roll_out, difference
from quitbutton.gateway.chat_routes import ChatRoute
from quitbutton.gateway.endpoints import decoded, endpoint
from quitbutton.gateway.guards import Guards
from quitbutton.settings import policy_from
from quitbutton.simulation import simulate
from quitbutton.stores.rights import Rights
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.stores.versions import Versions
from quitbutton.wiring import check_policy

API = "/v1/quitbutton/policies"
NO_STORE = {"cache-control": "no-store"}
MOST = 200
"""Most conversations of one replay."""


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
    """Ids of conversations whose words are kept."""


def policy_routes(chat: ChatRoute, versions: Versions, rights: Rights) -> list[Route]:
    """The routes, over the guards of the chat."""
    guards, now = chat.guards, chat.guard.now

    async def listed(request: Request, _: Caller) -> Response:
        found = await versions.all()
        names = [DEFAULT, *chat.settings.policies]
        told = [_view_of(guards, name, found.get(name, [])) for name in names]
        return JSONResponse({"policies": told}, headers=NO_STORE)

    async def write(request: Request, caller: Caller) -> Response:
        name = request.path_params["name"]
        before = guards.policy_named(name)
        given = await decoded(request, _NewVersion, "{policy, note}")
        if len(given.note) > MAX_NOTE:
            raise BadRequest(f"`note` must have no more than {MAX_NOTE} characters.")
        policy = _policy(before, given.policy, chat)
        made = await versions.put(name, policy, caller.name or "operator", given.note.strip(), now())
        await guards.refresh()
        return JSONResponse(_version_view(made, before), 201, NO_STORE)

    async def roll_out(request: Request, caller: Caller) -> Response:
        name, number = request.path_params["name"], request.path_params["number"]
        before = guards.policy_named(name)
        given = await decoded(request, _RollOut, "{stage, share}")
        share = checked_roll_out(given.stage, given.share)
        if not number.isdigit():
            raise BadRequest("A version has a whole number.")
        moved = await versions.roll_out(name, int(number), given.stage, share, caller.name or "operator", now())
        await guards.refresh()
        return JSONResponse(_version_view(moved, before), headers=NO_STORE)

    async def replay(request: Request, _: Caller) -> Response:
        before = guards.policy_named(request.path_params["name"])
        given = await decoded(request, _Replay, "{policy, conversations, stored}")
        draft = _policy(before, given.policy, chat)
        rows = [*given.conversations, *[await _stored(rights, one) for one in given.stored]]
        if not 0 < len(rows) <= MOST:
            raise BadRequest(f"Name 1 to {MOST} conversations: `conversations` as {{id, messages}}, or `stored` ids.")
        changes = [await _compared(chat, row, before, draft) for row in rows]
        told = {"changed": sum(one["changed"] for one in changes), "of": len(changes), "conversations": changes}
        return JSONResponse({**told, "difference": difference(before, draft)}, headers=NO_STORE)

    return [
        endpoint(chat, "GET", API, Need.READ, listed),
        endpoint(chat, "POST", f"{API}/{{name}}/versions", Need.MANAGE, write),
        endpoint(chat, "POST", f"{API}/{{name}}/versions/{{number}}/stage", Need.MANAGE, roll_out),
        endpoint(chat, "POST", f"{API}/{{name}}/replay", Need.READ, replay),
    ]


def _policy(before: Policy, keys: dict[str, Any], chat: ChatRoute) -> Policy:
    """The policy in force with these keys changed. Raises `PolicyError`, naming the key."""
    policy = policy_from({**msgspec.to_builtins(before), **keys})
    try:
        check_policy(policy, chat.settings)
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


async def _stored(rights: Rights, conversation: str) -> dict[str, Any]:
    """A conversation whose words are kept, as a row to replay. Raises `BadRequest`."""
    words = await rights.words(conversation)
    if not words:
        raise BadRequest(f"No words of the conversation {conversation} are kept; `retention` says which are.")
    order = {"user": 0, "reply": 1}
    turns: dict[str, dict[str, dict[str, Any]]] = {}
    for word in words:
        turns.setdefault(word["message"], {})[word["speaker"]] = word
    roles = {"user": "user", "reply": "assistant"}
    messages = [
        {"role": roles[speaker], "content": said[speaker]["text"]}
        for said in turns.values()
        for speaker in sorted(said, key=order.__getitem__)
    ]
    return {"id": conversation, "messages": messages}


async def _compared(chat: ChatRoute, row: dict[str, Any], before: Policy, draft: Policy) -> dict[str, Any]:
    told = {}
    for name, policy in (("before", before), ("after", draft)):
        store = SQLStore(SQLite(":memory:"))
        try:
            found = await simulate(row, policy, chat.guard.assessor, store, chat.guard.reader)
        finally:
            store.close()
        told[name] = {key: found[key] for key in ("final", "warned_at", "ended_at", "crisis_at")}
    return {"id": row.get("id"), "changed": told["before"] != told["after"], **told}
