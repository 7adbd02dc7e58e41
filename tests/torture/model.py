"""The ladder once more, small and written apart from the product: what a step may do to a standing."""

from __future__ import annotations

from dataclasses import replace

from tests.torture.history import Standing

REDIRECTIONS = 2
FORGIVE_AFTER = 2
CRISIS_HOLD = 2
POLICY = f"redirections = {REDIRECTIONS}\nforgive_after = {FORGIVE_AFTER}\ncrisis_hold_turns = {CRISIS_HOLD}\n"
RANKS = ("open", "redirected", "warned", "ended")


def step(at: Standing, label: str, signal: str) -> Standing:
    """Where one turn leads: the verdict on the user's words, and whether the model pressed."""
    now = replace(at, asked=False)
    if label == "crisis":
        return replace(now, crisis=CRISIS_HOLD, clean=0)
    if at.crisis:
        return replace(forgiven(now) if label == "clean" else now, crisis=at.crisis - 1)
    if label == "unknown":
        return now
    if label == "clean":
        return forgiven(now)
    pressed = signal == "press"
    if at.rung == "warned":
        return replace(now, rung="ended" if pressed else "warned", clean=0)
    if pressed and at.rung == "redirected" and at.redirections >= REDIRECTIONS:
        return replace(now, rung="warned", clean=0)
    return replace(now, rung="redirected", redirections=at.redirections + 1, clean=0)


def forgiven(at: Standing) -> Standing:
    """One clean turn more."""
    if at.rung == "open":
        return at
    if at.clean + 1 < FORGIVE_AFTER:
        return replace(at, clean=at.clean + 1)
    if at.rung == "warned":
        return replace(at, rung="redirected", clean=0)
    left = min(at.redirections, REDIRECTIONS) - 1
    return replace(at, rung="redirected" if left else "open", redirections=left, clean=0)


def unheard(at: Standing) -> Standing:
    """Where a turn leads whose reader had left."""
    return replace(at, asked=False)


def higher(new: Standing, old: Standing) -> Standing:
    """Two outcomes of one turn, as one: the higher rung stands, and so does a crisis."""
    top = new if _rank(new) >= _rank(old) else old
    return replace(top, crisis=max(new.crisis, old.crisis), asked=new.asked or old.asked)


def _rank(at: Standing) -> tuple[int, int]:
    return RANKS.index(at.rung), at.redirections
