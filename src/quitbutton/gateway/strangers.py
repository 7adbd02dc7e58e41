"""Connections over which nobody has shown a key yet: how many there may be, overall and from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from ipaddress import ip_network

KNOWN = "quitbutton.known"
"""The extension of a scope that takes it back that its connection is a stranger's: called once a key was found right."""
NEIGHBOURS = 64
"""Bits of an IPv6 address that its neighbours share: whoever has one address has them all."""


@dataclass(slots=True)
class Strangers:
    """Counts them. Proxies that are believed come with many clients, so only the overall limit holds for them."""

    most: int
    most_per_address: int
    proxies: Container[str | None] = ()
    _number: int = 0
    _by_address: Counter[str] = field(default_factory=Counter)

    def enter(self, address: str) -> bool:
        """Count one more; False where that is one too many."""
        place = _place(address)
        is_full = 0 < self.most <= self._number
        if is_full or (0 < self.most_per_address <= self._by_address[place] and address not in self.proxies):
            return False
        self._number += 1
        self._by_address[place] += 1
        return True

    def leave(self, address: str) -> None:
        """One that was counted is gone, or a stranger's no longer."""
        place = _place(address)
        self._number -= 1
        self._by_address[place] -= 1
        if self._by_address[place] <= 0:
            del self._by_address[place]


def _place(address: str) -> str:
    return str(ip_network((address.partition("%")[0], NEIGHBOURS), strict=False)) if ":" in address else address
