"""One guard for each policy, over the same doors: a key or a route may name a policy of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from quitbutton.assessors.panel import Panel
from quitbutton.core.errors import SettingsError
from quitbutton.core.rules import Policy
from quitbutton.interfaces import Assessor
from quitbutton.settings import Settings
from quitbutton.turn import TurnTaker
from quitbutton.wiring import PANEL_SHARE, check_policy, reader_for


@dataclass(slots=True)
class Guards:
    """The guards of an installation by the digest of their policy. A turn under one is cut by an end under another."""

    settings: Settings
    default: TurnTaker
    """Under the policy that holds where nothing names another."""
    made: dict[str, TurnTaker] = field(default_factory=dict)

    def of(self, key_policy: str | None, path: str) -> TurnTaker:
        """The guard for a request: of the policy that its key names, else its route, else the default.

        Raises `SettingsError` where the key names a policy that the settings do not have.
        """
        name = key_policy or self.settings.routes.get(path)
        if name is None:
            return self.default
        if name not in self.settings.policies:
            raise SettingsError(
                f"The policy `{name}` of this key is not in the settings. Its operator puts back [policies.{name}]."
            )
        policy = self.settings.policies[name]
        return self.made.get(policy.digest) or self._make(policy)

    async def prepare(self) -> None:
        """Put every named policy on record. Raises `SettingsError` where one asks for a door that is not there."""
        for policy in self.settings.policies.values():
            check_policy(policy, self.settings)
            self._make(policy)
            await self.default.store.put_policy(policy, time.time())

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
