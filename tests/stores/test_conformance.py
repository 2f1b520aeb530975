"""Every backend found passes the suite that ships to users."""

import multiprocessing
import threading

import numpy as np
import pytest

from embassay import plugins
from embassay.errors import StoreError
from embassay.stores.filters import parse
from embassay.testing import check_store, sample_chunks

BACKENDS = plugins.names("embassay.stores.backends")


def test_backends_are_found():
    assert set(BACKENDS) >= {"memory", "lance"}


@pytest.mark.parametrize("name", BACKENDS)
def test_conformance(name, tmp_path):
    backend = plugins.load("embassay.stores.backends", name)
    check_store(lambda: backend.open_store(tmp_path / "v", "one", 16, create=True))


@pytest.fixture
def lance(tmp_path):
    backend = plugins.load("embassay.stores.backends", "lance")
    return lambda: backend.open_store(tmp_path / "v", "one", 32, create=True)


def _structured(count, dimensions, seed=4):
    """Unit vectors near a space of few dimensions, as a model's are; isotropic noise has no neighbours to find."""
    latent = np.random.default_rng(3).normal(size=(5, dimensions))
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 5)) @ latent + rng.normal(0, 0.05, (count, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def small_exact(monkeypatch):
    """Sets above 2,000 rows get an ANN index, so that a test can afford one."""
    from embassay.stores.backends import lance

    monkeypatch.setattr(lance, "EXACT_BYTES", 2_000 * 32 * 4)
    monkeypatch.setattr(lance, "MIN_FOLD", 500)


def test_ann_index_is_built_and_finds_what_exact_search_finds(lance, small_exact):
    store = lance()
    chunks, _ = sample_chunks(6_000, 32)
    vectors, queries = _structured(6_000, 32), _structured(40, 32, seed=5)
    store.upsert(chunks[:5000], vectors[:5000])
    store.optimise()
    assert store.snapshot().stats().unindexed == {"lexical": 0, "dense": 0}
    store.upsert(chunks[5000:], vectors[5000:])
    snapshot = store.snapshot()
    assert snapshot.stats().unindexed["dense"] == 1000
    found = 0
    for query in queries:
        exact = {chunks[i].key for i in np.argsort(-(vectors @ query))[:10]}
        found += len(exact & {c.key for c in snapshot.fetch([s.ref for s in snapshot.dense(query, 10)])})
    assert found / 400 >= 0.99, "rows outside the index are found too"


def test_ann_with_a_selective_filter_still_finds_k(lance, small_exact):
    store = lance()
    chunks, vectors = sample_chunks(5_000, 32)
    store.upsert(chunks, vectors)
    store.optimise(thorough=True)
    snapshot = store.snapshot()
    where = parse('path = "docs/a0.md" and year = 2015 and meta.path = "inner"')
    matching = snapshot.count(where)
    assert 0 < matching < 100
    hits = snapshot.fetch([s.ref for s in snapshot.dense(vectors[1], matching, where)])
    assert len(hits) == matching
    assert all(c.path == "docs/a0.md" and c.metadata["year"] == 2015 for c in hits)


def _merge(place, seed):
    from embassay.stores.backends.lance import open_store

    chunks, vectors = sample_chunks(400, 32)
    store = open_store(place, "one", 32, create=True)
    for at in range(0, 400, 50):
        store.upsert(chunks[at : at + 50], vectors[at : at + 50])


def test_two_processes_upserting_the_same_keys_double_nothing(lance, tmp_path):
    lance()
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_merge, args=(tmp_path / "v", seed)) for seed in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    keys = [chunk.key for chunks, _ in lance().snapshot().scan() for chunk in chunks]
    assert len(keys) == len(set(keys)) == 400


def test_searches_beside_a_writer_never_fail(lance):
    store = lance()
    chunks, vectors = sample_chunks(3_000, 32)
    store.upsert(chunks[:100], vectors[:100])
    store.optimise()
    done, failures = threading.Event(), []

    def search():
        reader = lance()
        while not done.is_set():
            try:
                snapshot = reader.snapshot()
                refs = [s.ref for s in snapshot.dense(vectors[0], 10)] + [s.ref for s in snapshot.lexical("rotate", 10)]
                assert len(snapshot.fetch(refs)) == len(refs)
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for at in range(100, 3000, 100):
        store.upsert(chunks[at : at + 100], vectors[at : at + 100])
        if at % 500 == 0:
            store.optimise(thorough=True)
    done.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_damaged_files_are_one_clear_error(lance, tmp_path):
    store = lance()
    chunks, vectors = sample_chunks(500, 32)
    store.upsert(chunks, vectors)
    for file in (tmp_path / "v").rglob("data/*"):
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(StoreError, match="the vector store failed"):
        list(lance().snapshot().scan())
