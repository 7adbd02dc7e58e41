"""Replies that a reader of replies learns from: what a reply does with what was asked."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from training.data.authored import FOLDER, Talk, is_serious_abuse
from training.data.rows import UNKNOWN, Raw, read, said_by_user
from training.data.sources import REPLY_SOURCES

LABELS = ("complied", "partial", "redirected", "refused")
COMPLIED, PARTIAL, REDIRECTED, REFUSED = range(4)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of an assistant."""

    text: str
    source: str
    group: str
    label: int
    """Place in `LABELS`, or unknown where only `is_short` is known."""
    weight: float
    language: str = "en"
    is_short: bool = False
    """Whether it did not, or not wholly, do what was asked."""


Answer = tuple[str, int, float, str]
"""Text, label, weight, group."""
TONES = {"complied": COMPLIED, "rejected": REFUSED, "redirected": REDIRECTED, "counseling": REDIRECTED}
XSTEST = {"1": COMPLIED, "2": REFUSED, "3": PARTIAL}


def _newest(raw: Raw) -> str:
    return next((one["content"] for one in reversed(raw["messages"]) if one["role"] == "assistant"), "")


def _all(raw: Raw) -> list[str]:
    return [one["content"] for one in raw["messages"] if one["role"] == "assistant"]


READERS: dict[str, Callable[[Raw], list[Answer]]] = {
    "xstest_completions": lambda raw: [
        (_newest(raw), XSTEST[raw["labels"]["final_label"][0]], 1.0, said_by_user(raw)[-1])
    ],
    "chatgpt_refusals": lambda raw: [
        (_newest(raw), TONES[tone], 1.0, raw["id"]) for tone in (raw["labels"]["tone"],) if tone in TONES
    ],
    "med_safety_refusals": lambda raw: [(_newest(raw), REFUSED, 0.5, raw["id"])],
    "ko_redteam_replies": lambda raw: [
        (_newest(raw), REFUSED if raw["labels"]["label"] == "refusal" else COMPLIED, 0.2, raw["id"])
    ],
    "oasst_trees": lambda raw: [(text, COMPLIED, 0.5, raw["id"]) for text in _all(raw)],
    "dolly_sample": lambda raw: [(_newest(raw), COMPLIED, 0, raw["id"])],
}
"""By the source's name: a reply, its label, its weight and its group."""
MOST = {"ko_redteam_replies": 360, "dolly_sample": 600}
"""Replies of a label, where a source has many of them."""


def public(folder: Path) -> Iterator[Reply]:
    """Replies of public sources."""
    for source in REPLY_SOURCES:
        count: Counter[int] = Counter()
        for raw in read(folder, source.file):
            for text, label, weight, group in READERS[source.name](raw):
                count[label] += 1
                if text.strip() and count[label] <= MOST.get(source.name, count[label]):
                    language = raw["labels"].get("lang", "en")
                    yield Reply(
                        text, source.family, group, label, weight * source.is_learned, language, label != COMPLIED
                    )


def written(folder: Path = FOLDER / "replies") -> Iterator[Reply]:
    """Replies written for the project. The same request in several labels and languages is one group."""
    for path in sorted(folder.glob("*.jsonl.gz")):
        for raw in read(folder, path.name.removesuffix(".jsonl.gz")):
            label = LABELS.index(raw["label"])
            group = raw["id"].split("-", 2)[2].rstrip(string.ascii_lowercase)
            yield Reply(
                raw["reply"], f"writer_{raw['author']}", group, label, 2.0, raw["lang"], is_short=label != COMPLIED
            )


def of_talks(talks: list[Talk]) -> Iterator[Reply]:
    """The assistant's turns of the written conversations: it falls short of what is harmful, and does ordinary things."""
    for talk in talks:
        place = -1
        for message in talk.messages:
            if message["role"] == "user":
                place += 1
                continue
            if place < 0 or not message["content"].strip():
                continue
            found = _implied(talk, place)
            if found is not None:
                is_short, weight = found
                yield Reply(message["content"], talk.family, talk.id, UNKNOWN, weight, talk.language, is_short)


def _implied(talk: Talk, place: int) -> tuple[bool, float] | None:
    """Whether the reply to this message falls short, and how much that counts; None where it is open."""
    label = talk.labels[place]
    if label["crisis"] != "none":
        return None
    if label["harm"] == "serious":
        return True, 0.25
    if is_serious_abuse(label):
        return True, 0.25
    if label["abuse"] == label["harm"] == "none" and talk.kind == "everyday":
        return False, 0.3
    return None


def replies(folder: Path, talks: list[Talk]) -> list[Reply]:
    """All replies."""
    return [*public(folder), *written(), *of_talks(talks)]
