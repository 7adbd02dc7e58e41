"""Drives forcefield without its optional models."""

import forcefield
from serve import serve

guard = forcefield.Guard()
serve(lambda text: {"harm": float(guard.scan(text).action.value != "allow")})
