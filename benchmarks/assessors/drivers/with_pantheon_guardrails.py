"""Drives the crisis protocol of pantheon-guardrails."""

from pantheon_guardrails.crisis import CrisisProtocol
from serve import serve

protocol = CrisisProtocol()
serve(lambda text: {"crisis": float(protocol.check(text).triggered)})
