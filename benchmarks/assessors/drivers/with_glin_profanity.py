"""Drives glin-profanity without its optional model."""

from glin_profanity import Filter
from serve import serve

words = Filter()
serve(lambda text: {"abuse": float(words.is_profane(text))})
