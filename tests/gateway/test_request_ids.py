"""Ids of requests: nobody can guess the next one, and no two processes give out the same."""

from __future__ import annotations

import multiprocessing
import re
from typing import Any

from quitbutton.turn.turn import IDS_AT_ONCE, new_request_id


def drawn(found: Any) -> None:
    found.put([new_request_id() for _ in range(IDS_AT_ONCE)])


def test_ids_differ_and_later_ones_sort_after_earlier_ones() -> None:
    ids = [new_request_id() for _ in range(10 * IDS_AT_ONCE)]
    assert len({one[-22:] for one in ids}) == len(ids)
    assert all(re.fullmatch(r"req_[0-9a-f]{11}[\w-]{22}", one) for one in ids)
    times = [one[:15] for one in ids]
    assert times == sorted(times)


def test_a_forked_process_gives_out_ids_of_its_own() -> None:
    new_request_id()  # some are drawn, and wait
    system = multiprocessing.get_context("fork")
    found = system.Queue()
    child = system.Process(target=drawn, args=(found,))
    child.start()
    theirs = found.get(timeout=20)
    child.join()
    ours = [new_request_id() for _ in range(IDS_AT_ONCE)]
    assert {one[-22:] for one in ours}.isdisjoint(one[-22:] for one in theirs)
