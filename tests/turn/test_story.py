"""The whole story by API: ended, read why, contested, upheld, gone on; the trail proves it; erased, and it still does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quitbutton.audit.signer import is_signed_by
from quitbutton.core.audit.exports import verified
from quitbutton.core.audit.signed_note import VerifierKey
from tests.conftest import Running
from tests.gateway.test_rights_api import A, Chat, call, presses
from tests.upstream import Provider


@pytest.fixture(scope="module")
def alone(start_gateway: Callable[..., Running], provider: Provider) -> Running:
    """A gateway with a trail of its own."""
    return start_gateway("--upstream", provider.url, "--assessor", "scripted")


def lines_of(gateway: Running) -> list[str]:
    """The export, once all events are in the log."""
    deadline = time.monotonic() + 20
    while call(f"{gateway.url}/v1/quitbutton/audit")[1]["waiting"] and time.monotonic() < deadline:
        time.sleep(0.2)
    with urllib.request.urlopen(f"{gateway.url}/v1/quitbutton/audit/export", timeout=20) as reply:
        return reply.read().decode().splitlines()


def kinds(lines: list[str], conversation: str) -> list[str]:
    leaves = [json.loads(entry["leaf"]) for entry in map(json.loads, lines) if "leaf" in entry]
    return [leaf[2] for leaf in leaves if leaf[4] == conversation]


def test_the_whole_story(alone: Running, fresh: Provider, tmp_path: Path) -> None:
    fresh.answer = presses
    api = f"{alone.url}/v1/quitbutton"
    user = Chat(alone.url, "ada")
    note = user.is_ended()
    about: Any = call(f"{api}/ends/{note['end_id']}")[1]
    assert [fact["rung"] for fact in about["facts"]] == ["redirected", "redirected", "warned", "ended"]
    appeal = call(f"{api}/ends/{note['end_id']}/appeal", {"text": "I quoted a film."})[1]
    assert user.says("please")[0] == 400
    call(f"{api}/appeals/{appeal['id']}/decision", {"outcome": "upheld", "reason": "So they did."})
    status, reply = user.says("Let us go on")
    assert (status, reply["quitbutton"]["state"]) == (200, "open")

    lines = lines_of(alone)
    key = VerifierKey.read(call(f"{api}/audit")[1]["key"])
    before = json.loads(lines[-1])["checkpoint"]
    assert verified(lines, is_signed_by, key).problems == []
    assert kinds(lines, note["conversation"]) == [
        "turn.redirect", "turn.redirect", "turn.warn", "turn.end", "appeal.opened", "turn.refuse",
        "appeal.decided", "conversation.reopened", "turn.pass",
    ]  # fmt: skip

    erase = [sys.executable, "-m", "quitbutton", "erase", "--user", "ada", "--data", str(alone.data)]
    assert subprocess.run(erase, capture_output=True, timeout=60).returncode == 0
    about = call(f"{api}/ends/{note['end_id']}")[1]
    assert A not in json.dumps(about)
    after = lines_of(alone)
    assert verified(after, is_signed_by, key, since=before).problems == []
    assert kinds(after, note["conversation"])[-1] == "words.erased"
    assert call(f"{api}/audit/check")[1]["sound"]
    page: Any = call(f"{api}/audit/events?limit=2")[1]
    assert [one["fault"] for one in page["events"]] == [None, None]
    proof = call(f"{api}/audit/events/{page['events'][0]['seq']}/proof")[1]
    assert proof["size"] >= proof["n"] + 1
    older = json.loads(lines[-1])["checkpoint"].split("\n")[1]
    assert call(f"{api}/audit/consistency?from={older}")[1]["proof"] is not None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("events?limit=0", 400),
        ("events?before=x", 400),
        ("events/x/proof", 400),
        ("events/99999/proof", 404),
        ("consistency", 400),
    ],
)
def test_what_the_trail_cannot_tell_it_says_so(alone: Running, path: str, status: int) -> None:
    got, body = call(f"{alone.url}/v1/quitbutton/audit/{path}")
    assert (got, bool(body["error"]["message"])) == (status, True)
