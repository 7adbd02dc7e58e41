"""Whose protocols an upstream speaks. A request goes to an upstream of its own dialect; nothing is translated."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """A family of wire protocols."""

    OPENAI = "openai"
    """Chat completions, responses, completions, embeddings."""
    ANTHROPIC = "anthropic"
    """Messages and their token count."""
