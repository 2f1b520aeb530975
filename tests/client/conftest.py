"""A real server for the clients of one module."""

import pytest

from embassay.client import Client
from tests.server.conftest import DOCUMENTS, running


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory.mktemp("served") / ".embassay") as found:
        found.home.set("animals").upsert(DOCUMENTS)
        yield found


@pytest.fixture
def client(served):
    with Client(served.url, timeout=30) as made:
        yield made
