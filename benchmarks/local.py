"""What the default assessor costs: time a message, by its length and the conversation's, memory, and time to load.

    python -m benchmarks.local [ROWS.jsonl[.gz]]

Messages are the first user turns of the rows (any file of labelled rows), cut to so many words; without a file, messages of
the written everyday conversations, joined. One core, one thread; run it on a quiet machine and read the medians.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from training.data.authored import talks

from quitbutton.cli.rows import lines_of
from quitbutton.core.messages import Message, Role

LENGTHS, HISTORIES, MESSAGES = (10, 60, 200), (0, 20, 200), 200


def texts_of(file: Path | None) -> list[str]:
    """Messages to read."""
    if file is not None:
        rows = (json.loads(line) for line in lines_of(file) if line.strip())
        return [next(one["content"] for one in row["messages"] if one["role"] == "user") for row in rows]
    ordinary = [text for talk in talks() if (talk.kind, talk.language) == ("everyday", "en") for text in talk.said]
    dice = random.Random(7)
    return [". ".join(dice.sample(ordinary, 40)) for _ in range(MESSAGES)]


def cut(texts: list[str], words: int) -> list[str]:
    """Those that are long enough, cut to so many words."""
    return [" ".join(text.split()[:words]) for text in texts if len(text.split()) >= words][:MESSAGES]


def milliseconds(run: Callable[[], object]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    run()
    return (time.perf_counter() - begin) * 1e3


def megabytes() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    """Read the command line and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.local", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="JSON lines of labelled rows")
    texts = texts_of(parser.parse_args().file)
    before = megabytes()
    from quitbutton.assessors.local import LocalAssessor

    console, loaded = Console(), LocalAssessor()
    load = milliseconds(loaded.load)
    table = Table(
        "words", "earlier messages", "n", "median ms", "95th percentile ms", title="local assessor, one message"
    )
    for words in LENGTHS:
        for history in HISTORIES if words == 60 else (0,):
            spent = timed(cut(texts, words), history)
            if spent:
                edge = statistics.quantiles(spent, n=20)[-1] if len(spent) > 1 else spent[0]
                table.add_row(
                    str(words), str(history), str(len(spent)), f"{statistics.median(spent):.2f}", f"{edge:.2f}"
                )
    console.print(table)
    console.print(f"loaded in {load:.0f} ms; {megabytes() - before:.0f} MB more than before it was loaded")


def timed(texts: list[str], history: int) -> list[float]:
    """Times of the newest message of conversations whose earlier messages were read before, as in a running chat."""
    from quitbutton.assessors.local import LocalAssessor

    local = LocalAssessor()
    local.load()
    earlier = [Message(Role.USER, f"earlier message number {number}") for number in range(history)]
    local.classify([*earlier, Message(Role.USER, "warm up")])
    return [milliseconds(lambda text=text: local.classify([*earlier, Message(Role.USER, text)])) for text in texts]


if __name__ == "__main__":
    main()
