from __future__ import annotations

import pytest

from tests.reranking.services import handle
from tests.servers import Server


@pytest.fixture
def server():
    made = Server(handle)
    yield made
    made.close()
