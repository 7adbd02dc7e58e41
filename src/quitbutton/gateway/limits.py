"""Limits by key: requests a minute, tries to sign in. Counted in memory: each replica counts for itself."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from quitbutton.core.errors import RateLimited

REMEMBERED = 10_000
"""Callers whose counts are kept; beyond that the one that was quiet longest is forgotten."""

FREE_TRIES = 5
"""Wrong keys an address may show before it has to wait."""
FREE_TRIES_OVERALL = 50
"""Wrong keys that all addresses together may show before every sign-in has to wait."""
FIRST_WAIT = 1.0
"""Seconds of the first wait; each further wrong key doubles it."""
LONGEST_WAIT = 300.0
LONGEST_WAIT_OVERALL = 10.0
"""Shorter, so that somebody who guesses cannot keep everybody out."""
FORGOTTEN_AFTER = 900.0
"""Seconds without a wrong key after which an address starts anew."""


@dataclass(slots=True)
class RateLimits:
    """A token bucket for each tenant: a minute's requests at once, refilled evenly."""

    clock: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, tenant: str, per_minute: int, name: str = "requests_per_minute of this key") -> None:
        """Count one request. Raises `RateLimited` with the limit's name and the time to wait; 0 sets no limit."""
        if per_minute <= 0:
            return
        now = self.clock()
        left, at = self._buckets.pop(tenant, (float(per_minute), now))
        left = min(per_minute, left + (now - at) * per_minute / 60)
        allowed = left >= 1
        self._buckets[tenant] = (left - 1 if allowed else left, now)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = (1 - left) * 60 / per_minute
            raise RateLimited(f"Over {per_minute} requests a minute, the limit {name}. Wait and try again.", wait)


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    last: float = 0.0

    def wait(self, now: float, free: int, longest: float) -> float:
        """Seconds to wait before the next try."""
        if self.wrong < free:
            return 0.0
        pause = min(longest, FIRST_WAIT * 2.0 ** min(self.wrong - free, 30))
        return max(0.0, self.last + pause - now)


@dataclass(slots=True)
class LoginThrottle:
    """Counts wrong keys by address and overall. Whoever has to wait is told the same, whatever key it shows."""

    clock: Callable[[], float] = time.monotonic
    _tries: OrderedDict[str, _Tries] = field(default_factory=OrderedDict)
    _overall: _Tries = field(default_factory=_Tries)

    def check(self, address: str, overall: bool = False) -> None:
        """Raises `RateLimited` while this address, or with `overall` everybody, has to wait."""
        now = self.clock()
        wait = self._of(address, now).wait(now, FREE_TRIES, LONGEST_WAIT)
        if overall:
            wait = max(wait, self._everybody(now).wait(now, FREE_TRIES_OVERALL, LONGEST_WAIT_OVERALL))
        if wait > 0:
            raise RateLimited("Too many wrong keys were tried. Wait, then try again.", wait)

    def wrong(self, address: str) -> None:
        """A wrong key was shown."""
        now = self.clock()
        for tries in (self._of(address, now), self._everybody(now)):
            tries.wrong += 1
            tries.last = now
        while len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)

    def right(self, address: str) -> None:
        """What was counted as wrong before it was looked at was right: the address starts anew."""
        self._tries.pop(address, None)
        self._overall.wrong = max(0, self._overall.wrong - 1)

    def _of(self, address: str, now: float) -> _Tries:
        tries = self._tries.pop(address, None)
        if tries is None or tries.last + FORGOTTEN_AFTER < now:
            tries = _Tries()
        self._tries[address] = tries
        return tries

    def _everybody(self, now: float) -> _Tries:
        if self._overall.last + FORGOTTEN_AFTER < now:
            self._overall = _Tries()
        return self._overall
