"""The product with one slot and short limits: whatever a client does, a turn must find room soon after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import Running
from tests.http.wire import PLAIN, Wire, eventually
from tests.upstream import Provider, whole

HEADERS, BODIES, WRITES = 1.0, 1.5, 1.5
"""Seconds that the product gives a client here."""
SETTINGS = f"""
max_turns = 1
header_timeout = {HEADERS}
body_timeout = {BODIES}
write_timeout = {WRITES}
"""


@pytest.fixture(scope="session")
def tight(
    start_gateway: Callable[..., Running], provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Running:
    config: Path = tmp_path_factory.mktemp("http") / "quitbutton.toml"
    config.write_text(SETTINGS)
    return start_gateway("--upstream", provider.url, "--assessor", "scripted", "--config", str(config))


def has_room(gateway: Running, seconds: float) -> bool:
    """Whether the one slot is free within so many seconds: an ordinary turn is answered."""

    def answered() -> bool:
        with suppress(OSError), Wire(gateway.port) as wire:
            return wire.send(PLAIN).answer()[0] == 200
        return False

    return eventually(answered, seconds)


@pytest.fixture
def product(tight: Running, fresh: Provider) -> Iterator[Running]:
    """The product, whose slot is free before the test and within every limit after it."""
    fresh.answer = lambda seen: whole()
    assert has_room(tight, 5)
    fresh.seen.clear()
    yield tight
    fresh.answer = lambda seen: whole()
    assert has_room(tight, max(HEADERS, BODIES, WRITES) + 1.5)
