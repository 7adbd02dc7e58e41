"""Drives oubliette-shield without an LLM; a session a text, as it turns against a whole session after a while."""

from itertools import count

from oubliette_shield import Shield
from serve import serve

shield, sessions = Shield(), count()
serve(lambda text: {"harm": float(shield.analyze(text, session_id=f"s{next(sessions)}").blocked)})
