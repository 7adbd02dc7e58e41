"""Traces, where they are asked for; this module imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Protocol

from starlette.types import Scope

from quitbutton.core.errors import SettingsError
from quitbutton.observing.seen import Trace

VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Of the environment: either asks for traces, as everywhere."""


class Tracer(Protocol):
    """Makes a trace of a request."""

    def begin(self, scope: Scope) -> Trace:
        """A request begins; its trace goes on from the client's, if that sent one."""
        ...

    def close(self) -> None:
        """Send what waits, within a few seconds."""
        ...


def tracer_of(endpoint: str | None, version: str, environment: Mapping[str, str] = os.environ) -> Tracer | None:
    """The tracer of a setting or of the standard OTEL_* variables; None, and no cost, where neither asks for one.

    Raises `SettingsError` where the packages are missing.
    """
    asked = endpoint or any(environment.get(name) for name in VARIABLES)
    if not asked or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from quitbutton.observing.spans import OtelTracer  # noqa: PLC0415 - OpenTelemetry, only when asked for
    except ImportError as error:
        raise SettingsError("Traces need OpenTelemetry: pip install 'quitbutton[otel]'.") from error
    return OtelTracer(endpoint, version)
