"""Drives better-profanity."""

from better_profanity import profanity
from serve import serve

serve(lambda text: {"abuse": float(profanity.contains_profanity(text))})
