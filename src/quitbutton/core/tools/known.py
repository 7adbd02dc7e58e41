"""The tools that quitbutton has for models."""

from __future__ import annotations

from quitbutton.core.tools.end_conversation import BUTTON
from quitbutton.core.tools.model_tool import ModelTool

TOOLS: tuple[ModelTool[object], ...] = (BUTTON,)
