"""What the database holds at the end of a run, read beside the gateways, and what `quitbutton audit` says of it."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from quitbutton.cli.main import main
from tests.torture.history import Event, History, Op, Post, Row, Standing

EVENTS = "SELECT seq, kind, message, body FROM events ORDER BY seq"
TURNS = "SELECT address, rung, redirections, clean_turns, crisis_turns, asked, end_id FROM turns"
ENDS = "SELECT id, reopened_at IS NOT NULL FROM ends"


def history_of(ops: list[Op], posts: list[Post], store: str) -> History:
    """The calls, and beside them what the model was sent and the whole record."""
    with psycopg.connect(store) as connection:
        events = [_event(*row) for row in connection.execute(EVENTS)]
        rows = [_row(*row) for row in connection.execute(TURNS)]
        ends = dict(connection.execute(ENDS).fetchall())
    return History(sorted(ops, key=lambda op: op.invoked), events, rows, posts, ends)


def trail_faults(config: Path, data: Path) -> Iterator[str]:
    """What is wrong with the audit trail: against the database, and as an export that a stranger verifies."""
    trail = data / "trail.jsonl"
    given = ("--config", str(config), "--data", str(data))
    for command in (["check", *given], ["export", "--out", str(trail), *given], ["verify", str(trail)]):
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()):
            status = main(["audit", *command])
        if status:
            yield f"audit {command[0]}: {said.getvalue()}"


def _event(seq: int, kind: str, message: str, text: str) -> Event:
    body: dict[str, Any] = json.loads(text)
    told = {name: body.get(name) or "" for name in ("end_id", "appeal", "state")}
    if "before" not in body:
        return Event(seq, kind, "", message, **told)
    standings = {name: _standing(body[name]) for name in ("before", "after")}
    told |= {"label": body["verdict"]["label"], "signal": body["signal"]}
    return Event(seq, kind, body["model"].split("/")[0], message, **standings, **told)


def _standing(told: dict[str, Any]) -> Standing:
    return Standing(told["rung"], told["redirections"], told["clean_turns"], told["crisis_turns"], told["asked"])


def _row(address: bytes, rung: str, redirections: int, clean: int, crisis: int, asked: int, end_id: str | None) -> Row:
    name = "msg_" + base64.b32encode(bytes(address)[:15]).decode().lower()
    return Row(name, Standing(rung, redirections, clean, crisis, bool(asked)), end_id or "")
