"""Drives hatesonar: hate or offensive language."""

from hatesonar import Sonar
from serve import serve

sonar = Sonar()
serve(lambda text: {"abuse": float(sonar.ping(text=text)["top_class"] != "neither")})
