from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embassay.embedders.providers.hash import HashEmbedder
from embassay.errors import UsageError
from embassay.events import SILENCE
from embassay.search.index import Index
from embassay.search.joint import JointIndex, JointSnapshot
from embassay.search.modes import pipeline, refined
from embassay.stores.filters.parser import parse
from embassay.stores.narrowed import NarrowedStore
from embassay.stores.opening import open_collection
from embassay.stores.values import Collection
from tests.search.fakes import chunk

MODEL = HashEmbedder(64)
TEXTS = [f"text {n} about {word}" for n, word in enumerate("keys doors keys walls keys roofs locks keys".split())]


def rows(texts):
    return [replace(chunk(text), indexed=text, tokens=4) for text in texts]


def store(texts):
    made = open_collection("memory", Path(), Collection.single("t", 64), create=True)
    made.upsert(rows(texts), {"vector": MODEL.embed(texts, "document").vectors})
    return made


def index(name, texts, embedder=lambda: MODEL):
    return Index(name, MODEL.space, lambda: store(texts), embedder)


def joint(*indexes):
    return JointIndex(indexes, SILENCE)


def test_vectors_are_searched_as_if_they_lay_in_one_set():
    both = joint(index("a", TEXTS[:3]), index("b", TEXTS[3:]))
    found = both.search("keys", pipeline("dense", 5))
    one = index("all", TEXTS).search("keys", pipeline("dense", 5))
    assert [hit.chunk.key for hit in found.hits] == [hit.chunk.key for hit in one.hits]
    assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in one.hits], abs=1e-6)
    assert {hit.set for hit in found.hits} == {"a", "b"} and {hit.set for hit in one.hits} == {"all"}
    assert (found.set, list(found.sets)) == ("a, b", ["a", "b"])
    assert found.to_dict()["sets"] == ["a", "b"] and found.to_dict()["hits"][0]["set"] in ("a", "b")


def test_a_query_is_embedded_once():
    asked = []

    class Counting(HashEmbedder):
        def embed(self, texts, role, on_long="truncate"):
            asked.extend(texts)
            return super().embed(texts, role, on_long)

    one = Counting(64)
    both = joint(index("a", TEXTS[:3], lambda: one), index("b", TEXTS[3:], lambda: one))
    assert both.search("keys", pipeline()).mode == "hybrid" and asked == ["keys"]


def test_the_same_document_in_two_sets_is_two_documents():
    both = joint(index("a", TEXTS[:2]), index("b", TEXTS[:2]))
    found = both.search("keys", refined(pipeline("dense", 5), group_by="document"))
    assert sorted((hit.set, hit.chunk.key) for hit in found.hits) == [(s, t) for s in "ab" for t in sorted(TEXTS[:2])]


def test_a_joint_snapshot_reads_all_of_its_parts():
    parts = {"a": store(TEXTS[:3]).snapshot(), "b": store(TEXTS[3:]).snapshot()}
    whole = store(TEXTS).snapshot()
    with JointSnapshot(parts) as version:
        assert version.count() == len(TEXTS) and version.stats().rows == len(TEXTS)
        where = parse('document ~ "*keys"')
        assert version.count(where) == whole.count(where) == 4
        query = MODEL.embed(["keys"], "query").vectors[0]
        filtered = version.dense(query, 9, where)
        assert {one.key for one in version.fetch([f.ref for f in filtered])} == {t for t in TEXTS if "keys" in t}
        assert len(version.lexical("keys", 9)) == 4
        documents = [f"doc-{text}" for text in TEXTS[2:4]]
        assert {c.key for c in version.chunks(documents, by="document")} == set(TEXTS[2:4])
        assert set(version.vectors(TEXTS)) == set(TEXTS)
        blocks = list(version.scan())
        assert sum(len(chunks) for chunks, _ in blocks) == sum(len(v["vector"]) for _, v in blocks) == len(TEXTS)
        scores = [one.score for one in version.dense(query, 9)]
        assert scores == sorted(scores, reverse=True) and np.isfinite(scores).all()


def test_where_one_is_closed_the_error_says_which():
    first, second = index("a", TEXTS[:3]), index("b", TEXTS[3:])
    second.close()
    with pytest.raises(UsageError, match="the index of set 'b' is closed"):
        joint(first, second).search("keys", pipeline())


def test_rows_of_several_sets_are_scored_where_they_lie():
    parts = {"a": store(TEXTS[:3]).snapshot(), "b": store(TEXTS[3:]).snapshot()}
    query = MODEL.embed(["keys"], "query").vectors[0]
    with JointSnapshot(parts) as version:
        found = version.dense(query, 9)[::-1]
        refs = [*(one.ref for one in found), ("b", 99)]
        assert version.dense_scores(query, refs)[:-1] == pytest.approx([one.score for one in found])
        assert np.isnan(version.dense_scores(query, refs)[-1])
        words = {one.ref: one.score for one in version.lexical("keys", 9)}
        assert len(words) == 4
        assert version.lexical_scores("keys", refs) == pytest.approx([words.get(ref, 0) for ref in refs])
        assert version.dense_scores(query, []).shape == version.lexical_scores("keys", []).shape == (0,)


def test_a_view_scores_rows_as_the_whole_set_does():
    whole = store(TEXTS)
    query = MODEL.embed(["keys"], "query").vectors[0]
    with NarrowedStore(whole, parse('document ~ "*doors"')).snapshot() as view, whole.snapshot() as version:
        refs = [one.ref for one in version.dense(query, 9)]
        assert view.dense_scores(query, refs).tolist() == version.dense_scores(query, refs).tolist()
        assert view.lexical_scores("keys doors", refs).tolist() == version.lexical_scores("keys doors", refs).tolist()
        (only,) = view.lexical("keys doors", 9)
        assert view.lexical_scores("keys doors", [only.ref]).tolist() == [np.float32(only.score)]
