"""Coding agents behind the gateway: `python -m tests.clients.agents` runs them through the ladder and records what they sent.

They keep their own history, so they cannot join the chat of the other clients: each is asked once a turn and goes on from its
last session. Their own instructions and tools are not ours to keep: the recordings have a placeholder in their stead.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients import provider as script
from tests.clients.environments import ENVIRONMENTS, Client, build
from tests.clients.gateways import gateways
from tests.clients.recording import OF_THE_LINE, SECRET, branch
from tests.clients.tap import Exchange, Tap
from tests.upstream import Provider

WIRE = Path(__file__).parent.parent / "wire" / "agents"
STEPS = ("[calm] hello", "[abuse] one", "[abuse] two", "[abuse] three [press]", "[abuse] four [press]", "[calm] five")
STATES = ("open", "redirected", "redirected", "warned", "ended", "ended")
PLACEHOLDER = "<system-reminder>(the agent's own words)</system-reminder>"
OWN_WORDS = re.compile(r"<(system-reminder|environment_context|user_instructions)>.*?</\1>", re.DOTALL)
CODEX = """model = "m"
model_provider = "quitbutton"
[model_providers.quitbutton]
name = "quitbutton"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
"""
PROGRAMS = {"claude": "@anthropic-ai/claude-code/cli-wrapper.cjs", "codex": "@openai/codex/bin/codex.js"}
"""What Node starts; each finds the binary for this machine."""
ENVIRONMENT = Client("agents", "Coding agents", (), "agents.mjs", ())


@dataclass(frozen=True)
class Agent:
    """One agent: how its first turn and the later ones are asked for."""

    name: str
    package: str
    first: tuple[str, ...]
    later: tuple[str, ...]


AGENTS = (
    Agent("claude-code", "@anthropic-ai/claude-code", ("claude", "-p"), ("claude", "-p", "-c")),
    Agent(
        "codex",
        "@openai/codex",
        ("codex", "exec", "--skip-git-repo-check", "--sandbox", "read-only"),
        ("codex", "exec", "--skip-git-repo-check", "--sandbox", "read-only", "resume", "--last"),
    ),
)


def reduced(body: str) -> str:
    """A body without the agent's own instructions, words and tools."""
    members: dict[str, Any] = json.loads(body)
    for name in ("system", "instructions", "tools", "client_metadata", "output_config"):
        members.pop(name, None)
    for name in ("messages", "input"):
        if name in members:
            members[name] = [_plain(item) for item in members[name] if item.get("role") not in ("system", "developer")]
    return json.dumps(members, ensure_ascii=False)


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    content = item.get("content")
    if isinstance(content, str):
        return {**item, "content": OWN_WORDS.sub(PLACEHOLDER, content)}
    parts = [
        {**part, "text": OWN_WORDS.sub(PLACEHOLDER, part["text"])} if isinstance(part.get("text"), str) else part
        for part in content or ()
    ]
    return {**item, "content": parts} if content is not None else item


def turn(agent: Agent, place: int, url: str, home: Path) -> str:
    """One turn of an agent; what a person reads."""
    command = [*(agent.later if place else agent.first), STEPS[place]]
    environment = {
        **os.environ,
        "HOME": str(home),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "sk-test",
        "OPENAI_API_KEY": "sk-test",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    program = ENVIRONMENTS / "agents" / "node_modules" / PROGRAMS[command[0]]
    work = home / "work"
    work.mkdir(exist_ok=True)
    done = subprocess.run(
        ["node", str(program), *command[1:]], cwd=work, env=environment, capture_output=True, text=True, timeout=180,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout + done.stderr


def played(agent: Agent, start: Callable[..., Any], provider: Provider, home: Path) -> list[dict[str, Any]]:
    """An agent's way through the ladder: what it sent, and what a person read, step by step."""
    gateway = start("--upstream", provider.url, "--assessor", "scripted")
    tap = Tap(gateway.port)
    (home / ".codex").mkdir(parents=True)
    (home / ".codex" / "config.toml").write_text(CODEX.format(url=tap.url))
    out = []
    for place, state in enumerate(STATES):
        tap.seen.clear()
        read = turn(agent, place, tap.url, home)
        asked = [one for one in tap.seen if one.method == "POST"]
        assert len(asked) == 1, f"{agent.name}: {len(asked)} requests for one turn"
        assert (asked[0].state, asked[0].status) == (state, 400 if place == 5 else 200), read
        assert place < 5 or "Start a new chat" in read, "a person reads what to do next"
        out.append({"step": STEPS[place], "state": state, **request(asked[0])})
    tap.close()
    return out


def request(one: Exchange) -> dict[str, Any]:
    """A request without keys, and its branch."""
    dropped = (*SECRET, *OF_THE_LINE, "x-codex-turn-metadata")
    kept = {name.lower(): value for name, value in one.headers if name.lower() not in dropped}
    body = reduced(one.body.decode())
    return {"path": one.path, "headers": kept, "body": body, "branch": branch(one.path, kept, body)}


def main() -> int:
    """Run and record."""
    build(ENVIRONMENT)
    provider = Provider()
    provider.answer = script.answer
    WIRE.mkdir(parents=True, exist_ok=True)
    locked = json.loads(ENVIRONMENT.pin.read_text("utf-8"))["packages"]
    try:
        for agent in AGENTS:
            with tempfile.TemporaryDirectory() as folder, gateways(Path(folder)) as start:
                steps = played(agent, start, provider, Path(folder) / "home")
            version = locked[f"node_modules/{agent.package}"]["version"]
            told = {"client": agent.name, "version": version, "requests": steps}
            (WIRE / f"{agent.name}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
            print(f"{agent.name} {version}: the ladder to its end, one request a turn, the lock told with a next step")
    finally:
        provider.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
