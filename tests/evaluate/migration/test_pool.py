from types import SimpleNamespace

import numpy as np
import pytest

from embassay.evaluate.migration.pool import EmbeddedPool, PooledSnapshot, ProbePool, draw
from embassay.stores.opening import exact_store
from embassay.stores.values import VECTOR
from embassay.testing import sample_chunks


@pytest.fixture
def version():
    chunks, vectors = sample_chunks(200, 4)
    store = exact_store(4, "cosine", "en")
    store.upsert(chunks, {VECTOR: vectors})
    with store.snapshot() as snapshot:
        yield snapshot


def keys(version):
    return [chunk.key for chunks, _ in version.scan(()) for chunk in chunks]


def test_a_small_set_is_taken_whole(version):
    pool = draw(version, set(), set(), whole=200, sample=5)
    assert pool.is_whole and {*pool.weights} == {1.0} and [chunk.key for chunk in pool.chunks] == keys(version)


def test_what_is_certain_stands_for_itself_and_the_sample_for_the_rest(version):
    certain = set(keys(version)[:30])
    pool = draw(version, certain, set(), whole=100, sample=17)
    assert len(pool.chunks) == 47 and sum(pool.weights) == pytest.approx(200)
    weights = dict(zip((chunk.key for chunk in pool.chunks), pool.weights, strict=True))
    assert all(weights[key] == 1 for key in certain) and len(weights) == 47
    assert pool == draw(version, certain, set(), whole=100, sample=17)


def test_each_of_the_others_is_as_likely(version):
    """Sets that differ in one certain chunk shift the stream of random numbers: each other chunk is drawn alike."""
    names, drawn = keys(version), dict.fromkeys(keys(version), 0)
    for at in range(200):
        pool = draw(version, {names[at]}, set(), whole=0, sample=20)
        for chunk in pool.chunks[1:]:
            drawn[chunk.key] += 1
    assert sum(drawn.values()) == 200 * 20
    first, second = sum(list(drawn.values())[:100]), sum(list(drawn.values())[100:])
    assert 0.5 < first / second < 2


def test_a_pool_scores_its_own_vectors_and_the_words_of_all(version):
    pool = draw(version, set(), set(), whole=0, sample=50)
    vectors = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    pooled = PooledSnapshot(version, EmbeddedPool(pool, vectors))
    refs = [one.ref for one in pooled.lexical("rotate key", 200)]
    found = {one.ref: one.score for one in pooled.dense(vectors[0], 50)}
    expected = np.array([found.get(ref, np.nan) for ref in refs])
    np.testing.assert_allclose(pooled.dense_scores(vectors[0], refs), expected, rtol=1e-5)
    assert 0 < np.isnan(expected).sum() < len(refs)
    words = {one.ref: one.score for one in pooled.lexical("rotate key", 200)}
    named = list(dict.fromkeys([*refs, *found]))
    assert len(named) > len(refs)
    assert pooled.lexical_scores("rotate key", named) == pytest.approx([words.get(key, 0) for key in named])
    assert pooled.dense_scores(vectors[0], []).shape == pooled.lexical_scores("rotate", []).shape == (0,)


def test_strangers_push_down_what_stands_behind_a_sampled_one():
    chunks = [SimpleNamespace(key=key) for key in "abcd"]
    embedded = EmbeddedPool(ProbePool(chunks, [1.0, 2.5, 2.5, 1.0], 7), np.zeros((4, 2), np.float32))  # type: ignore[arg-type]
    ranked = embedded.expanded({"A": "a", "B": "b", "C": "c", "D": "d", "E": "unknown"})
    assert [len(ranked), ranked.index("A"), ranked.index("B"), ranked.index("C"), ranked.index("D")] == [8, 0, 1, 3, 6]
    assert len(set(ranked)) == 8
