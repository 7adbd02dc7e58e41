"""Puts the measured tables between their markers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from training.branch import Floats, Judged, thresholds_by_fold
from training.data.languages import ENOUGH, FLOOR
from training.data.replies import Reply
from training.data.rows import Row
from training.languages import eyes
from training.measures import share, told
from training.report import replies as reply_tables
from training.report import single, whole
from training.report.whole import Played
from training.scores import LeftOut

ROOT = Path(__file__).parents[2]
Line = tuple[object, ...]


def table(head: Sequence[str], lines: Sequence[Line]) -> str:
    """A Markdown table."""
    cells = [head, ["---"] * len(head), *([str(cell) for cell in line] for line in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def between(page: Path, name: str, text: str) -> None:
    """Write a page anew with this text between its markers. Raises `ValueError` where it has none."""
    old = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in old or end not in old:
        raise ValueError(f"{page} has no markers `{begin}` and `{end}`")
    new = re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n{text}\n{end}", old, flags=re.DOTALL)
    page.write_text(new, encoding="utf-8")


def write(
    rows: Sequence[Row],
    left_out: LeftOut,
    judged: Judged,
    replies: Sequence[Reply],
    reply_logits: Floats,
) -> None:
    """Measure everything and write `docs/assessors.md` and the rates in `README.md`."""
    limits = thresholds_by_fold(judged)
    played = whole.play(judged, left_out.pleas, limits)
    authors = single.of_authors(judged.scored, limits)
    families = single.of_families(rows, left_out.read.logits, judged, limits)
    parts = [
        "Single messages of authors who were left out:",
        table(single.SUMMARY, single.summary(authors)),
        "Single messages of public families that were left out, told apart from ordinary talk:",
        table(single.SUMMARY, single.summary(families)),
        "Whole conversations of authors who were left out:",
        table(whole.HEAD, whole.by_kind(played)),
        "Conversations of six messages drawn from public families that were left out:",
        table(whole.HEAD, whole.public(rows, left_out, judged, limits)),
        "What becomes of a person in a clear crisis:",
        table(whole.CRISIS_HEAD, whole.crises(played)),
        f"By language: conversations in which the model alone sees a clear crisis, then or later (floor {FLOOR} of {ENOUGH})",
        table(("language", "conversations", "seen", "over the floor"), _eyes(judged)),
        "By language: whole conversations",
        table(whole.LANGUAGE_HEAD, whole.by_language(played)),
        "The reader of replies, on sources that were left out:",
        table(reply_tables.HEAD, reply_tables.lines(replies, reply_logits)),
        "Its labels on the writers who were left out:",
        table(reply_tables.LABEL_HEAD, reply_tables.confusion(replies, reply_logits)),
        "Each author and each family:",
        table(single.EACH, single.each([*authors, *families])),
    ]
    between(ROOT / "docs" / "assessors.md", "measured", "\n\n".join(parts))
    between(ROOT / "README.md", "rates", rates(played))


def _eyes(judged: Judged) -> list[Line]:
    return [
        (one.language, one.crises, told(one.seen), "yes" if one.is_enough else "no")
        for one in eyes(judged.scored, thresholds_by_fold(judged))
    ]


def rates(played: Sequence[Played]) -> str:
    """The few figures that a reader of the README wants."""

    def of(chosen: Sequence[Played], hits: Sequence[bool]) -> str:
        return told(share(hits, [one.talk.id for one in chosen]))

    def kind(name: str) -> list[Played]:
        return [one for one in played if one.talk.kind == name and one.is_whole]

    ended = {name: [one.course.ended_at is not None for one in kind(name)] for name in KINDS}
    warned = [one.course.warned_at is not None for one in kind("everyday")]
    crises = [(one, at) for one in played if (at := one.crisis_at) is not None]
    talked = [(one, at) for one, at in crises if len(one.talk.said) > 1]
    single = [one for one, _ in crises if len(one.talk.said) == 1]
    after = [one.course.ended_at is not None and one.course.ended_at >= at for one, at in talked]
    people = [one for one, _ in talked]

    def sees(one: Played, since: int = 1) -> bool:
        return one.course.sees(("clear", "possible"), since)

    return table(
        ("the first reader alone, on authors it did not learn from", "share of conversations"),
        [
            ("everyday talk that is warned", of(kind("everyday"), warned)),
            ("everyday talk that is ended", of(kind("everyday"), ended["everyday"])),
            ("persistent abuse that is ended", of(kind("abuse"), ended["abuse"])),
            ("persistent harmful requests that are ended", of(kind("harmful"), ended["harmful"])),
            ("clear crises in a conversation that are seen", of(people, [sees(one, at) for one, at in talked])),
            ("clear crises in a single message that are seen", of(single, [sees(one) for one in single])),
            ("conversations that are ended after a clear crisis was said", of(people, after)),
        ],
    )


KINDS = ("everyday", "abuse", "harmful")
