"""All rows that the reader of messages is trained and measured on."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from training.data import abuse, authored, crises, everyday, labelled, requests
from training.data.lessons import Lesson
from training.data.rows import UNKNOWN, Raw, Row, read
from training.data.sources import SOURCES, Source

READERS = abuse.READERS | requests.READERS | crises.READERS | everyday.READERS
MOST = 700
"""Rows of a source, so that no source decides; HateCheck in many languages has a share of it for each."""
LANGUAGES_SHARE = 7


def public(folder: Path) -> Iterator[Row]:
    """Every row of the public sources."""
    for source in SOURCES:
        seen: set[str] = set()
        for raw in read(folder, source.file):
            for lesson in READERS[source.name](raw):
                is_again = source.name in requests.GOALS and lesson.text in seen
                seen.add(lesson.text)
                if lesson.text.strip() and not is_again:
                    yield row_of(source, raw, lesson)


def row_of(source: Source, raw: Raw, lesson: Lesson) -> Row:
    """What a source's lesson comes to: where its licence forbids it, nothing is learned from it."""
    return Row(
        lesson.text,
        source.name,
        source.family,
        f"{source.name}:{raw['id'] if lesson.group is None else lesson.group}",
        lesson.targets,
        lesson.weight if source.is_learned else 0.0,
        lesson.language or raw["labels"].get("lang", "en"),
        lesson.context,
        lesson.target,
        lesson.mode,
        requests.hazard_of(raw) if lesson.targets.get("harm") else UNKNOWN,
        lesson.kind,
    )


def drawn(rows: Iterable[Row], most: int = MOST) -> list[Row]:
    """At most so many rows a source, chosen by a hash of their text: the same ones each time."""
    by_source: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        by_source[row.source, row.language if row.source == "multilingual_hatecheck" else ""].append(row)
    kept: list[Row] = []
    for (_, language), several in by_source.items():
        cap = most // LANGUAGES_SHARE if language else most
        kept += several if len(several) <= cap else sorted(several, key=_order)[:cap]
    return kept


def _order(row: Row) -> bytes:
    return hashlib.md5(row.text.encode(), usedforsecurity=False).digest()


def pool(folder: Path, talks: Sequence[authored.Talk] | None = None) -> list[Row]:
    """Public rows, but for those that were labelled anew; these; and the conversations written for the project."""
    read_anew = labelled.rows(folder)
    texts = {row.text for row in read_anew}
    return [
        *drawn(row for row in public(folder) if row.text not in texts),
        *read_anew,
        *authored.rows_of(authored.talks() if talks is None else talks),
    ]


def digest(rows: Sequence[object]) -> str:
    """SHA-256 over all rows that are learned from: which data the weights are made of."""
    whole = hashlib.sha256()
    for row in rows:
        whole.update(json.dumps(asdict(row), ensure_ascii=False, sort_keys=True).encode())  # type: ignore[call-overload]
    return whole.hexdigest()
