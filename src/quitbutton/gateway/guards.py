"""One guard for each policy, over the same doors: a key or a route may name a policy of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from quitbutton.assessors.panel import Panel
from quitbutton.core.errors import NotFound, SettingsError
from quitbutton.core.rules import Policy
from quitbutton.core.versions import DEFAULT, Version, chance_of, in_force, in_shadow
from quitbutton.interfaces import Assessor
from quitbutton.settings import Settings
from quitbutton.stores.versions import Versions
from quitbutton.turn import TurnTaker
from quitbutton.wiring import PANEL_SHARE, check_policy, reader_for


@dataclass(slots=True)
class Guards:
    """The guards of an installation by the digest of their policy. A turn under one is cut by an end under another."""

    settings: Settings
    default: TurnTaker
    """Under the policy that holds where nothing names another."""
    versions: Versions | None = None
    """Where policies have versions; the settings' are in force where none was rolled out."""
    made: dict[str, TurnTaker] = field(default_factory=dict)
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
        version = in_force(self._known.get(name, ()), chance_of(name, *scope))
        if version is None and name == DEFAULT:
            return self.default
        policy = version.policy if version is not None else self.settings.policies[name]
        return self.made.get(policy.digest) or self._make(policy)

    def drafts(self, key_policy: str | None, path: str) -> tuple[Policy, ...]:
        """The policies in the shadow stage that a request is tried under as well."""
        return tuple(one.policy for one in in_shadow(self._known.get(self._name(key_policy, path), ())))

    async def refresh(self) -> None:
        """Read the versions anew: what another replica rolled out holds here within a second."""
        if self.versions is not None:
            self._known = await self.versions.all()

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
            reader=default.reader or reader_for(policy, self.settings.reply_assessor),
        )
        self.made[policy.digest] = guard
        return guard


def _under(policy: Policy, assessor: Assessor) -> Assessor:
    """The same assessor; a panel with the patience and the agreement of this policy."""
    if not isinstance(assessor, Panel):
        return assessor
    return Panel(assessor.members, timeout=policy.assess_timeout * PANEL_SHARE, agreement=policy.panel)
