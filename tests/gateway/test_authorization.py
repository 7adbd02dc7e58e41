"""Who may do what: every route, as every caller. A new route fails here until it stands in the table."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.gateway.inside import CHAT, OPERATOR, OTHER, Inside, filled, inside, keyed

from quitbutton.core.keys import Need
from quitbutton.gateway.limits import LoginThrottle

API = "/v1/quitbutton"
TABLE = {
    ("POST", "/v1/chat/completions"): Need.CHAT,
    ("POST", "/v1/responses"): Need.CHAT,
    ("POST", "/v1/messages"): Need.CHAT,
    ("POST", "/v1/completions"): Need.CHAT,
    ("POST", "/v1/embeddings"): Need.CHAT,
    ("POST", "/v1/messages/count_tokens"): Need.CHAT,
    ("POST", "/v1/responses/input_tokens"): Need.CHAT,
    ("GET", "/v1/responses/{response_id}"): Need.CHAT,
    ("DELETE", "/v1/responses/{response_id}"): Need.CHAT,
    ("POST", "/v1/responses/{response_id}/cancel"): Need.CHAT,
    ("GET", "/v1/responses/{response_id}/input_items"): Need.CHAT,
    ("POST", "/v1/conversations"): Need.CHAT,
    ("GET", "/v1/conversations/{conversation_id}"): Need.CHAT,
    ("DELETE", "/v1/conversations/{conversation_id}"): Need.CHAT,
    ("GET", "/v1/conversations/{conversation_id}/items"): Need.CHAT,
    ("GET", "/v1/models"): Need.CHAT,
    ("GET", f"{API}/conversations/{{conversation}}"): Need.CHAT,
    ("POST", f"{API}/stop/{{request_id}}"): Need.CHAT,
    ("POST", f"{API}/feedback"): Need.CHAT,
    ("GET", f"{API}/judges"): Need.READ,
    ("POST", f"{API}/keys"): Need.MANAGE,
    ("GET", f"{API}/keys"): Need.MANAGE,
    ("DELETE", f"{API}/keys/{{key_id}}"): Need.MANAGE,
    ("GET", "/healthz"): Need.NOTHING,
    ("GET", "/livez"): Need.NOTHING,
    ("GET", "/readyz"): Need.NOTHING,
    ("GET", "/metrics"): Need.READ,
    ("GET", f"{API}/about"): Need.NOTHING,
    ("GET", f"{API}/openapi.json"): Need.NOTHING,
    ("POST", f"{API}/session"): Need.NOTHING,
    ("GET", f"{API}/session"): Need.NOTHING,
    ("DELETE", f"{API}/session"): Need.NOTHING,
    ("GET", f"{API}/session/oidc"): Need.NOTHING,
    ("GET", f"{API}/session/oidc/callback"): Need.NOTHING,
    ("GET", f"{API}/ends/{{end_id}}"): Need.NOTHING,
    ("POST", f"{API}/ends/{{end_id}}/appeal"): Need.NOTHING,
    ("GET", f"{API}/appeals"): Need.READ,
    ("GET", f"{API}/appeals/{{appeal_id}}"): Need.READ,
    ("POST", f"{API}/appeals/{{appeal_id}}/decision"): Need.MANAGE,
    ("POST", f"{API}/reviews/sample"): Need.MANAGE,
    ("GET", f"{API}/reviews/false-ends"): Need.READ,
    ("POST", f"{API}/webhooks"): Need.MANAGE,
    ("GET", f"{API}/webhooks"): Need.READ,
    ("DELETE", f"{API}/webhooks/{{webhook_id}}"): Need.MANAGE,
    ("GET", f"{API}/deliveries"): Need.READ,
    ("POST", f"{API}/deliveries/{{delivery_id}}/replay"): Need.MANAGE,
    ("GET", f"{API}/audit"): Need.READ,
    ("GET", f"{API}/audit/events"): Need.READ,
    ("GET", f"{API}/audit/events/{{seq}}/proof"): Need.READ,
    ("GET", f"{API}/audit/consistency"): Need.READ,
    ("GET", f"{API}/audit/check"): Need.READ,
    ("GET", f"{API}/audit/export"): Need.READ,
    ("GET", f"{API}/overview"): Need.READ,
    ("GET", f"{API}/crisis-referrals"): Need.READ,
    ("GET", f"{API}/crisis-referrals.csv"): Need.READ,
    ("GET", f"{API}/policy"): Need.READ,
    ("GET", f"{API}/records/conversations"): Need.READ,
    ("GET", f"{API}/records/conversations/{{conversation}}"): Need.READ,
    ("GET", f"{API}/records/ends"): Need.READ,
    ("GET", f"{API}/records/events"): Need.READ,
    ("GET", f"{API}/records/names"): Need.READ,
    ("GET", f"{API}/records/find"): Need.READ,
    ("GET", f"{API}/policies"): Need.READ,
    ("POST", f"{API}/policies/{{name}}/versions"): Need.MANAGE,
    ("POST", f"{API}/policies/{{name}}/versions/{{number}}/stage"): Need.MANAGE,
    ("POST", f"{API}/policies/{{name}}/replay"): Need.READ,
    ("GET", "/"): Need.NOTHING,
    ("GET", "/console"): Need.NOTHING,
    ("GET", "/web/{path:path}"): Need.NOTHING,
    ("GET", "/ends/{end_id}"): Need.NOTHING,
    ("GET", "/reference"): Need.NOTHING,
}
PAGES = ("/", "/console", "/web/{path:path}", "/ends/{end_id}", "/reference")

"""What each route needs. Whoever adds a route decides here who may use it."""

UNKNOWN = ("nobody", "wrong key", "revoked key", "expired key", "wrong cookie", "ended session")
CALLERS = (*UNKNOWN, "chat", "other chat", "operator", "auditor")
CALLERS += ("operator's cookie", "operator's cookie alone", "auditor's cookie", "auditor's cookie alone")

SIGN_OUT = ("DELETE", f"{API}/session")


def expected(method: str, need: Need, caller: str) -> int:
    """The status that keeps a caller out, or 0 where it comes in."""
    if need is Need.NOTHING:
        return 0
    if caller in UNKNOWN or (need is Need.CHAT and "cookie" in caller):
        return 401
    if need is Need.CHAT:
        return 0 if "chat" in caller else 403
    if "alone" in caller and method != "GET":
        return 403
    may = ("operator", "auditor") if need is Need.READ else ("operator",)
    return 0 if caller.startswith(may) else 403


async def callers(gateway: Inside) -> dict[str, dict[str, str]]:
    """The headers of each caller."""
    chat, auditor = await gateway.make("store", "chat"), await gateway.make("watch", "auditor")
    gone, boss = await gateway.make("gone", "operator"), await gateway.make("boss", "operator")
    away = await gateway.make("away", "operator")
    cookies = {"operator": await gateway.sign_in(boss["secret"]), "auditor": await gateway.sign_in(auditor["secret"])}
    ended = await gateway.sign_in(gone["secret"])
    late = await gateway.make("late", "operator", expires_in="1h")
    for key in (gone, away):
        assert (await gateway.ask("DELETE", f"{API}/keys/{key['id']}", key=OPERATOR)).status_code == 200
    door = gateway.app.services.authenticator
    now = door.now
    door.now = lambda: now() + 7200  # an hour too late for the key; sessions have a clock of their own

    def key(token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}

    found = {"nobody": {}, "wrong key": key("qb_wrong"), "revoked key": key(away["secret"])}
    found |= {"expired key": key(late["secret"]), "wrong cookie": {"cookie": "quitbutton_session=x"}}
    found |= {"ended session": ended, "chat": key(CHAT), "other chat": key(chat["secret"])}
    found |= {"operator": key(OPERATOR), "auditor": {"x-api-key": auditor["secret"]}}
    for role, headers in cookies.items():
        found[f"{role}'s cookie"] = headers
        found[f"{role}'s cookie alone"] = {"cookie": headers["cookie"]}
    return found


def test_every_route_stands_in_the_table(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        routes = gateway.app.routes()
        assert len(routes) == len(set(routes))
        assert set(routes) == set(TABLE)

    inside(keyed(tmp_path), scene)


def test_nobody_reaches_what_is_not_for_them(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        asked = 0
        everybody = await callers(gateway)
        assert tuple(sorted(everybody)) == tuple(sorted(CALLERS))
        for (method, path), need in TABLE.items():
            for caller, headers in everybody.items():
                if (method, path) == SIGN_OUT and "cookie" in headers:
                    continue  # has a test of its own: it would sign out the callers of this one
                door = gateway.app.services.authenticator  # guessing has tests of its own
                door.guesses, door.wrong_keys = LoginThrottle(), LoginThrottle()
                body = None if method == "GET" else {"wrong": 1}
                answer = await gateway.ask(method, filled(path), body, **headers)
                wanted, status = expected(method, need, caller), answer.status_code
                case = f"{method} {path} as {caller}: {status} {answer.text[:200]}"
                assert (
                    status == wanted
                    if wanted
                    else status not in (403, 429, 500) and (status != 401 or path == f"{API}/session")
                ), case
                if wanted:
                    assert set(answer.json()) <= {"error", "type"}, case
                asked += 1
        assert asked > len(TABLE) * (len(CALLERS) - 1)

    inside(keyed(tmp_path), scene)


def test_without_any_key_this_machine_may_do_everything(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        for method, path in TABLE:
            answer = await gateway.ask(method, filled(path), None if method == "GET" else {"wrong": 1})
            assert answer.status_code not in (401, 403), path
            for headers in ({"host": "rebound.example"}, {"origin": "https://evil.example"}):
                foreign = await gateway.ask(method, filled(path), None if method == "GET" else {"wrong": 1}, **headers)
                assert (foreign.status_code == 403) == (path not in PAGES), (path, headers)

    inside(keyed(tmp_path, api_keys=(), operator_keys=()), scene)


@pytest.mark.parametrize(("role", "chats"), [("chat", 401), ("operator", 502), ("auditor", 502)])
def test_the_first_key_closes_what_it_is_for_and_revoking_it_opens_nothing(
    tmp_path: Path, role: str, chats: int
) -> None:
    async def scene(gateway: Inside) -> None:
        hello = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        made = (await gateway.ask("POST", f"{API}/keys", {"name": "first", "role": role})).json()
        await gateway.app.services.authenticator.keys.revoke(made["id"], "ann", 1.0)
        assert (await gateway.ask("GET", f"{API}/keys")).status_code == 401
        assert (await gateway.ask("GET", f"{API}/judges")).status_code == 401
        assert (await gateway.ask("POST", "/v1/chat/completions", hello)).status_code == chats

    inside(keyed(tmp_path, api_keys=(), operator_keys=()), scene)


def test_a_page_of_an_allowed_origin_may_chat_but_is_no_operator(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        page = {"origin": "https://app.example"}
        for (method, path), need in TABLE.items():
            answer = await gateway.ask(method, filled(path), None if method == "GET" else {"wrong": 1}, **page)
            refused = need in (Need.READ, Need.MANAGE)
            assert (answer.status_code == 403) == refused, path

    settings = keyed(tmp_path, api_keys=(), operator_keys=(), allowed_origins=("https://app.example",))
    inside(settings, scene)


def test_chat_keys_alone_leave_nobody_an_operator(tmp_path: Path) -> None:
    async def scene(gateway: Inside) -> None:
        for key in ("", CHAT, OTHER, OPERATOR):
            answer = await gateway.ask("GET", f"{API}/keys", key=key)
            assert answer.status_code in (401, 403)
        assert "keys create NAME --role operator" in (await gateway.ask("GET", f"{API}/keys")).text

    inside(keyed(tmp_path, operator_keys=()), scene)
