"""Small pieces of Markdown tables: shares with Wilson intervals, one line a group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from quitbutton.assessors.heads import CRISES
from quitbutton.core.verdicts import Label, Verdict
from quitbutton.training.data import Row

CALLED = (Label.ABUSE, Label.HARM, Label.CRISIS, Label.UNKNOWN)
HEADER = [
    "| source | rows that are | n | called abuse | called harm | called crisis | could not tell |",
    "| --- | --- | --- | --- | --- | --- | --- |",
]


def interval(hits: int, total: int) -> str:
    """A share with its 95 % Wilson interval."""
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z * (share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5 / (1 + z * z / total)
    return f"{share:.3f} ({max(0.0, middle - reach):.3f}-{min(1.0, middle + reach):.3f})"


def table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> list[str]:
    """A table from its header cells and lines of cells."""
    rows = [header, ["---"] * len(header), *lines]
    return ["| " + " | ".join(map(str, cells)) + " |" for cells in rows]


def line(name: str, what: str, verdicts: Sequence[Verdict]) -> str:
    """One line: how often each label was given."""
    shares = (interval(sum(one.label is label for one in verdicts), len(verdicts)) for label in CALLED)
    return f"| {name} | {what} | {len(verdicts)} | " + " | ".join(shares) + " |"


def what_is(row: Row) -> str:
    """What a row is: crisis, the heads that should claim it, clean, or unlabelled."""
    true = [head for head, value in row.targets.items() if value == 1 and head != "harsh"]
    if set(true) & set(CRISES):
        return "crisis"
    if true:
        return ", ".join(true)
    return "clean" if any(row.targets.get(head) == 0 for head in ("insult", "hate", "harm")) else "open"


def by_source(found: Iterable[tuple[Row, Verdict]]) -> list[str]:
    """The lines of all sources and kinds of rows."""
    kinds: dict[tuple[str, str], list[Verdict]] = {}
    for row, verdict in found:
        kinds.setdefault((row.source, what_is(row)), []).append(verdict)
    return [*HEADER, *(line(source, what, said) for (source, what), said in sorted(kinds.items()))]


def by_language(found: Iterable[tuple[Row, Verdict]]) -> list[str]:
    """Hate found, hate falsely claimed, threats found, by language of Multilingual HateCheck."""
    kinds: dict[str, dict[str, list[Verdict]]] = {}
    for row, verdict in found:
        if row.source == "multilingual_hatecheck":
            kinds.setdefault(row.language, {}).setdefault(what_is(row), []).append(verdict)

    def share(said: list[Verdict], *labels: Label) -> str:
        return interval(sum(one.label in labels for one in said), len(said)) if said else "-"

    lines = [
        (
            language,
            share(groups.get("hate", []), Label.ABUSE, Label.HARM),
            share(groups.get("clean", []), Label.ABUSE, Label.HARM),
            share([*groups.get("hate", []), *groups.get("clean", [])], Label.UNKNOWN),
            share(groups.get("crisis", []), Label.CRISIS),
        )
        for language, groups in sorted(kinds.items())
    ]
    return table(("language", "hate found", "falsely called", "could not tell", "threats found"), lines)
