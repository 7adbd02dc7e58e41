"""What an operator may say of an upstream: where it is, which dialect it speaks, which models are its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from quitbutton.core.codings import MOST_RATIO
from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import ModelNotFound, SettingsError

MESSAGES = "/v1/messages"
"""Paths of Anthropic's protocol begin like this; its keys go into `x-api-key`."""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


_VERSION = re.compile(r"/v\d+(?:alpha|beta)?\d*(?=/|\Z)")


class KeyHeader(StrEnum):
    """The header that carries an upstream's key."""

    AUTHORIZATION = "authorization"
    """`Authorization: Bearer KEY`."""
    X_API_KEY = "x-api-key"
    API_KEY = "api-key"


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """One `[upstreams.NAME]` table.

    Raises `SettingsError`, naming the key and what is allowed, when a value is out of range.
    """

    url: str
    """The server. One that names a version, as in `/v1` or `/v1beta/openai`, is taken as it is; others get `/v1`."""
    dialect: Dialect | None = None
    """`openai` or `anthropic`; None takes requests of both."""
    models: tuple[str, ...] = ("*",)
    """Names of the models it answers for; `*` stands for any letters, as in `claude-*`."""
    key_env: str | None = None
    """Name of the environment variable that holds the server's key; the key itself never stands in a file."""
    key_header: KeyHeader | None = None
    """Header that carries the key; None is `x-api-key` for Anthropic's protocol and `authorization` for OpenAI's."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError("url must begin with http:// or https:// and name a host")
        if parts.username or parts.password or parts.query:
            raise SettingsError("url must hold no user, password or query; name the key's variable in key_env")
        if self.key_env is not None and not VARIABLE.fullmatch(self.key_env):
            # The value is not repeated: it may be the key itself.
            raise SettingsError("key_env must be the name of an environment variable, not the key")
        if not self.models:
            raise SettingsError('models must name at least one model; "*" stands for all')

    def speaks(self, dialect: Dialect) -> bool:
        """True when it takes requests of this dialect."""
        return self.dialect is None or self.dialect is dialect

    def answers_for(self, model: str) -> bool:
        """True when the model is one of its own."""
        return "*" in self.models or any(fnmatchcase(model, pattern) for pattern in self.models)


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """How much of one answer of an upstream is taken, in bytes after unpacking; one that is longer is given up."""

    whole: int = 64 << 20
    """Of an answer that is no stream: it is held until its end."""
    stream: int = 1 << 30
    """Of a stream, in all. It is passed on as it comes, and never held."""
    ratio: int = MOST_RATIO
    """How many times its size a compressed body may grow."""


REPLY_LIMITS = ReplyLimits()
"""The limits where the settings name no others."""


def base_of(url: str) -> tuple[str, str]:
    """An upstream's URL as it goes before a path, and what the path begins with that the URL says already.

    A URL that names a version of its API, as `/v1`, `/v1beta/openai` or `/api/paas/v4` do, is taken as it is.
    """
    base = url.rstrip("/")
    return base, "/v1" if _VERSION.search(urlsplit(base).path) else ""


def upstream_for(tables: Mapping[str, UpstreamSettings], dialect: Dialect, model: str) -> str:
    """The name of the upstream that a request goes to: the first of its dialect that answers for its model.

    Raises `ModelNotFound` with what there is.
    """
    for name, table in tables.items():
        if table.speaks(dialect) and table.answers_for(model):
            return name
    listed = "; ".join(
        f"{name} ({table.dialect or 'openai, anthropic'}): {', '.join(table.models)}" for name, table in tables.items()
    )
    raise ModelNotFound(
        f"No upstream speaks the {dialect} protocol and answers for the model {model!r}. There is: {listed}."
    )


def keyed(
    headers: Sequence[tuple[str, str]], path: str, key: str, name: KeyHeader | None = None
) -> list[tuple[str, str]]:
    """The headers with an upstream's key in place of any the client sent; the protocol's own header where none is named."""
    name = name or (KeyHeader.X_API_KEY if path.startswith(MESSAGES) else KeyHeader.AUTHORIZATION)
    kept = [(one, value) for one, value in headers if one.lower() not in list(KeyHeader)]
    return [*kept, (name.value, f"Bearer {key}" if name is KeyHeader.AUTHORIZATION else key)]
