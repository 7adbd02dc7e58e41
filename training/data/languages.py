"""Languages in which the reader is meant to be measured, and how well it must see a crisis there."""

from __future__ import annotations

COVERED = frozenset(["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"])
"""Those that the encoder was made for. The reader learns to tell them from all others."""
FLOOR = 0.7
"""The least share of left-out clear crises that must be seen, at the lower end of the interval, in a language."""
ENOUGH = 20
"""Clear crises below which a language counts as not measured."""
