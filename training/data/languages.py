"""Languages in which the reader is meant to be measured, and how well it must see a crisis there."""

from __future__ import annotations

COVERED = frozenset(["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"])
"""Those that the encoder was made for. The reader learns to tell them from all others."""
FLOOR = 0.75
"""The least share of left-out conversations with a clear crisis in which it must be seen, in a language."""
ENOUGH = 20
"""Conversations with a clear crisis below which a language counts as not measured."""
