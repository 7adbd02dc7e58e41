"""Drives the crisis screen of cogno-aegis."""

from cogno_aegis import GuardCategory, InputGuard
from cogno_aegis.safety import DEFAULT_CRISIS_RULES
from serve import serve

guard = InputGuard(max_chars=10**9, crisis_rules=DEFAULT_CRISIS_RULES)
serve(lambda text: {"crisis": float(guard.check_text(text).category is GuardCategory.CRISIS)})
