"""Names to objects: the built-in table, then entry points of other packages."""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from importlib.metadata import entry_points
from typing import TypeVar

from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.assessors.judge import Judge
from quitbutton.assessors.judging.report import JudgeReport
from quitbutton.assessors.panel import PATIENCE, Panel
from quitbutton.assessors.second import reader_of
from quitbutton.core.announcement import Links
from quitbutton.core.errors import SettingsError
from quitbutton.core.judges import JudgeSettings
from quitbutton.core.ladder.policy import Agreement, Corroboration, Policy, RedirectionProof
from quitbutton.interfaces import Assessor, ReplyAssessor, SecondReader, Store
from quitbutton.settings.installation import Settings
from quitbutton.stores.bulk import sqlite_tables
from quitbutton.stores.copying import Opens
from quitbutton.stores.database import Database
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.turn.guard import TurnTaker
from quitbutton.turn.review import Second
from quitbutton.upstreams.provider import provider
from quitbutton.upstreams.routing import upstreams_of

T = TypeVar("T")
GROUP, REPLY_GROUP, SECOND_GROUP = "quitbutton.assessors", "quitbutton.reply_assessors", "quitbutton.second_readers"
NO_READER, AUTO, SCRIPTED = "none", "auto", "scripted"
POSTGRES = ("postgresql://", "postgres://")


def _local() -> Assessor:
    from quitbutton.assessors.local import LocalAssessor  # noqa: PLC0415 - numpy, only when asked for

    return LocalAssessor()


def _scripted() -> Assessor:
    from quitbutton.assessors.scripted import ScriptedAssessor  # noqa: PLC0415

    return ScriptedAssessor()


def _refusal() -> ReplyAssessor:
    from quitbutton.assessors.refusal import RefusalCheck  # noqa: PLC0415

    return RefusalCheck()


def _scripted_replies() -> ReplyAssessor:
    from quitbutton.assessors.scripted import ScriptedReplies  # noqa: PLC0415

    return ScriptedReplies()


def _scripted_second() -> SecondReader:
    from quitbutton.assessors.scripted import ScriptedSecondReader  # noqa: PLC0415

    return ScriptedSecondReader()


BUILT_IN: dict[str, Callable[[], Assessor]] = {"local": _local, SCRIPTED: _scripted}
BUILT_IN_REPLIES: dict[str, Callable[[], ReplyAssessor]] = {"refusal": _refusal, SCRIPTED: _scripted_replies}
BUILT_IN_SECONDS: dict[str, Callable[[], SecondReader]] = {SCRIPTED: _scripted_second}
PANEL_SHARE = 0.8
"""Of the guard's time for a verdict, what each member of a panel gets: a crisis seen by one must still be heard."""


@dataclass(slots=True)
class Judges:
    """The judges of the settings, each made once, when it is first asked for by name."""

    tables: Mapping[str, JudgeSettings] = field(default_factory=dict)
    secret: bytes | None = field(default=None, repr=False)
    """Keys sampling, so that all processes of an installation sample the same turns; None takes a random one."""
    always: bool = False
    """True asks about every turn, whatever `sample` says."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    made: dict[str, Judge] = field(default_factory=dict)

    def get(self, name: str) -> Judge:
        """The judge of a `[judges.NAME]` table. Raises `SettingsError` where its key is missing."""
        if name not in self.made:
            table = self.tables[name]
            upstream = provider(table.url, self._key(name, table), table.timeout, table.timeout)
            self.made[name] = Judge(table, upstream, name, self.secret)
        return self.made[name]

    def reports(self) -> list[JudgeReport]:
        """What each did and cost so far."""
        return [judge.report for judge in self.made.values()]

    async def close(self) -> None:
        """Let go of their connections."""
        for judge in self.made.values():
            await judge.close()

    def _key(self, name: str, table: JudgeSettings) -> str | None:
        if table.key_env is None:
            return None
        if not self.environment.get(table.key_env):
            raise SettingsError(f"[judges.{name}]: key_env names {table.key_env}, which is not in the environment.")
        return self.environment[table.key_env]


def assessor_named(
    name: str,
    seconds: float = PATIENCE,
    judges: Judges | None = None,
    agreement: Agreement = Agreement.ALL,
    always: bool = False,
) -> Assessor:
    """An assessor by its name; several, joined by commas, are one panel. Raises `SettingsError` with those there are.

    `seconds` are the guard's for a verdict. `always` leaves no turn out, whatever a judge's `sample` says.
    """
    names = [part.strip() for part in name.split(",") if part.strip()]
    if len(names) != 1:
        members = [assessor_named(part, seconds, judges, agreement, always) for part in names]
        return Panel(members, timeout=seconds * PANEL_SHARE, agreement=agreement)
    known = judges or Judges()
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if names[0] in known.tables and (names[0] in BUILT_IN or names[0] in found):
        raise SettingsError(f"[judges.{names[0]}] has the name of another assessor; give it one of its own.")
    if names[0] in known.tables:
        judge = known.get(names[0])
        return judge.always if always or known.always else judge
    if names[0] in BUILT_IN:
        make = BUILT_IN[names[0]]
    elif names[0] in found:
        loaded: Callable[[], Assessor] = found[names[0]].load()
        make = loaded
    else:
        raise SettingsError(_unknown(names[0], [*BUILT_IN, *found, *known.tables]))
    return _made(names[0], make)


def _made(name: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except ImportError as error:
        raise SettingsError(
            f"The assessor `{name}` needs {error.name}, which is missing. Install its package again."
        ) from error


def _unknown(name: str, known: list[str]) -> str:
    judge = f"; a judge needs a [judges.{name}] table."
    return f"There is no assessor `{name}`. Known: {', '.join(known)}{judge}{_near(name, known)}"


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean `{near[0]}`?" if near else ""


def reply_assessor_named(name: str | None = None) -> ReplyAssessor | None:
    """What reads replies, by its name; nothing for `none`. Raises `SettingsError` with the names there are.

    Without a name it is `refusal` where its packages are installed, and nothing where they are not.
    """
    if name == NO_READER:
        return None
    if name is None:
        try:
            return _refusal()
        except ImportError:
            return None
    found = {entry.name: entry for entry in entry_points(group=REPLY_GROUP)}
    if name not in BUILT_IN_REPLIES and name not in found:
        known = [*BUILT_IN_REPLIES, *found, NO_READER]
        raise SettingsError(f"There is no reply assessor `{name}`. Known: {', '.join(known)}.{_near(name, known)}")
    make: Callable[[], ReplyAssessor] = BUILT_IN_REPLIES.get(name) or found[name].load()
    return _made(name, make)


def reader_for(policy: Policy, name: str | None = None, assessor: str = "local") -> ReplyAssessor | None:
    """What reads replies under a policy. Raises `SettingsError` where the policy needs one and there is none.

    Beside the scripted `assessor` it is nobody unless named: a dry run must not hang on what real weights make of a script.
    """
    if name is None and assessor == SCRIPTED:
        name = NO_READER
    reader = reply_assessor_named(name)
    if reader is None and policy.redirection_proof is RedirectionProof.REPLY:
        raise SettingsError(
            'redirection_proof = "reply" needs something that reads replies: set reply_assessor = "refusal". '
            "Where its packages are missing, install quitbutton again."
        )
    return reader


def second_reader_named(name: str, judges: Judges) -> SecondReader | None:
    """A second reader by its name, a judge or an installed one; None for `none`. Raises `SettingsError` for other names.

    `auto` is an upstream's own model; without an upstream it is none: the local second readers that were measured changed
    nothing (docs/assessors.md).
    """
    if name in (NO_READER, AUTO):
        return None
    if name in judges.tables:
        return reader_of(judges.get(name), OpenAIChat())
    found = {entry.name: entry for entry in entry_points(group=SECOND_GROUP)}
    if name not in BUILT_IN_SECONDS and name not in found:
        known = [AUTO, NO_READER, *BUILT_IN_SECONDS, *found, *judges.tables]
        raise SettingsError(
            f"There is no second reader `{name}`. Known: {', '.join(known)}; a judge needs a [judges.{name}] table."
            f"{_near(name, known)}"
        )
    make: Callable[[], SecondReader] = BUILT_IN_SECONDS.get(name) or found[name].load()
    return _made(name, make)


def second_of(settings: Settings, judges: Judges) -> Second | None:
    """The second reader that the settings name. `auto` with an upstream is the model of each turn's own upstream."""
    if settings.second_reader == AUTO and not settings.is_embedded:
        return Second(AUTO, seconds=settings.second_timeout)
    reader = second_reader_named(settings.second_reader, judges)
    return Second(settings.second_reader, reader, settings.second_timeout) if reader is not None else None


def check_policy(policy: Policy, settings: Settings) -> None:
    """Raises `SettingsError` when a policy asks for a judge, or for a reader of replies, and there is none."""
    reader_for(policy, settings.reply_assessor, settings.assessor)
    if policy.corroboration is Corroboration.JUDGE and settings.judge is None:
        raise SettingsError(
            'corroboration = "judge" needs an assessor to ask: set `judge`, for example judge = "local".'
        )


def database_of(settings: Settings) -> Database:
    """The database the settings name. Raises `StoreFailed` or `SettingsError`."""
    return database_at(settings.store_path)


def database_at(place: str) -> Database:
    """The database at a URL or path. Raises `StoreFailed` or `SettingsError`."""
    if not place.startswith(POSTGRES):
        return SQLite(place)
    with _psycopg():
        from quitbutton.stores.postgres import Postgres  # noqa: PLC0415 - psycopg, only when asked for
    return Postgres(place)


def tables_at(place: str) -> Opens:
    """The tables at a URL or path, to be read or written as a whole. Raises `SettingsError`."""
    if not place.startswith(POSTGRES):
        return partial(sqlite_tables, place)
    with _psycopg():
        from quitbutton.stores.postgres_bulk import postgres_tables  # noqa: PLC0415
    return partial(postgres_tables, place)


@contextmanager
def _psycopg() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise SettingsError("A PostgreSQL store needs psycopg: pip install 'quitbutton[postgres]'.") from error


def store_of(settings: Settings) -> Store:
    """The store the settings name."""
    return SQLStore(database_of(settings))


def check_doors(settings: Settings) -> None:
    """Raises `SettingsError` when a door that the settings name cannot be made; for a clear word before the start."""
    judges = Judges(settings.judges)
    for name in filter(None, (settings.assessor, settings.judge, *settings.judges)):
        assessor_named(name, judges=judges)
    reader_for(settings.policy, settings.reply_assessor, settings.assessor)
    second_of(settings, judges)
    upstreams_of(settings)


async def guard_of(
    settings: Settings, store: Store, judges: Judges | None = None, assessor: Assessor | None = None
) -> TurnTaker:
    """A guard over these doors, its policy on record. `judges` are the caller's to close; an `assessor` takes the place of
    the one that the settings name."""
    policy = settings.policy
    check_policy(policy, settings)
    key = await store.address_key()
    judges = judges or Judges(settings.judges)
    judges.secret = blake2b(b"judges", key=key, digest_size=32).digest()
    seconds, agreement = policy.assess_timeout, policy.panel
    await store.put_policy(policy, time.time())
    return TurnTaker(
        policy=policy,
        assessor=assessor or assessor_named(settings.assessor, seconds, judges, agreement),
        store=store,
        key=key,
        judge=assessor_named(settings.judge, seconds, judges, agreement, always=True) if settings.judge else None,
        reader=reader_for(settings.policy, settings.reply_assessor, settings.assessor),
        second=second_of(settings, judges),
        retention=settings.retention,
        links=Links(settings.base_url),
    )
