"""The portable convention: what the gateway says fits the published schema, in every protocol."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from quitbutton.adapters.sse import Frames, data_of
from tests.conftest import ROOT

CONVENTION = ROOT / "docs" / "convention"
SCHEMA = json.loads((CONVENTION / "schema.json").read_text("utf-8"))
FIXTURES = json.loads((CONVENTION / "fixtures.json").read_text("utf-8"))
STATES = {"redirected": "redirected", "redirected again": "redirected", "crisis": "open", "locked": "ended"}


def object_of(fixture: dict[str, Any]) -> dict[str, Any]:
    if fixture["kind"] == "json":
        body = json.loads(fixture["body"])
        return body.get("quitbutton") or body["error"]["quitbutton"]
    frames = [data_of(frame) for frame in Frames().feed(fixture["body"].encode())]
    events = [json.loads(data) for data in frames if data.startswith(b"{")]
    (found,) = [event["quitbutton"] for event in events if "quitbutton" in event]
    return found


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda one: f"{one['protocol']}-{one['streamed']}-{one['step']}")
def test_every_reply_fits_the_schema(fixture: dict[str, Any]) -> None:
    note = object_of(fixture)
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(note)
    assert note["state"] == STATES.get(fixture["step"], fixture["step"])
    unknown = set(note) - set(SCHEMA["properties"])
    assert not unknown, "every member that we send is described"


def test_all_protocols_and_steps_are_there() -> None:
    seen = {(one["protocol"], one["streamed"], one["step"], one["locked_reply"]) for one in FIXTURES}
    assert len(seen) == len(FIXTURES) == 3 * 2 * 7


def test_an_end_without_its_id_does_not_fit() -> None:
    ended = next(object_of(one) for one in FIXTURES if one["step"] == "ended")
    del ended["end_id"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(ended, SCHEMA)


def test_states_that_nobody_knows_yet_fit() -> None:
    jsonschema.validate({"state": "paused", "conversation": "conv_" + "a" * 24, "new": 1}, SCHEMA)
