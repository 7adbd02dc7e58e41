"""Drives safetext: any word of its English list."""

from safetext import SafeText
from serve import serve

words = SafeText(language="en")
serve(lambda text: {"abuse": float(bool(words.check_profanity(text=text)))})
