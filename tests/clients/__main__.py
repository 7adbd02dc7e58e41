"""Runs every client against a running gateway and writes docs/clients.md: `make clients`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tests.clients import recording, table
from tests.clients.chats import Chat, have_chat
from tests.clients.checks import wrong_with
from tests.clients.environments import Client, NotBuilt, build, clients
from tests.clients.gateways import gateways
from tests.clients.stage import Stage, driving
from tests.clients.table import Measured

LONGEST = 400
"""Characters of a fault that are shown."""


def main() -> int:
    """Build, run, write; 1 when a check fails."""
    given = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    given.add_argument("--only", default="", help="names of clients, joined by commas; the page is left alone then")
    given.add_argument("--record", action="store_true", help="also keep what the clients sent, in tests/wire/clients")
    given.add_argument("--big", action="store_true", help="Open WebUI too: 1.7 GB to install")
    given.add_argument("--scripted", action="store_true", help="not with the embedded model")
    options = given.parse_args()
    names = [name for name in options.only.split(",") if name]
    chosen = [one for one in clients() if (one.name in names if names else options.big or not one.big)]
    console = Console()
    bar = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    faults: list[str] = []
    with Progress(*bar, console=console) as progress:
        ready = built(chosen, progress, faults)
        rows = measured(ready, progress, faults, options.record, not options.scripted)
    faults += [fault for row in rows for fault in row.faults]
    for fault in faults:
        console.print(f"x {fault[:LONGEST]}", highlight=False, markup=False)
    if not (names or faults or options.scripted):
        table.write(rows)
        console.print(f"written: {table.PAGE.name}, {len(rows)} clients and protocols, no fault")
    return 1 if faults else 0


def built(chosen: Sequence[Client], progress: Progress, faults: list[str]) -> list[Client]:
    """Those of the clients whose environment is there."""
    ready = []
    task = progress.add_task("environments", total=len(chosen))
    for client in chosen:
        progress.update(task, description=f"environment of {client.name}")
        try:
            build(client)
            ready.append(client)
        except NotBuilt as error:
            faults.append(f"{client.name}: not built: {error}")
        progress.advance(task)
    progress.update(task, description="environments")
    return ready


def measured(
    ready: Sequence[Client], progress: Progress, faults: list[str], record: bool, embedded: bool
) -> list[Measured]:
    """Every client over every protocol that the gateway speaks."""
    rows: list[Measured] = []
    task = progress.add_task("chats", total=sum(len(client.protocols) for client in ready) * (1 + embedded))
    with tempfile.TemporaryDirectory() as folder, gateways(Path(folder)) as start:
        stage = Stage(start, Path(folder))
        for client in ready:
            mine = []
            for protocol in filter(stage.speaks, client.protocols):
                progress.update(task, description=f"{client.name}, {protocol}")
                with attempt(f"{client.name}, {protocol}", faults):
                    mine.append(both(stage, client, protocol))
                progress.advance(task)
            rows += mine
            if record:
                recording.keep(client, {key: chat for row in mine for key, chat in chats_of(row).items()})
        stage.close()
    if embedded:
        on_the_embedded_model(rows, progress, task, faults)
    progress.update(task, description="chats", completed=len(rows) * (1 + embedded), total=len(rows) * (1 + embedded))
    return rows


def on_the_embedded_model(rows: Sequence[Measured], progress: Progress, task: TaskID, faults: list[str]) -> None:
    """The same chats again, whole, with the embedded model behind the gateway."""
    with tempfile.TemporaryDirectory() as folder, gateways(Path(folder)) as start:
        stage = Stage(start, Path(folder), ("error", "message"), embedded=True)
        for row in rows:
            client, protocol = row.client, row.protocol
            if not stage.answers(protocol):
                continue
            progress.update(task, description=f"{client.name}, {protocol}, embedded")
            with attempt(f"{client.name}, {protocol}, embedded", faults), driving(client) as driver:
                row.embedded = wrong_with(client, have_chat(stage, driver, client, protocol, False), None)
            progress.advance(task)
        stage.close()


def both(stage: Stage, client: Client, protocol: str) -> Measured:
    """One client over one protocol, whole and streamed."""
    with driving(client) as driver:
        whole = have_chat(stage, driver, client, protocol, False)
        stream = have_chat(stage, driver, client, protocol, True) if client.streams else None
    return Measured(client, protocol, whole, stream, wrong_with(client, whole, stream))


def chats_of(row: Measured) -> dict[tuple[str, bool], Chat]:
    """Its chats, by protocol and whether they stream."""
    found = {(row.protocol, False): row.whole}
    return found if row.stream is None else {**found, (row.protocol, True): row.stream}


@contextmanager
def attempt(name: str, faults: list[str]) -> Iterator[None]:
    """What goes wrong with one client does not stop the others."""
    try:
        yield
    except (RuntimeError, OSError, ValueError, KeyError, AssertionError) as error:
        faults.append(f"{name}: {error}")


if __name__ == "__main__":
    sys.exit(main())
