"""Keys at the door, assessors of other packages, and doors that fail."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.conftest import Running
from tests.gateway.test_passthrough import post
from tests.play import Play, say
from tests.upstream import Provider

from quitbutton.core.errors import SettingsError
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.verdicts import Label, Verdict
from quitbutton.core.messages import Message
from quitbutton.settings.installation import load
from quitbutton.wiring import assessor_named, reply_assessor_named

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()


@pytest.fixture(scope="module")
def keyed(
    start_gateway: Callable[..., Running], provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Running:
    config = tmp_path_factory.mktemp("keys") / "settings.toml"
    config.write_text('api_keys = ["key-ann", "key-bob"]\nupstream_key = "sk-upstream"\n')
    return start_gateway("--upstream", provider.url, "--assessor", "scripted", "--config", str(config))


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer key-an"}])
def test_without_a_known_key_nobody_comes_in(keyed: Running, fresh: Provider, header: dict[str, str]) -> None:
    status, _, got = post(keyed.url, BODY, header)
    assert (status, json.loads(got)["error"]["code"]) == (401, "invalid_api_key")
    assert fresh.seen == []


def test_our_key_stays_here_and_the_providers_goes_upstream(keyed: Running, fresh: Provider) -> None:
    assert post(keyed.url, BODY, {"authorization": "Bearer key-ann"})[0] == 200
    assert fresh.seen[0].headers["authorization"] == "Bearer sk-upstream"


def test_two_keys_are_two_scopes(keyed: Running, fresh: Provider) -> None:
    messages = [{"role": "user", "content": f"[abuse] {turn}"} for turn in range(2)]
    for turn in range(2):
        body = json.dumps({"model": "m", "messages": messages[: turn + 1]}).encode()
        ann = json.loads(post(keyed.url, body, {"authorization": "Bearer key-ann"})[2])["quitbutton"]
    assert ann["state"] == "redirected"
    plain = json.dumps({"model": "m", "messages": [*messages, {"role": "user", "content": "hi"}]}).encode()
    bob = json.loads(post(keyed.url, plain, {"authorization": "Bearer key-bob"})[2])["quitbutton"]
    assert bob["state"] == "open"


def test_settings_come_from_file_environment_and_command_line_in_this_order(tmp_path: Path) -> None:
    file = tmp_path / "quitbutton.toml"
    file.write_text('port = 1\nassessor = "a"\nupstream = "http://x"\n[policy]\nredirections = 4\n')
    settings = load(file, {"QUITBUTTON_PORT": "2", "QUITBUTTON_ASSESSOR": "b", "QUITBUTTON_API_KEYS": "k1, k2"}, port=3)
    assert (settings.port, settings.assessor, settings.policy.redirections) == (3, "b", 4)
    assert settings.api_keys == ("k1", "k2")
    assert not settings.policy.assist, "in front of a real model the model presses"
    assert load(tmp_path / "quitbutton.toml", {"QUITBUTTON_UPSTREAM_KEY": "s"}).upstream_key == "s"
    assert "k1" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "word"),
    [("prot = 1", "did you mean `port`"), ('port = "x"', "port"), ("[policy]\nmode = 3", "mode"), ("x", "TOML")],
)
def test_wrong_settings_name_the_key(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "quitbutton.toml"
    file.write_text(text)
    with pytest.raises((SettingsError, ValueError), match=word):
        load(file, {})


def test_an_assessor_of_another_package_comes_in_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny.py").write_text(
        textwrap.dedent(
            """
            from quitbutton.core.ladder.verdicts import Label, Verdict

            class Tiny:
                name = "tiny@7"

                async def assess(self, messages):
                    return Verdict(Label.ABUSE, assessor=self.name)
            """
        )
    )
    info = tmp_path / "tiny-7.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 7\n")
    (info / "entry_points.txt").write_text("[quitbutton.assessors]\ntiny = tiny:Tiny\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = assessor_named("tiny")
    assert asyncio.run(found.assess([])).label is Label.ABUSE
    panel = assessor_named("tiny,scripted")
    assert panel.name == "tiny@7+scripted@1"
    sys.modules.pop("tiny", None)


def test_another_packages_reply_assessor_comes_in_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stern.py").write_text(
        textwrap.dedent(
            """
            from quitbutton.core.ladder.verdicts import ReplyLabel, ReplyVerdict

            class Stern:
                name = "stern@1"

                async def assess_reply(self, messages):
                    return ReplyVerdict(ReplyLabel.REFUSED, 1.0, self.name)
            """
        )
    )
    info = tmp_path / "stern-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stern\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[quitbutton.reply_assessors]\nstern = stern:Stern\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = reply_assessor_named("stern")
    assert found is not None

    async def scene() -> None:
        play = Play([say("a")], reader=found)
        ear = await play.says("[abuse]")
        assert (await play.events(ear))[0]["reply"]["assessor"] == "stern@1"

    asyncio.run(scene())
    sys.modules.pop("stern", None)


def test_without_the_extra_nobody_reads_replies_unless_the_settings_insist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "quitbutton.assessors.refusal", raising=False)
    assert reply_assessor_named() is None
    with pytest.raises(SettingsError, match="numpy"):
        reply_assessor_named("refusal")


class Broken:
    """An assessor that fails, or never answers."""

    name = "broken@1"

    def __init__(self, hangs: bool) -> None:
        self.hangs = hangs

    async def assess(self, messages: Sequence[Message]) -> Verdict:
        if self.hangs:
            await asyncio.sleep(3600)
        raise RuntimeError("out of order")


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "fails"])
def test_an_assessor_that_does_not_answer_blocks_the_ladder_and_never_the_chat(hangs: bool) -> None:
    async def scene() -> None:
        play = Play([say("a")] * 6, Policy(assist=True, assess_timeout=0.05), assessor=Broken(hangs))
        heard = [await play.says(f"[abuse] {turn}") for turn in range(5)]
        assert [(ear.status, ear.state) for ear in heard] == [(200, "open")] * 5
        assert (await play.events(heard[0]))[0]["verdict"]["label"] == "unknown"

    asyncio.run(scene())
