"""Which upstream a request goes to: the settings' tables, the one URL, or the embedded model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quitbutton.core.dialects import Dialect
from quitbutton.core.errors import SettingsError
from quitbutton.core.upstreams import UpstreamSettings, upstream_for
from quitbutton.interfaces import Upstream
from quitbutton.observing.seen import saw_model
from quitbutton.settings.installation import Settings
from quitbutton.upstreams.provider import provider

EMBEDDED = "embedded"
THE_ONE = "upstream"
"""Name of the upstream where the settings name a single URL."""
ANYWHERE = "http://127.0.0.1"


@dataclass(slots=True)
class Upstreams:
    """The upstreams of an installation by name, in the order of the settings file."""

    tables: Mapping[str, UpstreamSettings]
    made: dict[str, Upstream] = field(default_factory=dict)

    def choose(self, dialect: Dialect, model: str) -> tuple[str, Upstream]:
        """Name and upstream for a request. Raises `ModelNotFound` with what there is."""
        saw_model(model)
        name = upstream_for(self.tables, dialect, model)
        return name, self.made[name]

    def speaking(self, dialect: Dialect) -> dict[str, Upstream]:
        """All that take requests of a dialect."""
        return {name: self.made[name] for name, table in self.tables.items() if table.speaks(dialect)}

    async def close(self) -> None:
        """Let go of connections and models."""
        for upstream in self.made.values():
            await upstream.close()


def upstreams_of(
    settings: Settings, given: Upstream | None = None, environment: Mapping[str, str] = os.environ
) -> Upstreams:
    """The upstreams that the settings name, or the one `given`. Raises `SettingsError` where a key is missing."""
    if given is not None:
        return Upstreams({THE_ONE: UpstreamSettings(ANYWHERE)}, {THE_ONE: given})
    times, limits = (settings.connect_timeout, settings.read_timeout), settings.reply_limits
    if settings.upstreams:
        made: dict[str, Upstream] = {}
        for name, table in settings.upstreams.items():
            key = _key(name, table, environment)
            made[name] = provider(table.url, key, *times, table.key_header, limits)
        return Upstreams(settings.upstreams, made)
    if settings.upstream is not None:
        one = provider(settings.upstream, settings.upstream_key, *times, None, limits)
        try:
            return Upstreams({THE_ONE: UpstreamSettings(settings.upstream)}, {THE_ONE: one})
        except SettingsError as error:
            raise SettingsError(f"upstream {settings.upstream!r}: {error}") from error
    return Upstreams({EMBEDDED: UpstreamSettings(ANYWHERE)}, {EMBEDDED: _embedded(settings)})


def _key(name: str, table: UpstreamSettings, environment: Mapping[str, str]) -> str | None:
    if table.key_env is None:
        return None
    if not environment.get(table.key_env):
        raise SettingsError(f"[upstreams.{name}]: key_env names {table.key_env}, which is not in the environment.")
    return environment[table.key_env]


def _embedded(settings: Settings) -> Upstream:
    from quitbutton.upstreams.embedded import EmbeddedUpstream  # noqa: PLC0415 - the model's runtime, only where it answers
    from quitbutton.upstreams.models import MODELS, model_path  # noqa: PLC0415

    name = settings.model if settings.model in MODELS else Path(settings.model).stem
    return EmbeddedUpstream(model_path(settings.model, settings.data), name, settings.threads)
