"""Writes the measured parts of `docs/clients.md`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients.chats import Chat
from tests.clients.checks import CHECKS, UNIQUE
from tests.clients.environments import Client
from tests.clients.stage import Answer

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
PLACE = re.compile(r"(<!-- measured: (\w+) -->\n)(?:(?!<!-- ).*\n)*?(<!-- end -->)")
NAMES = {"chat": "chat completions", "responses": "responses", "kept": "responses, by id", "messages": "messages"}
LONGEST = 210
"""Characters of an error's text in a cell."""


@dataclass
class Measured:
    """One client over one protocol."""

    client: Client
    protocol: str
    whole: Chat
    stream: Chat | None
    wrong: Mapping[str, Sequence[str]]
    embedded: Mapping[str, Sequence[str]] | None = field(default=None)
    """What was wrong with the embedded model behind; None where that was not run."""

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words: the first of each check, and how many more there are."""
        found = {**self.wrong, **{f"embedded, {name}": each for name, each in (self.embedded or {}).items()}}
        heads = ((name, each[0], len(each) - 1) for name, each in found.items() if each)
        return [f"{self.client.name}, {self.protocol}: {name}: {one} (and {more} more)" for name, one, more in heads]


def checks(rows: Sequence[Measured]) -> str:
    """The table of checks."""
    heads = ("client", "version", "protocol", *CHECKS, "embedded model", "tells its state")
    return table(heads, [[*who(row), *(mark(row.wrong[name]) for name in CHECKS), *rest(row)] for row in rows])


def who(row: Measured) -> list[str]:
    """Client, versions, protocol."""
    versions = list(row.client.versions.items())
    shown = versions[0][1] if len(versions) == 1 else ", ".join(f"{name} {one}" for name, one in versions)
    return [row.client.title, shown, NAMES[row.protocol]]


def mark(found: Sequence[str]) -> str:
    """Right or wrong."""
    return "no" if found else "yes"


def rest(row: Measured) -> list[str]:
    """The embedded model, and whether the client's own objects tell the state."""
    chats = [("whole", row.whole), *([("streamed", row.stream)] if row.stream else [])]
    telling = [name for name, chat in chats if chat["turn 4"].state == "ended"]
    faults = None if row.embedded is None else [one for each in row.embedded.values() for one in each]
    return ["" if faults is None else mark(faults), " and ".join(telling) or "no"]


def locked(rows: Sequence[Measured]) -> str:
    """What a locked turn is to each client, in the three styles."""
    heads = ("client", "protocol", "`error`", "code is at", "`message`", "`evals`", "a person reads, with `error`")
    lines = []
    for row in rows:
        error, message, evals = (row.whole[f"locked: {style}"] for style in ("error", "message", "evals"))
        fell = "the fallback model's answer" if error.calls else shortened(error.text)
        cells = [outcome(error), f"`{error.at}`" if error.code else "", outcome(message), outcome(evals), fell]
        lines.append([row.client.title, NAMES[row.protocol], *cells])
    return table(heads, lines)


def outcome(answer: Answer) -> str:
    """An error's class, or how an answer ended."""
    if answer.calls:
        return "falls back"
    if answer.error:
        return f"`{answer.error}`"
    return "answer" + (f", `{answer.finish}`" if answer.finish else "")


def shortened(text: str) -> str:
    """An error's text without what is never the same, in one line."""
    line = UNIQUE.sub("…", " ".join(text.split())).replace("|", "\\|")
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write(rows: Sequence[Measured]) -> None:
    """Put the tables into the page."""
    big = [row for row in rows if row.client.big]
    rows = [row for row in rows if not row.client.big]
    made = {"checks": checks(rows), "locked": locked(rows)}
    made |= {"big_checks": checks(big), "big_locked": locked(big)} if big else {}
    text = PLACE.sub(lambda found: f"{found[1]}{made[found[2]]}\n{found[3]}" if found[2] in made else found[0], page())
    PAGE.write_text(text, "utf-8")


def page() -> str:
    """The page as it is."""
    return PAGE.read_text("utf-8")
