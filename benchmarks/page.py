"""Writes the page of what was measured: tables and plots from the files of results beside it.

    python -m benchmarks.page

The parts of `docs/scaling.md` between its marks are written as well.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gateway import GROWING, HISTORIES, MEMORY_AFTER, PACED, SATURATED, SHORT, added
from benchmarks.measuring import NOTHING, RESULTS, number, spread
from benchmarks.plots import COLOURS, bars, lines
from benchmarks.scaling import PARTS
from benchmarks.store import WAITING
from benchmarks.targets import ARE, DIRECT, EVERYBODY, LITELLM_PROXY, LOCAL, NGINX, OTHER, POSTGRES, RELAY, SCRIPTED

SCALING = RESULTS.parent / "scaling.md"
MARK = re.compile(r"(<!-- measured: (\w+) -->\n)(?:(?!<!-- ).*\n)*?(<!-- end measured -->)")
SUBJECTS = ("gateway", "store", "assessors", "ladder")
SHOWN = dict(zip((SCRIPTED, LOCAL, POSTGRES, NGINX, RELAY, OTHER, LITELLM_PROXY, DIRECT), COLOURS, strict=True))
CAPACITY = "whole-2-64"
Found = dict[str, Any]


class Page:
    """Lines of Markdown, and pictures beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []

    def say(self, *lines: str) -> None:
        """Lines, and an empty one after them."""
        self.lines += [*lines, ""]

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table: names to the left, figures to the right."""
        self.say(*table(head, rows))

    def picture(self, name: str, told: str, svg: str) -> None:
        """A plot in a file of its own."""
        (self.folder / f"{name}.svg").write_text(svg, "utf-8")
        self.say(f"![{told}]({name}.svg)")

    def write(self) -> None:
        """README.md, so that a browser of files shows it."""
        (self.folder / "README.md").write_text("\n".join(self.lines).rstrip() + "\n", "utf-8")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Markdown."""
    rule = ["---", *(["---:"] * (len(head) - 1))]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]


def results(folder: Path) -> dict[str, Found]:
    """What there is, by subject."""
    files = {name: folder / f"{name}.json" for name in SUBJECTS}
    return {name: json.loads(file.read_text("utf-8")) for name, file in files.items() if file.exists()}


def write(folder: Path) -> None:
    """The page from the results in its folder."""
    found, page = results(folder), Page(folder)
    page.say("# What it costs, measured")
    page.say(
        "Written by `make bench` (`python -m benchmarks.page` writes it again from the JSON files beside it). What follows",
        "from it for an installation: [scaling](../scaling.md).",
    )
    for name, section in SECTIONS.items():
        if name in found:
            section(page, found[name])
    page.say("## What do these figures not say?")
    page.say(
        "One machine, HTTP on loopback without TLS, a provider that answers at once. A shared machine moves rates and tails,",
        "by a factor of two at times; processor time a request moves least. Compare within a table, not across pages. Other",
        "programs do other things in their time: LiteLLM counts cost and routes, nginx only passes on.",
    )
    page.write()


def where(found: Found) -> list[str]:
    """On which machine, with which command."""
    one, settings = found["machine"], found["settings"]
    rounds = f"{settings['rounds']} round{'s' if settings['rounds'] > 1 else ''}"
    hardware = f"{one['cores']} cores ({one['processor']}), {one['memory_gb']} GB"
    return [
        f"`{found['command']}`, {one['date']}: {hardware}, {one['system']}, Python {one['python']}.",
        f"Medians of {rounds}, the lowest and highest in brackets.",
    ]


def gateway(page: Page, found: Found) -> None:
    """Everything about requests."""
    cases = found["cases"]
    others = sorted(figures["others"][0] for case in cases.values() for figures in case["targets"].values())
    page.say("## Who is measured, and how?")
    page.say(
        *where(found),
        "Every round runs each target in each case, in a new order, on a core of its own; load and provider (fixed answers,",
        f"tens of thousands a second) share the other. Other programs took {number(others[len(others) // 2])} cores",
        "meanwhile (median). Messages have 400 characters, and every request is a conversation that nobody saw before, with",
        "its whole history: the worst case, but for *growing*, where each conversation comes back turn by turn.",
    )
    names = [name for name in EVERYBODY if any(name in case["targets"] for case in cases.values())]
    known = {name: f" ({version})" for name, version in found.get("versions", {}).items()}
    rows = [f"| {name} | {ARE[name]}{known.get(name, '')} |" for name in names]
    page.say("| target | what it is |", "| --- | --- |", *rows)
    for name, why in found["absent"].items():
        page.say(f"{name} is missing: {why}.")
    if CAPACITY in cases:
        _capacity(page, cases[CAPACITY])
    _waiting(page, cases)
    _histories(page, cases)
    _streams(page, cases)
    _memory(page, found["memory_mb"])
    _everything(page, found, names)


def _capacity(page: Page, case: Found) -> None:
    page.say("## What does a core serve?")
    targets = case["targets"]
    order = sorted(targets, key=lambda name: -targets[name]["per_core"][0])
    told = "requests a core-second, 2 messages, 64 connections"
    page.picture("capacity", told, bars(told, told, [(n, spread(targets[n]["per_core"])) for n in order], SHOWN))
    head = ["64 connections, 2 messages", "requests a core-second", "CPU s for 1,000", "requests/s", "p99 ms"]
    rows = []
    for name in order:
        one = targets[name]
        cells = [spread(one[key]).told for key in ("per_core", "cpu_ms", "rate", "p99_ms")]
        ratios = [times(one, targets.get(other), "cpu_ms") for other in (RELAY, LITELLM_PROXY)]
        rows.append([name, *cells, *ratios, number(one["database_ms"][0]) if "database_ms" in one else ""])
    page.table((*head, "CPU ÷ bare relay", "CPU ÷ LiteLLM", "database's CPU s for 1,000"), rows)
    page.say("Where *requests/s* is far below *a core-second*, load and provider were busy, not the target.")


def times(one: Found, other: Found | None, figure: str) -> str:
    """How many times as much."""
    return f"{number(one[figure][0] / other[figure][0])}×" if other and other[figure][0] else NOTHING


def _waiting(page: Page, cases: Found) -> None:
    page.say("## What does a request wait longer?")
    page.say("One connection: p50 / p99 in ms, less those of the provider itself in the same run.")
    keys = [(messages, f"whole-{messages}-1") for messages in HISTORIES if f"whole-{messages}-1" in cases]
    rows = []
    for name in EVERYBODY[1:]:
        cells = []
        for _, key in keys:
            both = [added(cases[key], name, figure) for figure in ("p50_ms", "p99_ms")]
            cells.append(NOTHING if None in both else " / ".join(f"{value:.2f}" for value in both if value is not None))
        if set(cells) - {NOTHING}:
            rows.append([name, *cells])
    page.table(("added, ms", *(f"{messages:,} messages" for messages, _ in keys)), rows)


def _histories(page: Page, cases: Found) -> None:
    page.say("## What does a long history cost?")
    keys = [(messages, f"whole-{messages}-16") for messages in HISTORIES if f"whole-{messages}-16" in cases]
    names = [name for name in EVERYBODY if any(name in cases[key]["targets"] for _, key in keys)]
    series = {
        name: [(float(m), cases[key]["targets"][name]["cpu_ms"][0]) for m, key in keys if name in cases[key]["targets"]]
        for name in names
    }
    told = "CPU ms a request by the length of its history, 16 connections"
    if keys:
        page.picture("histories", told, lines(told, "messages", "CPU ms a request", series, SHOWN))
    more = [(case.told, case.key) for case in (GROWING, SHORT) if case.key in cases]
    head = ["CPU s for 1,000 requests", *(f"{messages:,} messages" for messages, _ in keys)]
    every = [key for _, key in keys] + [key for _, key in more]
    rows = [[name, *(_cell(cases[key], name, "cpu_ms") for key in every)] for name in EVERYBODY]
    page.table((*head, *(told for told, _ in more)), [row for row in rows if set(row[1:]) - {NOTHING}])


def _cell(case: Found, name: str, figure: str) -> str:
    one = case["targets"].get(name)
    return spread(one[figure]).told if one and figure in one else NOTHING


def _streams(page: Page, cases: Found) -> None:
    if PACED.key not in cases or SATURATED.key not in cases:
        return
    page.say("## What does a stream cost?")
    page.say(
        "First piece: 8 streams, 40 pieces 10 ms apart. A piece: 64 streams of 100 pieces, 1 ms apart, so that the core is",
        "full; the turn's own cost is in it, a hundredth each.",
    )
    paced, full = cases[PACED.key], cases[SATURATED.key]
    relay = full["targets"].get(RELAY)
    rows = []
    for name in EVERYBODY:
        if name not in full["targets"]:
            continue
        first = added(paced, name, "first_ms")
        over = full["targets"][name]["piece_us"][0] - relay["piece_us"][0] if relay and name != RELAY else None
        told = NOTHING if over is None or name == DIRECT else f"{over:+.1f}"
        late = [_cell(paced, name, "first_ms"), NOTHING if first is None else f"{first:.2f}"]
        rows.append([name, *late, _cell(full, name, "piece_us"), told])
    head = ("streams", "first piece ms", "less direct", "CPU µs a piece", "over the bare relay")
    page.table(head, rows)
    order = [name for name in EVERYBODY if name in full["targets"]]
    told = "CPU µs a streamed piece, 64 streams"
    page.picture("pieces", told, bars(told, told, [(n, spread(full["targets"][n]["piece_us"])) for n in order], SHOWN))


def _memory(page: Page, memory: Found) -> None:
    page.say("## How much memory?")
    page.say(
        "MB after so many requests of two short messages, 64 at once: its share of what it holds (PSS) / all of it (RSS)."
    )
    keys = ["0", *map(str, MEMORY_AFTER)]
    rows = [
        [name, *(" / ".join(number(value) for value in after[key]) if key in after else NOTHING for key in keys)]
        for name, after in memory.items()
    ]
    page.table(("memory, MB", "at the start", *(f"{one:,}" for one in MEMORY_AFTER)), rows)


def _everything(page: Page, found: Found, names: Sequence[str]) -> None:
    page.say("## And all cases?")
    page.say(
        "Requests a second (requests a core-second); below it p50 / p99 in ms. *Streamed* without a pause: at full speed.",
        "The rest, with the spread, is in [gateway.json](gateway.json).",
    )
    rows = []
    for case in found["cases"].values():
        known = [case["targets"].get(name) for name in names]
        rates = [
            NOTHING if one is None else f"{number(one['rate'][0])} ({number(one['per_core'][0])})" for one in known
        ]
        waits = ["" if one is None else f"{number(one['p50_ms'][0])} / {number(one['p99_ms'][0])}" for one in known]
        rows.append([case["told"], *(f"{rate}<br>{wait}" for rate, wait in zip(rates, waits, strict=True))])
    page.table(("case", *names), rows)
    for note in found.get("notes", ()):
        page.say(note)


def store(page: Page, found: Found) -> None:
    """Everything about databases."""
    page.say("## What does the store cost as it grows?")
    page.say(*where(found))
    stores = found["stores"]
    head = ["store, turns on record", "MB", "lookup p50 µs", "lookup p99 µs", "turn p50 µs", "turn CPU µs"]
    rows = []
    for name, by_size in stores.items():
        for size, one in by_size.items():
            told = [spread(one[key]).told for key in ("lookup_p50_us", "lookup_p99_us", "turn_p50_us", "turn_us")]
            theirs = number(one["turn_database_us"][0]) if "turn_database_us" in one else ""
            rows.append([f"{name}, {int(size):,}", number(found["megabytes"][name][size]), *told, theirs])
    page.table((*head, "database's CPU µs"), rows)
    page.say(
        "A turn is looked up, decided and recorded, one after another; a lookup is of a turn whose parent is known."
    )
    for name, by_size in stores.items():
        small, *_, big = by_size.values()
        ratio = big["turn_us"][0] / small["turn_us"][0]
        page.say(f"{name}: a turn on the biggest of these costs {number(ratio)}× the CPU of one on the smallest.")
    series = {
        f"{name}, {word}": [(float(size), one[key][0]) for size, one in by_size.items()]
        for name, by_size in stores.items()
        for word, key in (("p50", "lookup_p50_us"), ("p99", "lookup_p99_us"))
    }
    told = "µs to look a turn's parent up, by turns on record"
    page.picture("lookups", told, lines(told, "turns on record", "µs", series, _shades(series)))
    head = [f"{kind}, {waiting} waiting" for kind in ("records/s", "durable/s") for waiting in WAITING]
    rows = [
        [f"{name}, {int(size):,}", *(spread(one[f"{kind}_{w}_rate"]).told for kind in KINDS for w in WAITING)]
        for name, by_size in stores.items()
        for size, one in by_size.items()
    ]
    page.table(("store, turns on record", *head), rows)
    page.say(
        "Durable: on the disk before it is answered, as every warning and end is. Requests that wait share a commit."
    )
    series = {
        f"{name}, {word}": [(float(w), list(by_size.values())[-1][f"{kind}_{w}_rate"][0]) for w in WAITING]
        for name, by_size in stores.items()
        for word, kind in zip(("records", "durable"), KINDS, strict=True)
    }
    told = "records a second by how many wait, on the biggest of these stores"
    page.picture("records", told, lines(told, "waiting", "records/s", series, _shades(series)))


KINDS = ("records", "durable")


def _shades(series: Found) -> dict[str, str]:
    return dict(zip(series, (COLOURS[0], COLOURS[3], COLOURS[2], COLOURS[7]), strict=False))


def assessors(page: Page, found: Found) -> None:
    """Everything about assessors."""
    page.say("## What does an assessor cost?")
    page.say(*where(found))
    rows = [
        [name, *(spread(one[key]).told for key in ("p50_us", "p99_us"))] for name, one in found["assessors"].items()
    ]
    page.table(("one message, one thread", "p50 µs", "p99 µs"), rows)
    page.say(
        "A message is read once and remembered by a keyed digest. The cheap half of the model reads all, then the",
        "encoder's student; only what neither is sure of costs the encoder's milliseconds. The weights are loaded in",
        f"{number(found['loaded_ms'])} ms.",
    )


def ladder(page: Page, found: Found) -> None:
    """Everything about rules."""
    page.say("## What do the rules cost?")
    page.say(*where(found))
    page.table(("one call", "CPU µs"), [[name, spread(one["us"]).told] for name, one in found["ladder"].items()])


SECTIONS: dict[str, Callable[[Page, Found], None]] = {
    "gateway": gateway,
    "store": store,
    "assessors": assessors,
    "ladder": ladder,
}


def filled(text: str, found: dict[str, Found]) -> str:
    """A page of the docs with its measured parts as the results say."""
    return MARK.sub(lambda one: one[1] + "\n".join(PARTS[one[2]](found)) + "\n" + one[3], text)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of results and page (docs/benchmarks)")
    folder = parser.parse_args().out
    write(folder)
    if folder == RESULTS and SCALING.exists():
        SCALING.write_text(filled(SCALING.read_text("utf-8"), results(folder)), "utf-8")


if __name__ == "__main__":
    main()
