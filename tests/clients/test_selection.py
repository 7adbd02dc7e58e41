"""The light half of `make clients`, in every test run: the SDKs, each in its own environment."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.chats import have_chat
from tests.clients.checks import wrong_with
from tests.clients.environments import Client, build, clients
from tests.clients.stage import Stage, driving
from tests.conftest import Running

QUICK = [(client, protocol) for client in clients() if client.quick for protocol in client.protocols]


@pytest.fixture(scope="module")
def stage(start_gateway: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    one = Stage(start_gateway, Path(tmp_path_factory.mktemp("clients")))
    yield one
    one.close()


@pytest.mark.parametrize(("client", "protocol"), QUICK, ids=[f"{client.name}-{name}" for client, name in QUICK])
def test_a_client_meets_the_end_as_it_should(stage: Stage, client: Client, protocol: str) -> None:
    """One request, a reason and a next step, edit, titles, and streamed as whole."""
    if client.is_node and shutil.which("npm") is None:
        pytest.skip("needs Node and npm")
    if not stage.speaks(protocol):
        pytest.skip(f"the gateway does not speak {protocol}")
    build(client)
    with driving(client) as driver:
        whole, stream = (have_chat(stage, driver, client, protocol, streams) for streams in (False, True))
    found = wrong_with(client, whole, stream)
    assert not any(found.values()), found
