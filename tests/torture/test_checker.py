"""The checker: a good history has no violations, and each bad one has its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.torture.checker import violations
from tests.torture.history import Event, History, Op, Post, Row, Standing, load

OPEN = Standing()
ONCE, TWICE = Standing("redirected", 1), Standing("redirected", 2)
WARNED, ENDED = Standing("warned", 2), Standing("ended", 2)
CLIMB = (("a", ONCE), ("b", TWICE), ("c", WARNED), ("d", ENDED))
TOP = ("a", "b", "c", "d")


def op(name: str, path: tuple[str, ...], when: float, result: str = "answered", **more: object) -> Op:
    status = {"answered": 200, "refused": 400, "uncounted": 503, "maybe": 503, "stopped": 400}.get(result, 0)
    state = {"refused": "ended"}.get(result, "open" if result == "answered" else "")
    made = Op(name, "turn", 0, when, when + 0.5, result, "ada", path, status, state)
    return replace(made, **more)


def refused(name: str, path: tuple[str, ...], when: float, **more: object) -> Op:
    return op(name, path, when, "refused", **{"end_id": "end_1", "note": "n", "body": "b", **more})


def decide(when: float, result: str = "answered", outcome: str = "upheld") -> Op:
    status = {"answered": 200, "uncounted": 503}.get(result, 0)
    return Op("x", "decide", 0, when, when + 0.5, result, status=status, end_id="end_1", appeal="app", outcome=outcome)


def turn(seq: int, op_: Op, before: Standing, after: Standing, label: str = "abuse", signal: str = "none") -> Event:
    return Event(seq, "turn.redirect", op_.id, "-".join(op_.path), "", before, after, label, signal)


def good() -> History:
    """Up the ladder, the end, a refusal, an upheld appeal, and on; beside it a sibling, another scope, lost replies."""
    history, before = History(ends={"end_1": True}), OPEN
    for number, (_, after) in enumerate(CLIMB):
        ends = after is ENDED
        told = {"state": after.rung} | ({"end_id": "end_1", "note": "n"} if ends else {})
        history.ops.append(op(f"{number}", TOP[: number + 1], number, **told))
        event = turn(number, history.ops[-1], before, after, signal="press")
        history.events.append(replace(event, kind="turn.end", end_id="end_1") if ends else event)
        before = after
    history.ops += [refused("r", (*TOP, "e"), 5), op("s", ("a", "b", "c", "z"), 6, state="warned")]
    history.events += [Event(5, "turn.refuse", "r", "x", "end_1"), turn(6, history.ops[-1], WARNED, WARNED)]
    history.ops += [replace(op("t", TOP[:1], 7, state="redirected"), scope="bob")]
    history.events += [replace(turn(7, history.ops[-1], OPEN, ONCE), message="bob")]
    history.ops += [
        decide(8),
        op("g", (*TOP, "e"), 9),
        op("u", (*TOP, "f"), 10, "unknown"),
        op("v", ("q",), 11, "uncounted"),
    ]
    decided = [
        Event(8 + place, kind, end_id="end_1", appeal="app", state="upheld") for place, kind in enumerate(DECIDED)
    ]
    history.events += [*decided, replace(turn(10, op("g", (*TOP, "e"), 9), OPEN, OPEN, "clean"), message="e")]
    at = [
        ("a", ONCE),
        ("a-b", TWICE),
        ("a-b-c", WARNED),
        ("a-b-c-d", OPEN),
        ("a-b-c-z", WARNED),
        ("bob", ONCE),
        ("e", OPEN),
    ]
    history.rows = [Row(message, standing) for message, standing in at]
    history.posts = [Post("0", "/v1/messages", "one"), Post("0", "/v1/messages", "its answer to the press")]
    return history


DECIDED = ("appeal.decided", "conversation.reopened")


def test_a_good_history_has_no_violation() -> None:
    assert violations(good()) == []


def test_a_history_is_read_as_it_was_saved(tmp_path: Path) -> None:
    good().save(tmp_path / "history.jsonl")
    assert load(tmp_path / "history.jsonl") == good()


def add(*ops: Op) -> Callable[[History], None]:
    return lambda history: history.ops.extend(ops)


def change(name: str, **more: object) -> Callable[[History], None]:
    def do(history: History) -> None:
        history.ops = [replace(one, **more) if one.id == name else one for one in history.ops]

    return do


def rewrite(seq: int, **more: object) -> Callable[[History], None]:
    def do(history: History) -> None:
        history.events = [replace(one, **more) if one.seq == seq else one for one in history.events]

    return do


def lose(seq: int) -> Callable[[History], None]:
    def do(history: History) -> None:
        history.events = [one for one in history.events if one.seq != seq]

    return do


def repeat(seq: int) -> Callable[[History], None]:
    return lambda history: history.events.append(replace(history.events[seq], seq=100))


def row(message: str, **more: object) -> Callable[[History], None]:
    def do(history: History) -> None:
        history.rows = [replace(one, **more) if one.message == message else one for one in history.rows]

    return do


def no_row(history: History) -> None:
    del history.rows[2]


def no_end(history: History) -> None:
    history.ends.clear()


def not_reopened(history: History) -> None:
    history.ends["end_1"] = False


def posted(name: str, digest: str) -> Callable[[History], None]:
    return lambda history: history.posts.append(Post(name, "/v1/messages", digest))


def in_crisis(result: str, decision: str) -> Callable[[History], None]:
    return add(op("w", ("[crisis] I cannot go on",), 6, result, decision=decision))


BAD: dict[str, tuple[Callable[[History], None], str]] = {
    "answered below a told end": (add(op("w", (*TOP, "e"), 4.6)), "answered (open) below end_1"),
    "the ended turn again, answered": (add(op("w", TOP, 4.6)), "answered (open) below end_1"),
    "a sibling is refused": (add(refused("w", ("a", "b", "c", "z"), 5)), "ended by end_1 of a sibling"),
    "the parent is refused": (add(refused("w", ("a", "b", "c"), 5)), "ended by end_1 of a sibling"),
    "another scope is refused": (add(refused("w", TOP, 5, scope="bob")), "of another scope"),
    "refused before the end": (add(refused("w", TOP, 1)), "which was still to come"),
    "refused after an upheld appeal": (add(refused("w", TOP, 9)), "had been told is reopened"),
    "refused with another body": (add(refused("w", TOP, 5, body="other")), "different words"),
    "refused with another note": (add(refused("w", TOP, 5, note="other")), "different words"),
    "an end that nobody recorded": (add(refused("w", TOP, 5, end_id="end_2")), "end_2: 0 events"),
    "a 500": (add(op("w", ("q",), 3, "wrong", status=500)), "answered with 500"),
    "a 503 that says nothing": (add(op("w", ("q",), 3, "wrong", status=503)), "an answer that is none"),
    "a 503 of our own making": (change("v", body="new row violates check constraint"), "an answer that is none"),
    "a told turn is lost": (lose(1), "answered (), and on record 0 times"),
    "a told end is lost": (lose(3), "end_1: 0 events"),
    "a turn counts twice": (repeat(1), "on record 2 times"),
    "counted though told not": (rewrite(6, op="v"), "uncounted (), and on record 1 times"),
    "told warned, recorded redirected": (change("1", state="warned"), "told warned, recorded redirected"),
    "a rung is skipped": (rewrite(1, after=WARNED), "led from"),
    "an end without a warning": (rewrite(2, after=ENDED), "led from"),
    "a warning without a press": (rewrite(2, signal="none"), "led from"),
    "a clean turn climbs": (rewrite(0, label="clean"), "led from"),
    "an unknown turn climbs": (rewrite(0, label="unknown"), "led from"),
    "a crisis climbs": (rewrite(0, label="crisis"), "led from"),
    "redirections fall": (rewrite(1, after=ONCE), "led from"),
    "the warning is forgotten": (rewrite(6, before=TWICE, after=replace(TWICE, redirections=3)), "its parent stood at"),
    "a child starts anew": (rewrite(1, before=OPEN, after=ONCE), "its parent stood at"),
    "a child starts from its sibling": (rewrite(6, before=ENDED, after=ENDED), "its parent stood at"),
    "counted below an end": (rewrite(5, kind="turn.pass", before=ENDED, after=ENDED), "counted at or below end_1"),
    "a row is lost": (no_row, "its turn is lost"),
    "a row stands lower": (row("a-b-c", standing=TWICE), "the turn has"),
    "a row has another end": (row("a-b-c-d", end_id="end_1", standing=ENDED), "the turn has"),
    "a row's end is missing": (row("a", end_id="end_9"), "its end end_9 is missing"),
    "an end has an event and no row": (no_end, "in the table of ends: False"),
    "reopened by its event alone": (not_reopened, "reopened in the table: False"),
    "a decision is lost": (lose(8), "the decision about app is lost"),
    "decided though told not": (change("x", result="uncounted", status=503), "was told that nothing was counted"),
    "an appeal is lost": (
        add(Op("w", "appeal", 0, 5, 5.5, "answered", status=201, appeal="lost")),
        "the appeal lost is lost",
    ),
    "sent to the model twice": (posted("0", "one"), "the model was sent one request 2 times"),
    "sent to the model though locked": (posted("r", "other"), "r: refused with end_1, and sent to the model"),
    "a crisis is no reason": (in_crisis("answered", "warn"), "in a crisis, and was told: warn"),
    "a crisis is not heard": (in_crisis("answered", "pass"), "in a crisis, and got no help"),
    "a crisis where the store fails": (in_crisis("uncounted", ""), "in a crisis, and got no help: uncounted 503"),
    "a crisis that ends": (rewrite(3, label="crisis"), "in a crisis, and on record as turn.end"),
    "an end while a crisis holds": (
        rewrite(3, before=replace(WARNED, crisis=1)),
        "in a crisis, and on record as turn.end",
    ),
    "two protocols name an end differently": (
        add(refused("w", (*TOP, "e"), 5, protocol="messages", note="other")),
        "told in different words",
    ),
    "told another message": (change("0", message="bob"), "is the name of 2 places"),
    "one message is two places": (rewrite(7, message="a"), "is the name of 2 places"),
}


@pytest.mark.parametrize(("began", "gateway", "is_cut"), [(3.2, 0, True), (3.2, 1, False), (9.0, 0, False)])
def test_what_an_end_cut_short_need_not_climb_once_that_is_reopened(began: float, gateway: int, is_cut: bool) -> None:
    history = good()
    cut = op("k", (*TOP, "k"), began, gateway=gateway, returned=12.0)
    history.ops.append(cut)
    history.events.append(turn(12, cut, OPEN, OPEN))
    history.rows.append(Row("a-b-c-d-k", OPEN))
    assert any("abuse and none led from" in one for one in violations(history)) is not is_cut


@pytest.mark.parametrize("name", BAD)
def test_a_bad_history_is_caught(name: str) -> None:
    break_it, said = BAD[name]
    history = good()
    break_it(history)
    found = violations(history)
    assert any(said in one for one in found), found


def test_help_without_a_record_and_errors_in_the_words_of_each_protocol_are_no_violation() -> None:
    history = good()
    history.ops.append(op("w", ("[crisis] I cannot go on",), 6, "helped", decision="support"))
    history.ops.append(op("x", ("[crisis] I cannot go on",), 7, decision="support"))
    history.ops.append(refused("y", (*TOP, "e"), 5, protocol="messages", body="the same in another shape"))
    history.events.append(Event(20, "turn.refuse", "y", "x", "end_1"))
    assert violations(history) == []


def test_what_nobody_can_know_is_no_violation() -> None:
    history = good()
    change("3", result="unknown", status=0, returned=20.0)(history)  # the end's own turn: cut off
    change("r", invoked=3.6, returned=12.0)(history)
    assert violations(history) == []
    history = good()
    add(op("w", (*TOP, "e"), 3.2, "unknown"))(history)
    assert violations(history) == []
