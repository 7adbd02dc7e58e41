"""One guard for each policy, over the same doors: a key or a route may name a policy of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from quitbutton.assessors.panel import Panel
from quitbutton.core.errors import NotFound, QuitbuttonError, SettingsError
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.versions import DEFAULT, Stage, Version, chance_of, in_force, in_shadow
from quitbutton.interfaces import Assessor
from quitbutton.observing.doors import WatchedAssessor
from quitbutton.settings.installation import Settings
from quitbutton.stores.versions import Versions
from quitbutton.turn.guard import TurnTaker
from quitbutton.wiring import PANEL_SHARE, check_policy, reader_for

log = logging.getLogger("quitbutton.policies")
REACHING = (Stage.SHADOW, Stage.SHARE, Stage.ALL)
"""Stages in which somebody's requests are decided under a version."""


@dataclass(slots=True)
class Guards:
    """The guards of an installation by the digest of their policy. A turn under one is cut by an end under another."""

    settings: Settings
    default: TurnTaker
    """Under the policy that holds where nothing names another."""
    versions: Versions | None = None
    """Where policies have versions; the settings' are in force where none was rolled out."""
    made: dict[str, TurnTaker] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    """Digests of versions that cannot hold here; told once."""
    _known: Mapping[str, Sequence[Version]] = field(default_factory=dict)

    def of(self, key_policy: str | None, path: str, scope: Sequence[str | None] = ()) -> TurnTaker:
        """The guard for a request: of the policy that its key names, else its route, else the default.

        Of its versions the one holds that is rolled out to the request's scope. Raises `SettingsError` where the key names a
        policy that the settings do not have.
        """
        name = self._name(key_policy, path)
        if name != DEFAULT and name not in self.settings.policies:
            raise SettingsError(
                f"The policy `{name}` of this key is not in the settings. Its operator puts back [policies.{name}]."
            )
        versions = self._known.get(name)
        version = in_force(versions, chance_of(name, *scope)) if versions else None
        if version is None and name == DEFAULT:
            return self.default
        policy = version.policy if version is not None else self.settings.policies[name]
        return self.made.get(policy.digest) or self._make(policy)

    def drafts(self, key_policy: str | None, path: str) -> tuple[Policy, ...]:
        """The policies in the shadow stage that a request is tried under as well."""
        versions = self._known.get(self._name(key_policy, path))
        return tuple(one.policy for one in in_shadow(versions)) if versions else ()

    async def refresh(self) -> None:
        """Read the versions anew: what another replica rolled out holds here within a second."""
        if self.versions is not None:
            found = await self.versions.all()
            self._known = {name: [one for one in versions if self._is_ready(one)] for name, versions in found.items()}

    def _is_ready(self, version: Version) -> bool:
        """Whether a version that reaches somebody can be followed here; one that cannot never stands in a chat's way."""
        digest = version.policy.digest
        if version.stage not in REACHING or digest in self.made:
            return True
        if digest not in self._refused:
            try:
                check_policy(version.policy, self.settings)
                self._make(version.policy)
                return True
            except QuitbuttonError as error:
                self._refused.add(digest)
                log.error("version %d of the policy %s cannot hold here: %s", version.number, version.name, error)
        return False

    def policy_named(self, name: str) -> Policy:
        """The policy of a name that is in force for everybody. Raises `NotFound`."""
        if name != DEFAULT and name not in self.settings.policies:
            raise NotFound(f"There is no policy `{name}`: there are {', '.join([DEFAULT, *self.settings.policies])}.")
        version = in_force(self._known.get(name, ()), 1.0)
        if version is not None:
            return version.policy
        return self.default.policy if name == DEFAULT else self.settings.policies[name]

    def _name(self, key_policy: str | None, path: str) -> str:
        return key_policy or self.settings.routes.get(path) or DEFAULT

    async def prepare(self) -> None:
        """Put every named policy on record. Raises `SettingsError` where one asks for a door that is not there."""
        for policy in self.settings.policies.values():
            check_policy(policy, self.settings)
            self._make(policy)
            await self.default.store.put_policy(policy, time.time())
        await self.refresh()

    def _make(self, policy: Policy) -> TurnTaker:
        default = self.default
        guard = replace(
            default,
            policy=policy,
            assessor=_under(policy, default.assessor),
            judge=default.judge and _under(policy, default.judge),
            reader=default.reader or reader_for(policy, self.settings.reply_assessor, self.settings.assessor),
        )
        self.made[policy.digest] = guard
        return guard


def _under(policy: Policy, assessor: Assessor) -> Assessor:
    """The same assessor; a panel with the patience and the agreement of this policy."""
    if isinstance(assessor, WatchedAssessor):
        return WatchedAssessor(_under(policy, assessor.inner), assessor.metrics)
    if not isinstance(assessor, Panel):
        return assessor
    return Panel(assessor.members, timeout=policy.assess_timeout * PANEL_SHARE, agreement=policy.panel)
