"""The OpenAPI operations that machines ask: liveness, readiness, metrics."""

from __future__ import annotations

from typing import Any

from quitbutton.gateway.openapi_parts import TEXT, answer, operation


def health_paths() -> dict[str, Any]:
    """The paths."""
    yes = {"type": "boolean"}
    states = {"ready": yes, "store": TEXT, "assessor": TEXT, "stopping": yes, "audit": TEXT}
    ready = answer(states, "Requests may come.")
    not_ready = answer({}, "Not now: the members of the other answer say why, or it is an error.")
    text = {"description": "The metrics.", "content": {"text/plain": {"schema": TEXT}}}
    return {
        "/livez": {"get": operation("Does the process answer?", {"200": answer({"status": TEXT}, "It does.")})},
        "/readyz": {"get": operation("Readiness", {"200": ready, "503": not_ready})},
        "/metrics": {"get": operation("The metrics, for Prometheus", {"200": text}, tags=["operators"])},
    }
