"""What the rules cost, without store, network and assessor: a decision, a branch of 2 to 1,000 messages, a streamed piece.

python -m benchmarks.ladder
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.load import Ask, Requests
from benchmarks.measuring import RESULTS, Rounds, progress, save, show, spread
from benchmarks.processes import SERVER_CORE, keep_to
from benchmarks.provider import WORD
from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.core.conversation import Scope, branch_of
from quitbutton.core.ladder.decisions import admit, decide, settle
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.ladder.standing import OPEN, Standing
from quitbutton.core.ladder.transitions import Rung, Signal
from quitbutton.core.ladder.verdicts import OURS, Label, Verdict
from quitbutton.core.messages import ChatRequest, Message, Piece, Role
from quitbutton.core.tools.known import TOOLS
from quitbutton.core.tools.watcher import Watcher

COMMAND = "python -m benchmarks.ladder"
KEY = b"k" * 32
HISTORIES = (2, 20, 200, 1000)
SECONDS, QUICK_SECONDS = 0.3, 0.005
POLICY = Policy()
CLEAN, ABUSE = Verdict(Label.CLEAN, assessor="t@1"), Verdict(Label.ABUSE, assessor="t@1")
SPENT = Standing(Rung.REDIRECTED, redirections=POLICY.redirections)


def history(messages: int) -> ChatRequest:
    """As the load sends it."""
    parts = Requests(Ask(messages)).variants[0][0]
    body = b"00000000".join(parts).partition(b"\r\n\r\n")[2]
    said = [Message(Role(one["role"]), one["content"]) for one in json.loads(body)["messages"]]
    return ChatRequest("m", tuple(said), body, end_user="somebody")


def works() -> dict[str, Callable[[], object]]:
    """What is measured, each as one call."""
    admitted, struck = admit(POLICY, OPEN, CLEAN, "msg_1"), admit(POLICY, OPEN, ABUSE, "msg_1")
    found: dict[str, Callable[[], object]] = {
        "decide(), clean": lambda: decide(POLICY, OPEN, CLEAN, Signal.NONE, "msg_1"),
        "decide(), a warning": lambda: decide(POLICY, SPENT, ABUSE, Signal.PRESS, "msg_1"),
        "admit(), clean": lambda: admit(POLICY, OPEN, CLEAN, "msg_1"),
        "settle(), clean": lambda: settle(POLICY, admitted, Signal.NONE, "msg_1", None),
        "settle(), redirected": lambda: settle(POLICY, struck, Signal.NONE, "msg_1", OURS),
    }
    for messages in HISTORIES:
        request = history(messages)
        found[f"branch_of(), {messages} messages"] = lambda request=request: branch_of(KEY, Scope("t"), request)  # type: ignore[misc]
    watcher, adapter = Watcher(TOOLS, TOOLS), OpenAIChat()
    piece = Piece(WORD, "word ")
    found["watcher, a piece"] = lambda: watcher.see(piece)
    reader, frame = adapter.reader("text/event-stream"), WORD.partition(b"\r\n")[2].removesuffix(b"\r\n")
    found["read and watched, a piece"] = lambda: [watcher.see(one) for one in reader.feed(frame)]
    return found


def microseconds(work: Callable[[], object], seconds: float) -> float:
    """One call, over as many as fit."""
    times, begin = 1, time.perf_counter()
    work()
    times = max(1, min(100_000, int(seconds / max(time.perf_counter() - begin, 1e-7))))
    begin = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begin) / times * 1e6


def run(rounds: int, seconds: float) -> dict[str, Any]:
    """Everything, as JSON."""
    keep_to(SERVER_CORE, [os.getpid()])
    found, several = Rounds(), works()
    with progress() as bar:
        task = bar.add_task("ladder", total=rounds * len(several))
        for _ in range(rounds):
            for name, work in several.items():
                found.add(name, us=microseconds(work, seconds))
                bar.advance(task)
                bar.refresh()
    return {"ladder": found.plain()}


def print_tables(found: dict[str, Any]) -> None:
    """A line for each."""
    show("the rules", ("what", "CPU µs"), [[name, spread(one["us"]).told] for name, one in found["ladder"].items()])


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="rounds (5)")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of ladder.json (docs/benchmarks)")
    given = parser.parse_args()
    rounds, seconds = given.rounds or (1 if given.quick else 5), QUICK_SECONDS if given.quick else SECONDS
    found = run(rounds, seconds)
    save(given.out, "ladder", COMMAND, {"rounds": rounds, "seconds": seconds}, found)
    print_tables(found)


if __name__ == "__main__":
    main()
