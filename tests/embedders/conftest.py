from __future__ import annotations

from collections.abc import Iterator

import pytest

from embassay.models.cache import VectorCache


@pytest.fixture
def cache(tmp_path) -> Iterator[VectorCache]:
    made = VectorCache(tmp_path / "cache.db")
    yield made
    made.close()
