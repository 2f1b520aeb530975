"""What the conformance suite leaves open of the exact store: its rankings, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from embassay.errors import StoreError
from embassay.stores.backends import memory
from embassay.stores.values import VECTOR, Collection, VectorSpec
from embassay.testing import sample_chunks

CHUNKS, _ = sample_chunks(3, 2)


def keys(version, found):
    return [chunk.key for chunk in version.fetch([hit.ref for hit in found])]


def test_each_label_ranks_by_its_own_vectors():
    store = memory.open_store(
        memory.MemorySettings(), Collection("one", {VECTOR: VectorSpec(2), "coarse": VectorSpec(1)}), create=True
    )
    precise = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    coarse = np.array([[-1], [0.5], [1]], np.float32)
    store.upsert(CHUNKS, {VECTOR: precise, "coarse": coarse})
    with store.snapshot() as version:
        found = version.dense(np.array([1, 0], np.float32), 2)
        assert keys(version, found) == [CHUNKS[0].key, CHUNKS[1].key]
        assert [hit.score for hit in found] == pytest.approx([1, 0.6])
        found = version.dense(np.array([1], np.float32), 2, label="coarse")
        assert keys(version, found) == [CHUNKS[2].key, CHUNKS[1].key]


def test_the_language_decides_what_is_a_word():
    chunk = replace(CHUNKS[0], indexed="the houses of the keys", body_at=0)
    found = {}
    for language in ("en", "de"):
        store = memory.open_store(memory.MemorySettings(), Collection.single("one", 1, language), create=True)
        store.upsert([chunk], {VECTOR: np.ones((1, 1), np.float32)})
        with store.snapshot() as version:
            found[language] = [bool(version.lexical(word, 1)) for word in ("the lamp", "key")]
    assert found == {"en": [False, True], "de": [True, False]}, "German has no stop word 'the'"


def test_a_store_in_memory_is_never_found_again():
    with pytest.raises(StoreError, match="ends with its process"):
        memory.open_store(memory.MemorySettings(), Collection.single("one", 1))


def test_rows_that_there_are_not_have_no_score():
    store = memory.open_store(memory.MemorySettings(), Collection.single("one", 2), create=True)
    store.upsert(CHUNKS[:2], {VECTOR: np.array([[1, 0], [0.6, 0.8]], np.float32)})
    with store.snapshot() as version:
        scores = version.dense_scores(np.array([1, 0], np.float32), [1, 7, -1, 0])
        assert scores[[0, 3]].tolist() == [np.float32(0.6), 1.0] and np.isnan(scores[1:3]).all()
        assert version.lexical_scores("key", [7, -1]).tolist() == [0, 0]
