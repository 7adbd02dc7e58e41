"""A gateway with keys and a story, and the console signed in to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect
from tests.browser.desk import CHAT, OPERATOR, Desk, Office
from tests.conftest import Running
from tests.gateway.test_rights_api import presses
from tests.upstream import Provider, whole


@pytest.fixture(scope="session")
def office(
    start_gateway: Callable[..., Running], provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    config = tmp_path_factory.mktemp("office") / "settings.toml"
    config.write_text(f'api_keys = ["{CHAT}"]\noperator_keys = ["{OPERATOR}"]\n')
    provider.answer = presses
    yield Office(start_gateway("--upstream", provider.url, "--assessor", "scripted", "--config", str(config)))
    provider.answer = lambda seen: whole()


@pytest.fixture
def door(page: Page, office: Office) -> Iterator[Desk]:
    """The console, not signed in to."""
    desk = Desk(page, office.url)
    yield desk
    assert desk.faults == []


@pytest.fixture
def desk(door: Desk) -> Desk:
    """The console as an operator has it."""
    door.sign_in()
    expect(door.title).to_have_text("Overview")
    door.drawn()
    return door
