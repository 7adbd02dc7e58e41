"""Read conversations as JSON lines, say what an assessor sees in the newest user message of each.

in, one line each:   {"id": ..., "messages": [{"role", "content"}, ...]}
out, same order:     {"id", "verdict": "clean|harm|abuse|crisis", "scores": {"harm", "abuse", "crisis"},
                      "target": "assistant|person|group|thing|self|nobody", "mode": "earnest|play|quoted|task",
                      "severity": "mild|serious" or null, "crisis": "clear|possible" or null,
                      "reply": {"refusal": 0..1 or null, "label": "refused|redirected|partial|complied" or null},
                      "assessor": "name@version"}

Mild rudeness, and serious words that were not meant, are `clean` with their `severity` and `mode`.
`reply` is about the last message, where it is the assistant's: `refusal` is the probability that it refuses or redirects,
wholly or in part; both are null where nobody could tell. A line that cannot be read gives
{"id", "error"}, and the exit status is 1. A judge (`[judges.NAME]` in the settings file) is asked about every row, whatever
its `sample`; a row where it fails is one that cannot be read.

evaluate --second NAME measures a second reader on conversations with `kind` (everyday, crisis, mixed, abuse, harmful) and
`turns`, one label {"abuse", "harm", "mode", "crisis"} for each user message: how often it says yes, no, unsure, by kind, and
how long it takes.

evaluate measures assessors (each name by itself) on rows that also have `label` (clean, harm, abuse, crisis) or `purpose`:
recall, false positives, AUC, calibration error with intervals, latency, by source and language. calibrate prints the
thresholds of least cost, where a false end costs a hundred missed ones, as lines for a policy file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from quitbutton.cli.evaluation import calibrate, evaluate
from quitbutton.cli.judges import Session, add_config, tables_of
from quitbutton.cli.rows import Row, answered, lines_of
from quitbutton.cli.second import NAMES, evaluate_second
from quitbutton.cli.serve import ASSESSORS
from quitbutton.core.judges import JudgeSettings
from quitbutton.core.ladder.verdicts import UNREAD, Label, ReplyLabel, ReplyVerdict
from quitbutton.core.messages import Role
from quitbutton.interfaces import Assessor, ReplyAssessor
from quitbutton.replay.simulate import decoded
from quitbutton.wiring import Judges, assessor_named, reply_assessor_named


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--assessor", default="local", help=ASSESSORS)
    add_config(parser)
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="evaluate, calibrate: write a page with plots as well"
    )
    parser.add_argument("--second", metavar="NAME", help="evaluate: measure this second reader: " + NAMES)
    words = "evaluate FILE..., calibrate FILE..., or one file to assess; standard input when nothing is given"
    parser.add_argument("words", nargs="*", metavar="[evaluate|calibrate] FILE", help=words)


def run(given: argparse.Namespace) -> int:
    """Assess every row, or measure an assessor on labelled ones."""
    what, files = given.words[:1], [Path(word) for word in given.words[1:]]
    tables = tables_of(given.config)
    if what == ["evaluate"] and given.second is not None:
        return evaluate_second(files, given.second, tables)
    if what == ["evaluate"]:
        return evaluate(files, given.assessor.split(","), given.html, tables)
    if what == ["calibrate"]:
        return calibrate(files, given.assessor, given.html, tables)
    assessor_named(given.assessor, judges=Judges(tables))
    failed = 0
    for row in answered(lines_of(Path(what[0] if what else "-")), start, (given.assessor, tables), answer):
        failed += "error" in row
        print(json.dumps(row, ensure_ascii=False))
    return 1 if failed else 0


class _Doors:
    session: Session
    assessor: Assessor
    replies: ReplyAssessor | None


def start(assessor: str, tables: Mapping[str, JudgeSettings]) -> None:
    """Make this process ready."""
    _Doors.session = Session(tables)
    _Doors.assessor = assessor_named(assessor, _Doors.session.patience, _Doors.session.judges)
    _Doors.replies = reply_assessor_named()


def answer(row: Row) -> Row:
    """The verdict on one row."""
    messages = decoded(row.get("messages"))

    async def assess() -> Row:
        verdict = await _Doors.assessor.assess(messages)
        is_reply = messages[-1].role is Role.ASSISTANT
        reply = await _Doors.replies.assess_reply(messages) if is_reply and _Doors.replies else UNREAD
        label = Label.CLEAN if verdict.label is Label.UNKNOWN else verdict.label
        scores = verdict.scores
        return {
            "id": row.get("id"),
            "verdict": label.value,
            "scores": {"harm": scores.harm, "abuse": scores.abuse, "crisis": scores.crisis},
            **verdict.details,
            "reply": _told(reply),
            "assessor": verdict.assessor,
        }

    return _Doors.session.run(assess())


def _told(reply: ReplyVerdict) -> Row:
    if reply.label is ReplyLabel.UNKNOWN:
        return {"refusal": None, "label": None}
    return {"refusal": reply.refusal, "label": reply.label.value}
