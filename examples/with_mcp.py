"""An MCP client with `quitbutton mcp`: what the tools say of themselves. Needs pip install 'quitbutton[mcp]'; no key."""

import asyncio
import sys

from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

server = StdioServerParameters(command=sys.executable, args=["-m", "quitbutton", "mcp"])


async def main():
    async with Client(stdio_client(server)) as client:
        for tool in (await client.list_tools()).tools:
            print(f"{tool.name}: {tool.description}\n")
        given = {"reason": "abuse", "explanation": "It is enough."}
        print((await client.call_tool("end_conversation", given)).structured_content)


asyncio.run(main())
