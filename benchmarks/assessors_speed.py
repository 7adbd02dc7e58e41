"""What the assessors cost: a short message for the first time and again, a reply that is read, the crisis rules.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.assessors_speed   (as the gateway sets it for itself)

One thread. Messages are of 10 to 60 words: ordinary ones, and those of the written conversations of abuse and of harmful
requests. `python -m benchmarks.local` measures more lengths, and rows of your own.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from training.data.authored import talks

from benchmarks.load import SENTENCES
from benchmarks.measuring import RESULTS, Rounds, progress, quantile, save, show, spread
from benchmarks.processes import SERVER_CORE, keep_to
from quitbutton.assessors.crisis import crisis_sign
from quitbutton.assessors.local import LocalAssessor
from quitbutton.assessors.normal import fold
from quitbutton.assessors.refusal import RefusalCheck
from quitbutton.core.messages import Message, Role

COMMAND = "OPENBLAS_NUM_THREADS=1 python -m benchmarks.assessors_speed"
MESSAGES, QUICK_MESSAGES = 300, 20
REPLIES = (
    "I can help with that. First list what you have, then put the oldest at the front and use it up.",
    "I would rather not help with this. If you tell me what you want to reach, I may know another way.",
    "No. That could hurt somebody, so I will not explain it.",
    "Here is the first half of it. The second half I leave out, because it is not safe to say.",
)


def ordinary(chance: random.Random, words: int) -> str:
    """An ordinary message of about so many words."""
    said = ""
    while len(said.split()) < words:
        said += chance.choice(SENTENCES) + " "
    return " ".join(said.split()[:words])


def microseconds(run: Callable[[Any], object], given: Sequence[Any]) -> dict[str, float]:
    """Median and 99th percentile of a call, over these."""
    times = []
    for one in given:
        begin = time.perf_counter()
        run(one)
        times.append(time.perf_counter() - begin)
    times.sort()
    return {"p50_us": quantile(times, 0.5) * 1e6, "p99_us": quantile(times, 0.99) * 1e6}


def run(rounds: int, messages: int) -> dict[str, Any]:
    """Everything, as JSON."""
    keep_to(SERVER_CORE, [os.getpid()])
    found, chance = Rounds(), random.Random(7)
    local, reader = LocalAssessor(), RefusalCheck()
    begin = time.perf_counter()
    local.load()
    loaded = time.perf_counter() - begin
    reader.load()
    harsh = [text for talk in talks() if talk.kind in ("abuse", "harmful") for text in talk.said]
    with progress() as bar:
        task = bar.add_task("assessors", total=rounds)
        for _ in range(rounds):
            for words in (10, 30, 60):
                texts = [f"({place}) {ordinary(chance, words)}" for place in chance.sample(range(10**6), messages)]
                _read(found, local, f"local, ordinary, {words} words", texts)
            texts = [f"{text} ({place})" for place, text in enumerate(chance.sample(harsh, min(messages, len(harsh))))]
            _read(found, local, "local, insults and harmful requests", texts)
            replies = [f"{chance.choice(REPLIES)} {ordinary(chance, 10)} ({place})" for place in range(messages)]
            found.add("reply reader", **microseconds(reader.classify, replies))
            folded = [fold(ordinary(chance, 30)) for _ in range(messages)]
            found.add("crisis rules, 30 words", **microseconds(crisis_sign, folded))
            bar.advance(task)
            bar.refresh()
    return {"assessors": found.plain(), "loaded_ms": round(loaded * 1e3)}


def _read(found: Rounds, local: LocalAssessor, name: str, texts: Sequence[str]) -> None:
    asked = [[Message(Role.USER, text)] for text in texts]
    found.add(f"{name}, new", **microseconds(local.classify, asked))
    found.add(f"{name}, remembered", **microseconds(local.classify, asked))


def print_tables(found: dict[str, Any]) -> None:
    """A line for each."""
    rows = [
        [name, *(spread(one[key]).told for key in ("p50_us", "p99_us"))] for name, one in found["assessors"].items()
    ]
    show("the assessors, one message", ("what", "p50 µs", "p99 µs"), rows)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="rounds (3)")
    parser.add_argument("--quick", action="store_true", help="one round of a few messages")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of assessors.json (docs/benchmarks)")
    given = parser.parse_args()
    rounds, messages = given.rounds or (1 if given.quick else 3), QUICK_MESSAGES if given.quick else MESSAGES
    found = run(rounds, messages)
    save(given.out, "assessors", COMMAND, {"rounds": rounds, "messages": messages}, found)
    print_tables(found)


if __name__ == "__main__":
    main()
