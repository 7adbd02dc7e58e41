"""What a refusal says about a model: real wordings, what is none of ours, and how long it is remembered."""

from __future__ import annotations

import pytest

from quitbutton.core.lacks import NO_LACKS, Lack, Lacks, lack_in

NO_TOOLS = [
    (400, '{"error":{"message":"registry.ollama.ai/library/gemma:2b does not support tools","type":"api_error"}}'),
    (400, '{"message":"\\"auto\\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"}'),
    (500, '{"error":{"code":500,"message":"tools param requires --jinja flag","type":"server_error"}}'),
    (400, '{"error":"This model\'s prompt template has no place for tools"}'),
    (404, '{"error":{"message":"No endpoints found that support tool use.","code":404}}'),
    (400, '{"error":{"message":"Function calling is not enabled for models/gemma-3-27b-it"}}'),
    (422, '{"detail":[{"loc":["body","tools"],"msg":"Extra inputs are not permitted"}]}'),
    (400, '{"type":"error","error":{"type":"invalid_request_error","message":"this model does not support tool use"}}'),
]
NO_LATE_NOTES = [
    (400, '{"message":"System message must be at the beginning."}'),
    (400, '{"error":"Conversation roles must alternate user/assistant/user/assistant/..."}'),
    (500, '{"error":{"message":"After the optional system message, conversation roles must alternate user and assistant '
     'roles except for tool calls and results."}}'),
    (400, '{"error":{"message":"Expected last role User or Tool for serving but got system"}}'),
    (400, '{"error":{"message":"System role not supported"}}'),
    (400, '{"error":"Error rendering prompt with jinja template"}'),
]  # fmt: skip
OTHER = [
    (400, '{"error":{"message":"The maximum context length is 4097 tokens: 4900 in the messages, 100 in the functions"}}'),
    (400, '{"error":{"message":"temperature must be at most 2"}}'),
    (401, '{"error":{"message":"This key may not use tools"}}'),
    (429, '{"error":{"message":"Too many tool calls: system is busy"}}'),
    (503, '{"error":{"message":"The system is starting, tools are not there yet"}}'),
    (200, '{"choices":[]}'),
]  # fmt: skip


@pytest.mark.parametrize(("status", "said"), NO_TOOLS)
def test_a_model_without_tools_is_known_by_its_refusal(status: int, said: str) -> None:
    assert lack_in(status, said.encode(), has_tool=True, has_notes=False) is Lack.TOOLS
    assert lack_in(status, said.encode(), has_tool=False, has_notes=False) is None, "nothing of ours was in it"


@pytest.mark.parametrize(("status", "said"), NO_LATE_NOTES)
def test_a_template_that_takes_no_late_system_text_is_known_by_its_refusal(status: int, said: str) -> None:
    assert lack_in(status, said.encode(), has_tool=True, has_notes=True) is Lack.LATE_NOTES


@pytest.mark.parametrize(("status", "said"), OTHER)
def test_other_refusals_say_nothing_about_the_model(status: int, said: str) -> None:
    assert lack_in(status, said.encode(), has_tool=True, has_notes=False) is None


def test_what_is_known_is_bounded_and_expires() -> None:
    lacks = Lacks(most=2, lasts=60)
    for place in range(3):
        lacks.learn(("up", str(place)), frozenset({Lack.TOOLS}), now=float(place))
    assert lacks.of(("up", "0"), 3) == NO_LACKS, "the oldest gives way"
    lacks.learn(("up", "2"), frozenset({Lack.LATE_NOTES}), now=10)
    assert lacks.of(("up", "2"), 69.9) == {Lack.TOOLS, Lack.LATE_NOTES}
    assert lacks.of(("up", "2"), 70) == NO_LACKS
