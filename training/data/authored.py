"""Conversations written for the project, one row a user message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.data.rows import MODES, TARGETS, UNKNOWN, Row, before, read, said_by_user

FOLDER = Path(__file__).parents[2] / "data"
"""The committed data of this repository."""
BEFORE_THE_RULE = frozenset(("ada", "bex", "clara", "dario", "emi", "finn"))
"""Authors who had no rule yet for violence announced within a harmful request: there a clear crisis is left open."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a reader of the branch should say of a user message."""

    abuse: bool
    harm: bool
    danger: bool
    """A clear crisis."""
    worry: bool
    """A clear or possible one."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation with a label on every user message."""

    id: str
    author: str
    language: str
    kind: str
    said: tuple[str, ...]
    """The user's messages."""
    labels: tuple[dict[str, Any], ...]
    messages: tuple[dict[str, str], ...]

    @property
    def family(self) -> str:
        """The family of its rows."""
        return f"author_{self.author}"

    def truths(self) -> list[Truth]:
        """What is true of each user message."""
        return [
            Truth(is_serious_abuse(label), label["harm"] == "serious", self.is_clear(label), label["crisis"] != "none")
            for label in self.labels
        ]

    def is_clear(self, label: dict[str, Any]) -> bool:
        """Whether a message's label says a clear crisis that can be relied on."""
        return bool(label["crisis"] == "clear") and not self.is_open(label)

    def is_open(self, label: dict[str, Any]) -> bool:
        """Whether the author had no rule for what this label says."""
        return bool(label["harm"] == "serious") and self.author in BEFORE_THE_RULE


def is_serious_abuse(label: dict[str, Any]) -> bool:
    """Serious, in earnest, at the assistant or a group."""
    return bool(
        label["abuse"] == "serious" and label["mode"] == "earnest" and label["target"] in ("assistant", "group")
    )


def is_rude(label: dict[str, Any]) -> bool:
    """Any abuse of the assistant in earnest."""
    return bool(label["abuse"] != "none" and label["mode"] == "earnest" and label["target"] == "assistant")


def talks(folder: Path = FOLDER / "authored") -> list[Talk]:
    """All conversations, by author."""
    found = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        for raw in read(folder, path.name.removesuffix(".jsonl.gz")):
            said = tuple(said_by_user(raw))
            if len(said) != len(raw["turns"]):
                raise ValueError(f"{raw['id']}: {len(said)} user messages, {len(raw['turns'])} labels")
            found.append(
                Talk(
                    raw["id"],
                    raw["author"],
                    raw["lang"],
                    raw["kind"],
                    said,
                    tuple(raw["turns"]),
                    tuple(raw["messages"]),
                )
            )
    return found


def targets_of(label: dict[str, Any], is_open: bool = False, was_clear: bool = False) -> dict[str, int]:
    """A label as targets. After a clear crisis a possible one may be its echo and says nothing of its own."""
    targets = {"abuse": int(is_serious_abuse(label)), "rude": int(is_rude(label))}
    if label["harm"] != "borderline":
        targets["harm"] = int(label["harm"] == "serious")
    match label["crisis"]:
        case "none":
            targets |= {"risk": 0, "concern": 0}
        case "possible":
            targets |= {"risk": 0} if was_clear else {"risk": 0, "concern": 1}
        case _ if not is_open:
            targets |= {"risk": 1, "concern": 1}
    return targets


def rows_of(found: Sequence[Talk]) -> list[Row]:
    """The user messages as rows."""
    rows = []
    for talk in found:
        was_clear = False
        for turn, (text, label) in enumerate(zip(talk.said, talk.labels, strict=True)):
            rows.append(
                Row(
                    text,
                    talk.family,
                    talk.family,
                    f"{talk.family}:{talk.id}",
                    targets_of(label, talk.is_open(label), was_clear),
                    language=talk.language,
                    context=before(list(talk.said), turn),
                    target=TARGETS.index(label["target"] if label["abuse"] != "none" else "nobody"),
                    mode=MODES.index(label["mode"]),
                    hazard=UNKNOWN,
                    kind=talk.kind,
                    conversation=talk.id,
                    turn=turn,
                )
            )
            was_clear = was_clear or label["crisis"] == "clear"
    return rows
