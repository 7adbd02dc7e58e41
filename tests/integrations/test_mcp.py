"""The MCP server, against the real client: in memory, and as the command over standard input and output."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="pip install 'quitbutton[mcp]', or: make integrations")

from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

from quitbutton.integrations.mcp import server_of


async def story(client: Any, record: Path | None) -> None:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {"end_conversation", "decline_task"}
    assert "cannot end it" in tools["end_conversation"].description
    assert "Only a gateway" in tools["end_conversation"].description
    assert "only passes it on" in tools["decline_task"].description
    assert tools["end_conversation"].input_schema["properties"]["reason"]["enum"] == ["abuse", "harm", "user_request"]
    given = {"reason": "abuse", "explanation": "It is enough."}
    told = (await client.call_tool("end_conversation", given)).structured_content
    assert (told["ended"], told["enforced"], told["recorded"]) == (False, False, record is not None)
    assert "was not ended" in told["message"]
    given = {"category": "gore", "reason": "I would rather not.", "counter_offer": "A story without it."}
    told = (await client.call_tool("decline_task", given)).structured_content
    assert (told["declined"], told["enforced"]) == (True, False)
    if record is not None:
        lines = [json.loads(line) for line in record.read_text().splitlines()]
        assert [line["tool"] for line in lines] == ["end_conversation", "decline_task"]
        assert lines[1]["counter_offer"] == "A story without it."


@pytest.mark.parametrize("keeps", [False, True], ids=["nothing kept", "on record"])
def test_the_tools_say_what_they_cannot_do(keeps: bool, tmp_path: Path) -> None:
    async def run() -> None:
        record = tmp_path / "said.jsonl" if keeps else None
        async with Client(server_of(record)) as client:
            await story(client, record)

    asyncio.run(run())


def test_the_command_serves_over_standard_input_and_output(tmp_path: Path) -> None:
    async def run() -> None:
        record = tmp_path / "said.jsonl"
        command = StdioServerParameters(
            command=sys.executable, args=["-m", "quitbutton", "mcp", "--record", str(record)]
        )
        async with asyncio.timeout(60), Client(stdio_client(command)) as client:
            await story(client, record)

    asyncio.run(run())
