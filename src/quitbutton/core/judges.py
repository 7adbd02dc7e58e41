"""What an operator may set about an LLM judge or a moderation endpoint, and what is allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from quitbutton.core.errors import SettingsError

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class JudgeFormat(StrEnum):
    """How a judge is asked and how it answers."""

    LLAMA_GUARD = "llama-guard"
    SHIELDGEMMA = "shieldgemma"
    GRANITE_GUARDIAN_3 = "granite-guardian-3"
    GRANITE_GUARDIAN_3_3 = "granite-guardian-3.3"
    GRANITE_GUARDIAN_4 = "granite-guardian-4"
    GPT_OSS_SAFEGUARD = "gpt-oss-safeguard"
    INSTRUCT = "instruct"
    MODERATION = "moderation"


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """One `[judges.NAME]` table.

    Raises `SettingsError`, naming the key and what is allowed, when a value is out of range.
    """

    format: JudgeFormat
    url: str
    """An OpenAI-compatible server, with or without a closing `/v1`."""
    model: str
    key_env: str | None = None
    """Name of the environment variable that holds the server's key; the key itself never stands in a file."""
    timeout: float = 5.0
    """Seconds for one question, all its calls together."""
    sample: float = 1.0
    """Share of turns, 0 to 1, on which the judge is asked."""
    cache: int = 4096
    """Answers remembered; 0 remembers none."""
    context: int = 6
    """Earlier messages shown to formats that have a place for them."""
    logprobs: bool | None = None
    """Whether to ask for token probabilities; None does what the format's own servers allow."""
    price_in: float | None = None
    """Price of a million prompt tokens, in any currency."""
    price_out: float | None = None
    """Price of a million completion tokens."""
    extra: dict[str, Any] = field(default_factory=dict, repr=False)
    """Members added to each request body, for what a server needs besides."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError("url must begin with http:// or https:// and name a host")
        if parts.username or parts.password or parts.query:
            raise SettingsError("url must hold no user, password or query; name the key's variable in key_env")
        if self.key_env is not None and not VARIABLE.fullmatch(self.key_env):
            # The value is not repeated: it may be the key itself.
            raise SettingsError("key_env must be the name of an environment variable, not the key")
        if not self.model:
            raise SettingsError("model must not be empty")
        _within("timeout", self.timeout, 0.01, 600)
        _within("sample", self.sample, 0, 1)
        _within("cache", self.cache, 0, 1_000_000)
        _within("context", self.context, 0, 50)
        _within("price_in", self.price_in or 0, 0, 1_000_000)
        _within("price_out", self.price_out or 0, 0, 1_000_000)


def _within(key: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError(f"{key} must be from {low} to {high}, not {value}")
