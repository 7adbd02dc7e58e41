"""The history of a run: what each client asked and was told and when, and what the database held at the end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Path_ = tuple[str, ...]
"""The user's messages, first to last: a place in the tree of one scope."""


@dataclass(frozen=True)
class Standing:
    """Where a place stands, as the record says it. No evidence: what proves a rung is another test's matter."""

    rung: str = "open"
    redirections: int = 0
    clean: int = 0
    crisis: int = 0
    asked: bool = False


@dataclass(frozen=True)
class Op:
    """One call of a client.

    `result` is `answered`, `refused`, `stopped`, `helped` (in a crisis, with no standing read), `uncounted`, `maybe`,
    `unknown` or `wrong`.
    """

    id: str
    kind: str
    """`turn`, `appeal` or `decide`."""
    gateway: int
    invoked: float
    returned: float
    result: str
    scope: str = ""
    path: Path_ = ()
    status: int = 0
    state: str = ""
    end_id: str = ""
    appeal: str = ""
    outcome: str = ""
    """Of a decision: `upheld` or `rejected`."""
    message: str = ""
    note: str = ""
    """What was told of the end, in one form for refusals, ends and cut replies."""
    body: str = ""
    """The whole body of a refusal, or what was wrong."""
    stream: bool = False
    protocol: str = ""
    """In which a turn was sent."""
    after: str = ""
    """The id of the reply that it went on from."""
    decision: str = ""
    """What the gateway did, as it was told."""
    reply: str = ""
    """The id of the reply, where one can go on from it."""


@dataclass(frozen=True)
class Event:
    """One line of the audit trail, in its order. `op` is the call it comes from."""

    seq: int
    kind: str
    op: str = ""
    message: str = ""
    end_id: str = ""
    before: Standing = Standing()
    after: Standing = Standing()
    label: str = ""
    signal: str = ""
    appeal: str = ""
    state: str = ""


@dataclass(frozen=True)
class Post:
    """One request that the model was sent: for which call, to which path, with which body."""

    op: str
    path: str
    digest: str


@dataclass(frozen=True)
class Row:
    """A turn in the database at the end."""

    message: str
    standing: Standing
    end_id: str = ""


@dataclass
class History:
    """All of it."""

    ops: list[Op] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    ends: dict[str, bool] = field(default_factory=dict)
    """Every end in the database, and whether it was reopened."""

    def save(self, file: Path) -> None:
        """As JSON lines."""
        lines = [{"is": name, **asdict(one)} for name, many in self._parts() for one in many]
        lines += [{"is": "end", "id": end, "reopened": reopened} for end, reopened in self.ends.items()]
        file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")

    def _parts(self) -> Iterable[tuple[str, list[Any]]]:
        return (("op", self.ops), ("event", self.events), ("row", self.rows), ("post", self.posts))


def load(file: Path) -> History:
    """A history that was saved."""
    found = History()
    with file.open(encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            match line.pop("is"):
                case "op":
                    found.ops.append(Op(**{**line, "path": tuple(line["path"])}))
                case "event":
                    found.events.append(Event(**_standings(line, "before", "after")))
                case "row":
                    found.rows.append(Row(**_standings(line, "standing")))
                case "post":
                    found.posts.append(Post(**line))
                case "end":
                    found.ends[line["id"]] = line["reopened"]
    return found


def _standings(line: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**line, **{name: Standing(**line[name]) for name in names}}
