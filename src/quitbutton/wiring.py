"""Names to objects: the built-in table, then entry points of other packages."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from quitbutton.core.errors import SettingsError
from quitbutton.core.rules import Corroboration
from quitbutton.interfaces import Assessor, ReplyAssessor, Store, Upstream
from quitbutton.settings import Settings
from quitbutton.stores.sql import SQLStore
from quitbutton.stores.sqlite import SQLite
from quitbutton.turn import Guard
from quitbutton.upstreams.http import HTTPUpstream

GROUP = "quitbutton.assessors"


def _local() -> Assessor:
    from quitbutton.assessors.local import LocalAssessor  # noqa: PLC0415 - numpy and onnxruntime, only when asked for

    return LocalAssessor()


def _scripted() -> Assessor:
    from quitbutton.assessors.scripted import ScriptedAssessor  # noqa: PLC0415

    return ScriptedAssessor()


BUILT_IN: dict[str, Callable[[], Assessor]] = {"local": _local, "scripted": _scripted}
PANEL_SHARE = 0.8
"""Of the guard's time for a verdict, what each member of a panel gets: a crisis seen by one must still be heard."""


def assessor_named(name: str, seconds: float = 2.0) -> Assessor:
    """An assessor by its name; several, joined by commas, are one panel. Raises `SettingsError` with those there are."""
    names = [part.strip() for part in name.split(",") if part.strip()]
    if len(names) != 1:
        from quitbutton.assessors.panel import Panel  # noqa: PLC0415

        return Panel([assessor_named(part) for part in names], timeout=seconds * PANEL_SHARE)
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name in BUILT_IN:
        make = BUILT_IN[name]
    elif name in found:
        loaded: Callable[[], Assessor] = found[name].load()
        make = loaded
    else:
        known = ", ".join([*BUILT_IN, *found])
        raise SettingsError(f"There is no assessor `{name}`. Known: {known}.")
    try:
        return make()
    except ImportError as error:
        raise SettingsError(f"The assessor `{name}` needs {error.name}: pip install 'quitbutton[local]'.") from error


def reply_assessor() -> ReplyAssessor:
    """What reads replies for refusals. Raises `SettingsError` where its packages are missing."""
    try:
        from quitbutton.assessors.refusal import RefusalCheck  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(f"Reading replies needs {error.name}: pip install 'quitbutton[local]'.") from error
    return RefusalCheck()


def store_of(settings: Settings) -> Store:
    """The store the settings name."""
    return SQLStore(SQLite(settings.store_path))


def upstream_of(settings: Settings) -> Upstream:
    """What answers: the URL of the settings, or the embedded model."""
    if settings.upstream is not None:
        key = settings.upstream_key
        return HTTPUpstream(settings.upstream, key, settings.connect_timeout, settings.read_timeout)
    from quitbutton.upstreams.embedded import EmbeddedUpstream  # noqa: PLC0415
    from quitbutton.upstreams.models import MODELS, model_path  # noqa: PLC0415

    name = settings.model if settings.model in MODELS else Path(settings.model).stem
    return EmbeddedUpstream(model_path(settings.model, settings.data), name, settings.threads)


def check_doors(settings: Settings) -> None:
    """Raises `SettingsError` when a door that the settings name cannot be made; for a clear word before the start."""
    assessor_named(settings.assessor)
    upstream_of(settings)


async def guard_of(settings: Settings, store: Store, upstream: Upstream) -> Guard:
    """A guard over these doors, its policy on record."""
    policy = settings.policy
    if policy.corroboration is Corroboration.JUDGE and settings.judge is None:
        raise SettingsError(
            'corroboration = "judge" needs an assessor to ask: set `judge`, for example judge = "local".'
        )
    await store.put_policy(policy, time.time())
    return Guard(
        policy=policy,
        assessor=assessor_named(settings.assessor, policy.assess_timeout),
        store=store,
        upstream=upstream,
        key=await store.address_key(),
        judge=assessor_named(settings.judge) if settings.judge else None,
    )
