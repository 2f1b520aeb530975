"""Filters in the SQL of Lance mean what `matches` says."""

import pytest
from hypothesis import given

from embassay.stores.filters.meaning import matches
from embassay.stores.filters.parser import parse
from embassay.stores.opening import open_collection
from embassay.stores.values import VECTOR, Collection
from embassay.testing import sample_chunks
from tests.stores.filters.strategies import filters

CHUNKS, VECTORS = sample_chunks(60, 8)


@pytest.fixture(scope="module")
def lance(tmp_path_factory):
    store = open_collection("lance", tmp_path_factory.mktemp("f"), Collection.single("one", 8), create=True)
    store.upsert(CHUNKS, {VECTOR: VECTORS})
    with store.snapshot() as version:
        yield version
    store.close()


@given(filters)
def test_every_filter(lance, expression):
    assert lance.count(expression) == sum(matches(expression, chunk) for chunk in CHUNKS)


def test_long_chains(lance):
    long = parse(" or ".join(f'path = "docs/a{i % 12}.md"' for i in range(100)))
    assert lance.count(long) == sum(matches(long, chunk) for chunk in CHUNKS)
