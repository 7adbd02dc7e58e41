"""Shares with their intervals, for small numbers too."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054
"""Of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of cases, with Wilson's 95 % interval (Wilson 1927); None without cases."""

    hits: int
    cases: int

    @property
    def share(self) -> float | None:
        """The share itself."""
        return self.hits / self.cases if self.cases else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its lower and upper bound."""
        if not self.cases:
            return None
        n, p = self.cases, self.hits / self.cases
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def told(self) -> dict[str, object]:
        """As JSON."""
        bounds = self.interval
        return {
            "hits": self.hits,
            "cases": self.cases,
            "share": self.share,
            "interval": list(bounds) if bounds else None,
        }
