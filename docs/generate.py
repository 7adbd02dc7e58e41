"""Writes what the docs generate from the code, or says whether it is fresh: `python -m docs.generate [--check]`.

The ladder's diagram and table come from `quitbutton.core.ladder.transitions.TRANSITIONS`, the policy's keys from
`Policy`, the commands from their `--help`, the metrics from their catalogue, the judges' categories from their formats,
the convention's replies from plays.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from docs.fixtures import fixtures
from quitbutton.assessors.judging.formats import FORMATS
from quitbutton.cli.main import COMMANDS, parser
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.transitions import (
    TRANSITIONS,
    Answer,
    Consent,
    Effect,
    Hold,
    Kind,
    Signal,
    Stage,
    Transition,
)
from quitbutton.core.ladder.verdicts import Label
from quitbutton.core.tools.end_conversation import description
from quitbutton.observing.catalogue import table as metrics
from quitbutton.settings.installation import policy_toml

DOCS = Path(__file__).parent
os.environ["COLUMNS"] = "100"  # help texts must not depend on the terminal


def diagram() -> str:
    """The ladder as a Mermaid state diagram: only the rows that move. Under a possible crisis there are no other moves."""
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR", "    [*] --> open"]
    names = {"spent": "redirected (n spent)"}
    lines += [f'    state "{label}" as {stage}' for stage, label in names.items()]
    seen: set[str] = set()
    for row in TRANSITIONS:
        for line in moves(row) if Hold.NONE in row.holds else []:
            if line not in seen:
                seen.add(line)
                lines.append(line)
    lines += [
        "    warned --> spent: clean turns forgive a rung",
        "    spent --> redirected: clean turns forgive a rung",
    ]
    lines += ["    redirected --> open: clean turns forgive a rung", "    ended --> [*]", "```"]
    return "\n".join(lines)


def moves(row: Transition) -> list[str]:
    """The arrows of one row."""
    what = f"{words(row.kinds, Kind)} turn" if row.kinds != frozenset(Kind) else "any turn"
    signal = "" if Signal.NONE in row.signals else f" + {words(row.signals, Signal)}"
    arrows = {
        Effect.STRIKE: {"open": "redirected", "redirected": "spent", "spent": "spent"},
        Effect.WARN: {"spent": "warned"},
        Effect.END: dict.fromkeys(("open", "redirected", "spent", "warned"), "ended"),
    }.get(row.effect, {})
    from_any = row.effect is Effect.END and row.stages == frozenset(Stage)
    if from_any:
        return [f"    open --> ended: {what}{signal} (also from every rung)"]
    return [
        f"    {stage.value} --> {arrows[stage.value]}: {what}{signal}"
        for stage in Stage
        if stage in row.stages and stage.value in arrows
    ]


def table() -> str:
    """Every row of the ladder, first match wins."""
    lines = [
        "| stage | a crisis that holds | the user's turn | the model | its reply | the readers' consent | what is done "
        "| effect | a press is denied because |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in TRANSITIONS:
        turn = [
            words(row.stages, Stage),
            words(row.holds, Hold),
            words(row.kinds, Kind),
            words(row.signals, Signal),
            words(row.answers, Answer),
            words(row.consents, Consent),
        ]
        cells = [*turn, row.action, row.effect]
        lines.append("| " + " | ".join([*map(str, cells), str(row.denial or "")]) + " |")
    return "\n".join(lines)


def words(several: frozenset, kind: type) -> str:  # type: ignore[type-arg]
    """Names in the order of their enum; "any" for all of them."""
    return "any" if several == frozenset(kind) else ", ".join(one.value for one in kind if one in several)  # type: ignore[attr-defined]


def policy() -> str:
    """The default policy, as a file."""
    return f"```toml\n{policy_toml(Policy())}```"


def tool_text() -> str:
    """What the model is told, under the default policy."""
    return "> " + description(Policy())


def commands() -> str:
    """The help of every command."""
    parts = [f"```\n$ quitbutton --help\n{parser().format_help()}```"]
    for name in COMMANDS:
        command = import_module(f"quitbutton.cli.{name}")
        own = argparse.ArgumentParser(
            prog=f"quitbutton {name}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            description=command.__doc__,
        )
        command.add_arguments(own)
        parts.append(f"```\n$ quitbutton {name} --help\n{own.format_help()}```")
    return "\n\n".join(parts)


def judges() -> str:
    """Each judge's format, models, calls and categories."""
    heads = ("format", "models", "published in", "sees earlier turns", "crisis", "abuse", "harm", "nothing to us")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, one in FORMATS.items():
        labels = (Label.CRISIS, Label.ABUSE, Label.HARM, None)
        cells = [", ".join(category for category, label in one.labels.items() if label is kind) for kind in labels]
        seen = "yes" if one.shows_context else "no"
        lines.append("| " + " | ".join([f"`{name}`", one.model, one.source, seen, *cells]) + " |")
    return "\n".join(lines)


PARTS: dict[str, Callable[[], str]] = {
    "diagram": diagram,
    "table": table,
    "policy": policy,
    "tool": tool_text,
    "commands": commands,
    "judges": judges,
    "metrics": metrics,
}
PLACE = re.compile(r"(<!-- generated: (\w+) -->\n)(?:(?!<!-- ).*\n)*?(<!-- end -->)")


def filled(text: str) -> str:
    """A page with its generated parts as they should be."""
    return PLACE.sub(lambda found: found[1] + PARTS[found[2]]() + "\n" + found[3], text)


def main() -> int:
    """Write, or check."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--check", action="store_true", help="change nothing; 1 when a page is not fresh")
    check = given.parse_args().check
    stale = []
    for page in [*DOCS.glob("*.md"), DOCS.parent / "README.md"]:
        text = page.read_text("utf-8")
        if filled(text) != text:
            stale.append(page.name)
            if not check:
                page.write_text(filled(text), "utf-8")
    replies = DOCS / "convention" / "fixtures.json"
    if not replies.exists() or replies.read_text("utf-8") != fixtures():
        stale.append(replies.name)
        if not check:
            replies.write_text(fixtures(), "utf-8")
    if stale:
        print(("not fresh, run make docs: " if check else "written: ") + ", ".join(stale))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
