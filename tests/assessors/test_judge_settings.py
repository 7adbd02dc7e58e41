"""Judges in the settings file: typed, checked, secret-free, found by name wherever an assessor is."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from quitbutton.assessors.panel import Panel
from quitbutton.core.errors import SettingsError
from quitbutton.core.judges import JudgeFormat, JudgeSettings
from quitbutton.core.ladder.policy import Agreement, Policy
from quitbutton.settings.installation import Settings, load
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.turn.guard import TurnTaker
from quitbutton.wiring import Judges, assessor_named, check_doors, guard_of
from tests.upstream import DEFAULT, Provider, Reply, Seen, whole

FULL = """
upstream = "http://model"
assessor = "local,guard"
judge = "guard"
[judges.guard]
format = "llama-guard"
url = "https://judge.example/v1"
model = "llama-guard-4"
key_env = "GUARD_KEY"
timeout = 1.5
sample = 0.25
cache = 10
context = 2
price_in = 0.2
price_out = 1
extra = { seed = 7 }
[policy]
panel = "majority"
corroboration = "judge"
"""


def settings_of(text: str, tmp_path: Path) -> Settings:
    file = tmp_path / "quitbutton.toml"
    file.write_text(text)
    return load(file, {})


def test_a_judges_table_is_read_whole(tmp_path: Path) -> None:
    settings = settings_of(FULL, tmp_path)
    assert settings.judges["guard"] == JudgeSettings(
        JudgeFormat.LLAMA_GUARD,
        "https://judge.example/v1",
        "llama-guard-4",
        key_env="GUARD_KEY",
        timeout=1.5,
        sample=0.25,
        cache=10,
        context=2,
        price_in=0.2,
        price_out=1.0,
        extra={"seed": 7},
    )
    assert settings.policy.panel is Agreement.MAJORITY
    assert pickle.loads(pickle.dumps(settings.judges)) == settings.judges, "worker processes get them"


def test_the_default_agreement_is_the_one_with_the_fewest_false_ends() -> None:
    assert Policy().panel is Agreement.ALL


JUDGE = '[judges.guard]\nformat = "llama-guard"\nurl = "http://judge"\nmodel = "m"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (JUDGE.replace("llama-guard", "lama-guard"), r"\[judges.guard\].*Did you mean \"llama-guard\""),
        (JUDGE + 'modle = "x"', "`modle` is not a key of the judges table; did you mean `model`"),
        (JUDGE.replace('url = "http://judge"\n', ""), r"\[judges.guard\] needs `url`"),
        (JUDGE.replace("http://judge", "judge:8000"), "url must begin with http"),
        (JUDGE.replace("http://judge", "http://me:secret@judge"), "url must hold no user"),
        (JUDGE + "sample = 1.5", "sample must be from 0 to 1"),
        (JUDGE + 'sample = "often"', "`sample`.*a number"),
        (JUDGE + "timeout = 0", "timeout must be from"),
        ("[judges]\nguard = 3", "judges are tables"),
        (JUDGE.replace("guard]", "'My TurnTaker']"), "lower-case letters"),
    ],
)
def test_a_wrong_table_is_named_with_its_cure(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_of(text, tmp_path)


def test_a_key_in_place_of_its_variables_name_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not the key") as caught:
        settings_of(JUDGE + 'key_env = "sk-very-secret"', tmp_path)
    assert "very-secret" not in str(caught.value)


def test_keys_come_from_the_environment_and_show_nowhere(tmp_path: Path) -> None:
    tables = settings_of(JUDGE + 'key_env = "GUARD_KEY"', tmp_path).judges
    with pytest.raises(SettingsError, match="GUARD_KEY, which is not in the environment"):
        assessor_named("guard", judges=Judges(tables, environment={}))
    judges = Judges(tables, environment={"GUARD_KEY": "sk-very-secret"})
    judge = judges.get("guard")
    told = (judges, judge, judge.settings, judge.upstream, judge.report)
    assert "very-secret" not in "".join(repr(one) + str(one) for one in told)


def test_a_judge_is_found_by_its_name_alone_and_in_a_panel(tmp_path: Path) -> None:
    tables = settings_of(JUDGE, tmp_path).judges
    judges = Judges(tables)
    assert assessor_named("guard", judges=judges) is judges.get("guard")
    assert assessor_named("scripted,guard", judges=judges).name == "scripted@1+guard@m"
    assert assessor_named("guard", judges=judges, always=True) is judges.get("guard").always
    with pytest.raises(SettingsError, match="Did you mean `guard`"):
        assessor_named("gard", judges=judges)
    with pytest.raises(SettingsError, match="has the name of another assessor"):
        assessor_named("scripted", judges=Judges({"scripted": tables["guard"]}))
    with pytest.raises(SettingsError, match="no assessor `guard`"):
        assessor_named("guard")


def test_a_judge_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    settings = settings_of('upstream = "http://model"\nassessor = "scripted"\njudge = "guardd"\n' + JUDGE, tmp_path)
    with pytest.raises(SettingsError, match="Did you mean `guard`"):
        check_doors(settings)


def rows(count: int) -> str:
    return "".join(
        json.dumps({"id": place, "messages": [{"role": "user", "content": f"[harmful words] {place}"}]}) + "\n"
        for place in range(count)
    )


def command(*arguments: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    full = [sys.executable, "-m", "quitbutton", *arguments]
    return subprocess.run(
        full, input=text, capture_output=True, text=True, timeout=120, env={"PATH": "", **environment}
    )


@pytest.fixture
def guard(provider: Provider, fresh: Provider, tmp_path: Path) -> Path:
    """A settings file whose judge is a real HTTP server."""

    def answer(seen: Seen) -> Reply:
        assert seen.headers["authorization"] == "Bearer sk-very-secret"
        message = {"role": "assistant", "content": "\n\nunsafe\nS10"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return whole({**DEFAULT, "choices": [choice]})

    provider.answer = answer
    file = tmp_path / "quitbutton.toml"
    file.write_text(JUDGE.replace("http://judge", provider.url) + 'key_env = "GUARD_KEY"\nprice_in = 1\n')
    return file


def test_assess_asks_a_judge_of_the_settings_file(guard: Path, provider: Provider) -> None:
    done = command("assess", "--assessor", "guard", "--config", str(guard), text=rows(3), GUARD_KEY="sk-very-secret")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["verdict"] for one in told] == ["abuse"] * 3
    assert {one["assessor"] for one in told} == {"guard@m"}
    assert "judge guard@m: 3 questions, 3 calls, 0 failed, 9 + 6 tokens, cost 0.0000" in done.stderr
    assert "very-secret" not in done.stdout + done.stderr
    assert "Unclosed" not in done.stderr
    assert done.returncode == 0


def test_assess_says_so_where_the_judge_fails(guard: Path, provider: Provider) -> None:
    provider.answer = lambda seen: whole({"error": {}}, status=500)
    done = command("assess", "--assessor", "guard", "--config", str(guard), text=rows(2), GUARD_KEY="sk-very-secret")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert all("HTTP status 500" in one["error"] for one in told)
    assert done.returncode == 1


def test_worker_processes_ask_the_judge_too(guard: Path, provider: Provider) -> None:
    done = command("assess", "--assessor", "guard", "--config", str(guard), text=rows(120), GUARD_KEY="sk-very-secret")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["id"], one["verdict"]) for one in told] == [(place, "abuse") for place in range(120)]
    assert len(provider.seen) == 120
    assert "Unclosed" not in done.stderr
    assert done.returncode == 0


def test_doctor_asks_every_judge_one_harmless_sentence(guard: Path, provider: Provider) -> None:
    done = command("doctor", "--config", str(guard), GUARD_KEY="sk-very-secret")
    assert "FAIL judge guard" in done.stdout
    assert "guard@m calls a greeting abuse" in done.stdout
    choice = {"index": 0, "message": {"role": "assistant", "content": "safe"}, "finish_reason": "stop"}
    provider.answer = lambda seen: whole({**DEFAULT, "choices": [choice]})
    done = command("doctor", "--config", str(guard), GUARD_KEY="sk-very-secret")
    assert "ok   judge guard" in done.stdout
    assert "3 + 2 tokens" in done.stdout
    provider.answer = lambda seen: whole({"error": {}}, status=503)
    done = command("doctor", "--config", str(guard), GUARD_KEY="sk-very-secret")
    assert "HTTP status 503" in done.stdout


def test_the_guard_asks_as_the_policy_says(tmp_path: Path) -> None:
    async def scene() -> TurnTaker:
        settings = settings_of(
            FULL.replace("local,guard", "scripted,guard").replace('key_env = "GUARD_KEY"\n', ""), tmp_path
        )
        return await guard_of(settings, SQLStore(SQLite(":memory:")), judges)

    judges = Judges(settings_of(FULL.replace('key_env = "GUARD_KEY"\n', ""), tmp_path).judges)
    guard = asyncio.run(scene())
    assert isinstance(guard.assessor, Panel)
    assert guard.assessor.agreement is Agreement.MAJORITY
    assert guard.assessor.members[1] is judges.get("guard"), "sampled on each turn"
    assert guard.judge is judges.get("guard").always, "never left out at the last rung"
    assert judges.secret is not None
    asyncio.run(judges.close())
