"""Drives safetype: any match of its rules."""

from safetype import create_moderation_engine
from serve import serve

engine = create_moderation_engine()
serve(lambda text: {"abuse": float(bool(engine.moderate(text).matches))})
