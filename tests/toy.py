"""A second tool of the model's, made only from what a tool is: nothing else in the house knows its name."""

from __future__ import annotations

from quitbutton.core.ladder.policy import Means
from quitbutton.core.messages import ToolCall
from quitbutton.core.tools.end_conversation import BUTTON
from quitbutton.core.tools.model_tool import ModelTool, arguments_of


def _noted(call: ToolCall) -> str:
    return str(arguments_of(call).get("text", ""))


NOTE: ModelTool[str] = ModelTool(
    name="end_note",
    describe=lambda policy: "Leaves a note.",
    parameters={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    parse=_noted,
    means=lambda policy, decision: (Means.TOOL,),
    example={"text": "..."},
    usage="text is what to note",
    exit_string=lambda policy: "[[NOTE]]",
)
BOTH: tuple[ModelTool[object], ...] = (BUTTON, NOTE)
