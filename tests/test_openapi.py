"""Our own endpoints, fuzzed from their OpenAPI document: no 500, and answers as the document says."""

from __future__ import annotations

import json
import urllib.request

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from quitbutton.gateway.openapi import document
from tests.conftest import Running

SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = {operation.ok().label: operation.ok() for operation in SCHEMA.get_all_operations()}
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance, status_code_conformance]


@pytest.mark.parametrize("label", list(OPERATIONS))
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_no_operation_fails(guarded: Running, label: str, mode: schemathesis.GenerationMode) -> None:
    operation = OPERATIONS[label]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def fuzz(case: schemathesis.Case) -> None:
        answer = case.call(base_url=guarded.url)
        case.validate_response(answer, checks=CHECKS)

    try:
        fuzz()
    except Exception as error:
        if type(error).__name__ != "Unsatisfiable":  # an operation without parameters has no wrong ones
            raise


def test_the_served_document_is_this_one(guarded: Running) -> None:
    with urllib.request.urlopen(guarded.url + "/v1/quitbutton/openapi.json") as answer:
        assert json.load(answer) == json.loads(json.dumps(document()))
