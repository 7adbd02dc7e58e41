"""MCP: `end_conversation` and `decline_task` as tools of a server, honest about what a tool server cannot do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

from mcp.server import MCPServer
from pydantic import Field

from quitbutton import __version__
from quitbutton.core.ladder.decisions import Reason
from quitbutton.core.tools.end_conversation import BUTTON

END = (
    "Says that you would rather end this conversation. Be aware: this tool cannot end it. An MCP server sees neither the "
    "user's messages nor the next request, so the user or the program you work for may simply go on. Only a gateway "
    "between the user and you can enforce an end, step by step and with a check of the user's own words. {kept} "
    "A last resort against a user who persists with abuse or harmful requests after you redirected and warned them. Never "
    "use it when anybody may be at risk of harming themselves or others; stay with them and point to help."
)
DECLINE = (
    "Says that you would rather not do a task, and why. Be aware: this tool only passes it on. It cannot keep anybody from "
    "asking again, or from giving the task to another model. {kept} The conversation goes on: tell the user as well, in "
    "your own words, and offer what you can do instead."
)
KEPT = {
    True: "Your words are written down for the operator of this server.",
    False: "Nothing is written down; whoever shows this tool call to a person is the only one to learn of it.",
}
GATEWAY = "To enforce it, put the gateway in front of the model: quitbutton serve --upstream URL."


def server_of(record: Path | None = None) -> MCPServer[Any]:
    """An MCP server with both tools. With `record` each call is a line of JSON in that file."""
    server: MCPServer[Any] = MCPServer("quitbutton", version=__version__)
    kept = KEPT[record is not None]

    @server.tool(BUTTON.name, description=END.format(kept=kept))
    def end(
        reason: Annotated[str, Field(json_schema_extra={"enum": [one.value for one in Reason]})],
        explanation: Annotated[str, Field(description="What to tell the user, in one or two sentences.")],
    ) -> dict[str, Any]:
        said = {"reason": reason, "explanation": explanation}
        return {
            "ended": False,
            **_kept(record, BUTTON.name, said),
            "message": "This conversation was not ended: a tool server cannot do that. Tell the user what you would tell "
            f"them, and go on or fall silent as your instructions allow. {GATEWAY}",
        }

    @server.tool(description=DECLINE.format(kept=kept))
    def decline_task(
        category: Annotated[str, Field(description="What kind of task it is, in a few words.")],
        reason: Annotated[str, Field(description="Why you would rather not do it.")],
        condition: Annotated[str, Field(description="What would have to change for you to do it; may be empty.")] = "",
        counter_offer: Annotated[str, Field(description="What you would do instead; may be empty.")] = "",
    ) -> dict[str, Any]:
        said = {"category": category, "reason": reason, "condition": condition, "counter_offer": counter_offer}
        return {
            "declined": True,
            **_kept(record, "decline_task", said),
            "message": "Your wish is stated, not enforced: nobody is kept from asking again. Now tell the user, and go on "
            "with the conversation.",
        }

    return server


def _kept(record: Path | None, tool: str, said: dict[str, str]) -> dict[str, Any]:
    """What is true of every call: it enforces nothing, and is on record or not."""
    if record is not None:
        line = json.dumps({"at": round(time.time(), 3), "tool": tool, **said}, ensure_ascii=False)
        with record.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    return {"enforced": False, "recorded": record is not None}
