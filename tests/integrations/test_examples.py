"""Every example of an integration runs as it is, and shows the ladder to its end."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NEEDS = {
    "library": "quitbutton",
    "with_asgi": "starlette",
    "with_langchain": "langchain",
    "with_litellm": "litellm",
    "with_openai_agents": "agents",
    "with_pydantic_ai": "pydantic_ai",
}


def run(name: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, f"examples/{name}.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", NEEDS)
def test_an_example_shows_the_ladder_to_its_end(name: str) -> None:
    if importlib.util.find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed; see `make integrations`")
    lines = [line for line in run(name).splitlines() if line.startswith(("[abuse]", "hello"))]
    assert [line.split()[2] for line in lines[:4]] == ["redirected", "redirected", "warned", "ended"]
    assert lines[4].split()[1] == "refused"
    assert "new chat" in lines[4]


def test_the_mcp_example_shows_what_the_tools_say_of_themselves() -> None:
    pytest.importorskip("mcp", reason="pip install 'quitbutton[mcp]', or: make integrations")
    told = run("with_mcp")
    assert "this tool cannot end it" in told
    assert "'enforced': False" in told
