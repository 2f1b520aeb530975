"""A store that needs a connection fits the contract, and gives every connection back."""

import pytest

from embassay import plugins
from embassay.errors import StoreError
from embassay.stores.opening import BACKENDS, open_collection
from embassay.stores.values import VECTOR, Collection
from embassay.testing import check_store, sample_chunks
from tests.stores import connected

COLLECTION = Collection.single("one", 4)
CHUNKS, VECTORS = sample_chunks(6, 4)


@pytest.fixture
def settings(tmp_path):
    return connected.settings_in(tmp_path)


def test_it_passes_the_suite_and_leaves_no_connection_open(settings):
    check_store(connected, settings, rows=100)
    assert settings.connections == set()


def test_a_snapshot_has_a_connection_until_its_block_ends(settings):
    store = connected.open_store(settings, COLLECTION, create=True)
    store.upsert(CHUNKS, {VECTOR: VECTORS})
    assert len(settings.connections) == 1
    with store.snapshot() as first, store.snapshot() as second:
        assert len(settings.connections) == 3
        store.delete([CHUNKS[0].key])
        assert first.count() == second.count() == len(CHUNKS), "both stay on the version they were taken of"
        with store.snapshot() as third:
            assert third.count() == len(CHUNKS) - 1
    assert len(settings.connections) == 1
    store.close()
    assert settings.connections == set()


def test_a_block_that_fails_gives_its_connection_back(settings):
    store = connected.open_store(settings, COLLECTION, create=True)
    with pytest.raises(StoreError, match="unknown"), store.snapshot() as version:
        version.dense(VECTORS[0], 3, label="unknown")
    assert len(settings.connections) == 1
    store.close()


def test_closing_closes_snapshots_that_nobody_left(settings):
    store = connected.open_store(settings, COLLECTION, create=True)
    forgotten = store.snapshot()
    store.close()
    assert settings.connections == set()
    with pytest.raises(StoreError):
        forgotten.count()


def test_a_store_that_cannot_be_opened_leaves_no_connection(settings):
    with pytest.raises(StoreError, match="no collection"):
        connected.open_store(settings, COLLECTION)
    assert settings.connections == set()


def test_generic_code_opens_it_by_its_name(monkeypatch, tmp_path):
    """As a package of somebody else would add it: by an entry point, and no line of ours names it."""
    from importlib.metadata import EntryPoint

    monkeypatch.setattr(plugins, "_entries", lambda _: (EntryPoint("connected", "tests.stores.connected", BACKENDS),))
    store = open_collection("connected", tmp_path, COLLECTION, create=True)
    assert isinstance(store, connected.ConnectedStore)
    store.close()
