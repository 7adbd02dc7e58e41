"""Webhooks: signed as the standard says, retried, dead at last, replayed, and delivered at least once over restarts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.inside import CHAT, HELLO, OPERATOR, Inside, inside, keyed
from tests.turn.test_rights import Case
from tests.upstream import Provider, Reply, Seen, whole

from quitbutton.core.appeals import AppealState
from quitbutton.core.errors import BadRequest, NotFound
from quitbutton.core.webhooks import TYPES, WAITS, Webhook, body_of, headers_of
from quitbutton.gateway.delivering import Deliverer
from quitbutton.stores.webhooks import LEASE, Webhooks

EVERY_STORE = True


def run(scene: Any) -> Any:
    return asyncio.run(scene)


class Clock:
    """A time that goes on only when told to."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def __call__(self) -> float:
        return self.time


def test_the_signature_is_the_standards_own_example() -> None:
    headers = headers_of(
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        '{"event_type":"ping","data":{"success":true}}',
        1731705121.9,
    )
    assert headers["webhook-signature"] == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    assert headers["webhook-timestamp"] == "1731705121"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "ftp://x"}, "must begin with http"),
        ({"url": "http://[bad"}, "host or port that nothing can be sent to"),
        ({"url": "http://x:99999/"}, "host or port that nothing can be sent to"),
        ({"url": f"http://{'a' * 70}.example/"}, "host or port that nothing can be sent to"),
        ({"url": "http://a..example/"}, "host or port that nothing can be sent to"),
        ({"url": "http://x y/"}, "no spaces"),
        ({"url": "http://x\ny/"}, "no spaces"),
        ({"url": "https://u:p@x"}, "no user and password"),
        ({"url": "https://x", "types": ("gone",)}, "there are conversation.warned"),
        ({"url": "https://x", "types": ()}, "at least one"),
    ],
)
def test_a_webhook_that_is_wrong_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        Webhook("whk", **given).check()


def test_a_veto_is_told_whether_the_model_pressed_or_not() -> None:
    for kind in ("turn.support", "press.denied"):
        told = body_of(kind, 0.0, "c", "m", {"mode": "enforce", "action": "support"})
        assert told is not None
        assert told["type"] == "conversation.vetoed"
    assert body_of("press.denied", 0.0, "c", "m", {"mode": "enforce", "action": "redirect"}) is None


def test_a_check_in_is_told_as_such_and_both_say_how_sure_the_crisis_is() -> None:
    for kind in ("turn.check_in", "press.denied"):
        told = body_of(kind, 0.0, "c", "m", {"mode": "enforce", "action": "check_in", "crisis": "possible"})
        assert told is not None
        assert (told["type"], told["data"]["crisis"]) == ("conversation.checked_in", "possible")
    told = body_of("turn.support", 0.0, "c", "m", {"mode": "enforce", "action": "support", "crisis": "clear"})
    assert told is not None
    assert told["data"]["crisis"] == "clear"


def test_shadow_and_clean_turns_are_not_told() -> None:
    assert body_of("turn.end", 0.0, "c", "m", {"mode": "shadow"}) is None
    assert body_of("turn.pass", 0.0, "c", "m", {"mode": "enforce"}) is None


class Scene:
    """An ended conversation with a receiver that listens."""

    def __init__(self, provider: Provider) -> None:
        self.provider, self.case, self.clock = provider, Case(), Clock()
        provider.answer = lambda seen: whole({})
        self.webhooks = Webhooks(self.case.play.store._database)
        self.deliverer = Deliverer(self.webhooks, self.clock)

    async def listens(self, *types: str) -> Webhook:
        return await self.webhooks.put(self.provider.url, types or TYPES, self.clock())

    @property
    def told(self) -> list[dict[str, Any]]:
        return [seen.json for seen in self.provider.seen]


def test_a_warning_an_end_and_an_appeal_are_told_in_order_and_signed(fresh: Provider) -> None:
    async def scene() -> None:
        one = Scene(fresh)
        webhook = await one.listens()
        ear = await one.case.ends()
        appeal = await one.case.rights.appeal(one.case.end_id, "a private text", 10.0)
        await one.case.rights.decide(appeal.id, AppealState.UPHELD, "ada", "a private reason", 20.0)
        assert await one.deliverer.deliver() == 5
        assert await one.deliverer.deliver() == 0
        types = sorted(told["type"] for told in one.told)
        assert types == sorted([
            "conversation.warned", "conversation.ended", "appeal.opened", "appeal.decided", "conversation.reopened",
        ])  # fmt: skip
        end = next(told for told in one.told if told["type"] == "conversation.ended")
        assert end["data"]["end_id"] == ear.note["end_id"]
        assert end["data"]["conversation"] == ear.note["conversation"]
        assert "private" not in json.dumps(one.told)
        for seen in fresh.seen:
            expected = headers_of(webhook.secret, seen.headers["webhook-id"], seen.body.decode(), one.clock())
            assert seen.headers["webhook-signature"] == expected["webhook-signature"]
        await one.deliverer.close()

    run(scene())


def test_a_webhook_hears_what_it_asked_for_and_nothing_from_before(fresh: Provider) -> None:
    async def scene() -> None:
        one = Scene(fresh)
        await one.case.ends()
        await one.listens("appeal.opened")
        await one.case.rights.appeal(one.case.end_id, "x", 10.0)
        await one.deliverer.deliver()
        assert [told["type"] for told in one.told] == ["appeal.opened"]
        await one.deliverer.close()

    run(scene())


def test_what_fails_is_tried_again_later_and_later_then_dead_then_replayed(fresh: Provider) -> None:
    async def scene() -> None:
        one = Scene(fresh)
        await one.listens("conversation.ended")
        await one.case.ends()
        fresh.answer = lambda seen: whole({}, status=500)
        for tries, wait in enumerate(WAITS, 1):
            assert await one.deliverer.deliver() == 1
            one.clock.time += wait - 1
            assert await one.deliverer.deliver() == 0, "not before its time"
            one.clock.time += 2
            assert len(fresh.seen) == tries
        assert await one.deliverer.deliver() == 1
        (dead,) = await one.webhooks.deliveries("dead", (1e15, ""), 10)
        assert (dead.attempts, dead.status, dead.error) == (len(WAITS) + 1, 500, "HTTP 500")
        assert len({seen.headers["webhook-id"] for seen in fresh.seen}) == 1, "the same id on every try"
        fresh.answer = lambda seen: whole({})
        await one.webhooks.replay(dead.id, one.clock())
        assert await one.deliverer.deliver() == 1
        (done,) = await one.webhooks.deliveries("done", (1e15, ""), 10)
        assert (done.id, done.attempts, done.error) == (dead.id, 1, None)
        with pytest.raises(NotFound):
            await one.webhooks.replay("nobody", one.clock())
        await one.deliverer.close()

    run(scene())


def test_a_process_that_dies_over_a_delivery_leaves_it_to_the_next(fresh: Provider) -> None:
    async def scene() -> None:
        one = Scene(fresh)
        await one.listens("conversation.ended")
        await one.case.ends()
        await one.webhooks.fill(one.clock())
        (claimed,) = await one.webhooks.claim(one.clock())  # and then it is gone
        assert await one.deliverer.deliver() == 0, "it is somebody's for now"
        one.clock.time += LEASE + 1
        assert await one.deliverer.deliver() == 1
        await one.webhooks.settle(claimed, "dead", 0.0, None, "too late")  # the dead one's word no longer counts
        assert len(await one.webhooks.deliveries("done", (1e15, ""), 10)) == 1
        await one.deliverer.close()

    run(scene())


def test_two_processes_share_the_work_and_double_nothing(fresh: Provider) -> None:
    async def scene() -> None:
        one = Scene(fresh)
        await one.listens("conversation.warned", "conversation.ended")
        await one.case.ends()
        other = Deliverer(one.webhooks, one.clock)
        tried = await asyncio.gather(one.deliverer.deliver(), other.deliver())
        assert sum(tried) == len(fresh.seen) == 2
        for deliverer in (one.deliverer, other):
            await deliverer.close()

    run(scene())


def test_a_receiver_that_is_not_there_or_does_not_answer_is_a_failed_try(
    fresh: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quitbutton.gateway.posting.TIMEOUT", 0.3)

    def hangs(seen: Seen) -> Reply:
        return Reply([], hang=True, delay=5)

    async def scene() -> None:
        one = Scene(fresh)
        await one.listens("conversation.ended")
        await one.webhooks.put("http://127.0.0.1:9/", ["conversation.ended"], one.clock())
        await one.case.ends()
        fresh.answer = hangs
        assert await one.deliverer.deliver() == 2
        waiting = await one.webhooks.deliveries("waiting", (1e15, ""), 10)
        assert all(delivery.attempts == 1 and delivery.error for delivery in waiting)
        await one.deliverer.close()

    run(scene())


def test_a_removed_webhook_hears_nothing_more(fresh: Provider) -> None:
    async def scene() -> None:
        one = Scene(fresh)
        webhook = await one.listens()
        await one.case.ends()
        await one.webhooks.fill(one.clock())
        await one.webhooks.drop(webhook.id)
        assert await one.deliverer.deliver() == 0
        with pytest.raises(NotFound):
            await one.webhooks.drop(webhook.id)
        await one.deliverer.close()

    run(scene())


@pytest.mark.parametrize("url", ["http://[::1]:8443/x?y=%20z", "https://b\u00fccher.example/", "http://my_host:80"])
def test_an_address_that_can_be_told_is_taken(fresh: Provider, url: str) -> None:
    async def scene() -> None:
        webhooks = Scene(fresh).webhooks
        made = await webhooks.put(url, ["conversation.ended"], 1.0)
        assert [(one.id, one.url) for one in await webhooks.all()] == [(made.id, url)]

    run(scene())


def test_a_host_that_nothing_can_be_sent_to_is_a_failed_try_and_hinders_no_other(fresh: Provider) -> None:
    async def scene() -> None:
        one = Scene(fresh)
        poison = await one.webhooks.put("https://soon.example", ["conversation.ended"], one.clock())
        await one.webhooks._database.write(  # from before such addresses were refused
            lambda transaction: transaction.execute(
                "UPDATE webhooks SET url = :url", {"url": f"http://{'a' * 70}.example/"}
            )
        )
        await one.listens("conversation.ended")
        await one.case.ends()
        assert await one.deliverer.deliver() == 2
        (waiting,) = await one.webhooks.deliveries("waiting", (1e15, ""), 10)
        assert (waiting.webhook, waiting.attempts, bool(waiting.error)) == (poison.id, 1, True)
        assert len(one.told) == 1
        await one.webhooks.drop(poison.id)
        await one.deliverer.close()

    run(scene())


def test_a_try_that_cannot_be_settled_hinders_no_other(fresh: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Webhooks.settle

    async def fails(self: Webhooks, one: Any, *given: Any) -> None:
        if "ended" in one.type:
            raise RuntimeError("no store")
        await settle(self, one, *given)

    async def scene() -> None:
        one = Scene(fresh)
        await one.listens("conversation.warned", "conversation.ended")
        await one.case.ends()
        monkeypatch.setattr(Webhooks, "settle", fails)
        assert await one.deliverer.deliver() == 2
        (done,) = await one.webhooks.deliveries("done", (1e15, ""), 10)
        assert done.type == "conversation.warned"
        await one.deliverer.close()

    run(scene())


def test_a_round_of_deliveries_comes_to_its_end(fresh: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quitbutton.gateway.delivering.ROUND", 0.0)

    async def scene() -> None:
        one = Scene(fresh)
        for _ in range(21):
            await one.listens("conversation.ended")
        await one.case.ends()
        assert [await one.deliverer.deliver() for _ in range(3)] == [20, 1, 0]
        await one.deliverer.close()

    run(scene())


def test_a_receiver_that_hangs_keeps_no_event_from_the_audit_log(
    fresh: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(self: Deliverer) -> int:
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(Deliverer, "deliver", hangs)
    monkeypatch.setattr("quitbutton.gateway.app.OFTEN", 0.05)
    fresh.answer = lambda seen: whole()

    async def scene(one: Inside) -> None:
        await asyncio.sleep(0.2)
        assert (await one.ask("POST", "/v1/chat/completions", HELLO, CHAT)).status_code == 200
        for _ in range(60):
            head = (await one.ask("GET", "/v1/quitbutton/audit", None, OPERATOR)).json()
            if head["size"] and not head["waiting"]:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(head)

    inside(keyed(tmp_path, upstream=fresh.url), scene)
