"""Tests of what operators see and do."""

from __future__ import annotations

import time

from tests.conftest import Running
from tests.gateway.test_rights_api import call


def until_ready(gateway: Running, seconds: float = 30) -> None:
    """Wait until requests may come."""
    deadline = time.monotonic() + seconds
    while call(gateway.url + "/readyz")[0] != 200:
        assert time.monotonic() < deadline, call(gateway.url + "/readyz")
        time.sleep(0.1)
