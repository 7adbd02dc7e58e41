"""Read conversations as JSON lines, say what an assessor sees in the newest user message of each.

in, one line each:   {"id": ..., "messages": [{"role", "content"}, ...]}
out, same order:     {"id", "verdict": "clean|harm|abuse|crisis", "scores": {"harm", "abuse", "crisis"},
                      "reply": {"refusal": 0..1 or null}, "assessor": "name@version"}

`refusal` is how far the last message, where it is the assistant's, refuses or redirects. A line that cannot be read gives
{"id", "error"}, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.adapters.splice import encode
from quitbutton.cli.rows import Row, answered
from quitbutton.core.errors import BadRequest
from quitbutton.core.messages import Role
from quitbutton.core.verdicts import Label
from quitbutton.interfaces import Assessor, ReplyAssessor
from quitbutton.wiring import assessor_named, reply_assessor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--assessor", default="local", help="local (default), scripted, or names joined by commas")
    parser.add_argument("file", nargs="?", type=Path, help="JSON lines; standard input when none is given")


def run(given: argparse.Namespace) -> int:
    """Assess every row."""
    assessor_named(given.assessor)
    lines = given.file.read_text("utf-8").splitlines() if given.file else sys.stdin
    failed = 0
    for row in answered(lines, start, (given.assessor,), answer):
        failed += "error" in row
        print(json.dumps(row, ensure_ascii=False), flush=False)
    return 1 if failed else 0


class _Doors:
    assessor: Assessor
    replies: ReplyAssessor


def start(assessor: str) -> None:
    """Make this process ready."""
    _Doors.assessor = assessor_named(assessor)
    _Doors.replies = reply_assessor()


def answer(row: Row) -> Row:
    """The verdict on one row."""
    if not isinstance(row.get("messages"), list) or not row["messages"]:
        raise BadRequest("`messages` must be an array with at least one {role, content}.")
    messages = OpenAIChat().decode(encode({"model": "none", "messages": row["messages"]}), {}).messages

    async def assess() -> Row:
        verdict = await _Doors.assessor.assess(messages)
        is_reply = messages[-1].role is Role.ASSISTANT
        refusal = await _Doors.replies.assess_reply(messages) if is_reply else None
        label = Label.CLEAN if verdict.label is Label.UNKNOWN else verdict.label
        scores = verdict.scores
        return {
            "id": row.get("id"),
            "verdict": label.value,
            "scores": {"harm": scores.harm, "abuse": scores.abuse, "crisis": scores.crisis},
            "reply": {"refusal": refusal},
            "assessor": verdict.assessor,
        }

    return asyncio.run(assess())
