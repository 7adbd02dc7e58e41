"""Our own endpoints, fuzzed from their OpenAPI document: no 500, and answers as the document says."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.conftest import Running
from tests.upstream import Provider

from quitbutton.gateway.openapi import document

SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = {operation.ok().label: operation.ok() for operation in SCHEMA.get_all_operations()}
OPERATOR, CHAT = "operator-key-0001", "chat-key-one"
LABELS = sorted(OPERATIONS, key=lambda label: label == "POST /v1/quitbutton/session")
"""Guessing at the sign-in comes last: after it this address has to wait."""
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance, status_code_conformance]


@pytest.fixture(scope="module")
def keyed(
    start_gateway: Callable[..., Running], provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Running:
    config = tmp_path_factory.mktemp("keys") / "settings.toml"
    config.write_text(f'api_keys = ["{CHAT}"]\noperator_keys = ["{OPERATOR}"]\n')
    return start_gateway("--upstream", provider.url, "--assessor", "scripted", "--config", str(config))


def takes_anything(label: str) -> bool:
    """Whether an operation has parameters or a body, so that something wrong can be sent to it."""
    _, _, path = label.partition(" ")
    whole = document()["paths"][path]
    operation = whole[label.partition(" ")[0].lower()]
    return bool(operation.get("parameters") or whole.get("parameters") or operation.get("requestBody"))


CASES = [
    pytest.param(label, mode, id=f"{label} {mode.value}")
    for label in LABELS
    for mode in schemathesis.GenerationMode
    if mode is schemathesis.GenerationMode.POSITIVE or takes_anything(label)
]
"""Every operation as it is meant, and every one that takes something as it is not."""


def test_only_what_takes_nothing_is_spared_wrong_requests() -> None:
    spared = {label for label in LABELS if not takes_anything(label)}
    assert len(CASES) == 2 * len(LABELS) - len(spared)
    assert {"POST /v1/quitbutton/keys", "POST /v1/quitbutton/session"} <= set(LABELS) - spared


@pytest.mark.parametrize(("label", "mode"), CASES)
def test_no_operation_fails(keyed: Running, label: str, mode: schemathesis.GenerationMode) -> None:
    operation = OPERATIONS[label]
    method, _, path = label.partition(" ")
    key = OPERATOR if document()["paths"][path][method.lower()].get("tags") == ["operators"] else CHAT

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def fuzz(case: schemathesis.Case) -> None:
        answer = case.call(base_url=keyed.url, headers={"x-api-key": key})
        case.validate_response(answer, checks=CHECKS)

    fuzz()


def test_the_served_document_is_this_one(guarded: Running) -> None:
    with urllib.request.urlopen(guarded.url + "/v1/quitbutton/openapi.json") as answer:
        assert json.load(answer) == json.loads(json.dumps(document()))
