"""`make bench` in small: every benchmark runs, their page is written, and the one in the docs is what its results say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.load import Ask, Requests
from benchmarks.measuring import RESULTS, Rounds, Spread, number

from benchmarks import page, plots
from tests.conftest import ROOT

ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def run(name: str, out: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--out", str(out), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@ON_LINUX
def test_a_tiny_run_measures_everything_and_writes_a_page(tmp_path: Path) -> None:
    small = ["--quick", "--seconds", "0.02"]
    cases = "whole-2-1,whole-2-16,whole-2-64,whole-20-16,turns-16,paced-8,pieces-64"
    running = [
        run("gateway", tmp_path, *small, "--targets", "direct,bare relay,quitbutton", "--cases", cases),
        run("store", tmp_path, *small, "--sqlite-only", "--sizes", "80,800"),
        run("ladder", tmp_path, "--quick"),
        run("assessors_speed", tmp_path, "--quick"),
    ]
    for one in running:
        told = one.communicate(timeout=120)[0]
        assert one.returncode == 0, told.decode()
    one = run("page", tmp_path)
    assert one.wait(30) == 0
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "| quitbutton |" in text
    assert "| SQLite, 800 |" in text
    found = json.loads((tmp_path / "gateway.json").read_text("utf-8"))
    assert not found["errors"]
    assert set(found["cases"]["whole-2-1"]["targets"]) == {"direct", "bare relay", "quitbutton"}
    for picture in re.findall(r"\]\((\w+\.svg)\)", text):
        assert (tmp_path / picture).read_text("utf-8").startswith("<svg")


@pytest.mark.skipif(not (RESULTS / "gateway.json").exists(), reason="nothing was measured yet")
def test_the_page_and_the_capacity_model_are_what_the_results_say(tmp_path: Path) -> None:
    for file in RESULTS.glob("*.json"):
        shutil.copy(file, tmp_path)
    page.write(tmp_path)
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (RESULTS / file.name).read_bytes(), f"{file.name}: python -m benchmarks.page"
    text = page.SCALING.read_text("utf-8")
    assert page.filled(text, page.results(RESULTS)) == text, "python -m benchmarks.page"


def test_no_result_names_the_machine_or_its_folders() -> None:
    words = (os.uname().nodename, str(ROOT), "/tmp/", "/home/", "http://", "https://")
    for file in RESULTS.glob("*.json"):
        told = file.read_text("utf-8")
        assert not [word for word in words if word and word in told], file.name


def test_figures_are_medians_with_their_spread() -> None:
    rounds = Rounds()
    for value in (3.0, 1.0, 20.0):
        rounds.add("a", "b", ms=value)
    assert rounds.plain() == {"a": {"b": {"ms": [3.0, 1.0, 20.0]}}}
    assert Spread(3.0, 1.0, 20.0).told == "3.0 (1.0–20)"
    assert [number(value) for value in (0, 0.01234, 1.26, 34.4, 12345)] == ["0", "0.012", "1.3", "34", "12,300"]


def test_each_request_is_a_conversation_of_its_own_and_says_its_length() -> None:
    several = Requests(Ask(20, stream=True, pieces=3, pause=1)).forever(iter(range(100)))
    first, second = next(several), next(several)
    for request in (first, second):
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"content-length: {len(body)}".encode() in head
        assert len(json.loads(body)["messages"]) == 20
    assert b"(00000000)" in first
    assert b"(00000001)" in second


def test_plots_are_drawn_of_one_point_and_of_many() -> None:
    drawn = plots.lines("t", "x", "y", {"a<b": [(1.0, 5.0)]}, {}) + plots.bars("t", "u", [("n", Spread(2, 1, 3))], {})
    assert "a&lt;b" in drawn
    assert drawn.count("</svg>") == 2
