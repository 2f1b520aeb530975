from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embassay.embedders.providers.hash import HashEmbedder
from embassay.errors import ModelNotFound, QueryError, StoreError, UsageError
from embassay.events import Events, Searched
from embassay.search.index import Index
from embassay.search.modes import pipeline
from embassay.stores.filters.parser import parse
from embassay.stores.opening import open_collection
from embassay.stores.values import VECTOR, Collection
from embassay.testing import sample_chunks
from tests.search.fakes import FakeSnapshot

MODEL = HashEmbedder(64)


class FakeStore:
    def __init__(self, snapshot=None):
        self.snapshots = snapshot or FakeSnapshot()
        self.closed = 0

    def snapshot(self):
        return self.snapshots

    def close(self):
        self.closed += 1


def index(store=None, embedder=lambda: MODEL, **options):
    made = store or FakeStore()
    return Index("mine", MODEL.space, lambda: made, embedder, **options)


def without_model():
    raise ModelNotFound("the model has gone.")


def test_a_search():
    found = index().search("the query", pipeline(k=2))
    assert [hit.chunk.key for hit in found.hits] == ["a", "c"]
    assert (found.query, found.set, found.space, found.mode) == ("the query", "mine", MODEL.space, "hybrid")
    assert found.took_ms >= 0 and [step.stage for step in found.trace][-1] == "fetch"
    plain = found.to_dict()
    assert "trace" not in plain and "pipeline" not in plain
    traced = found.to_dict(trace=True)
    assert traced["pipeline"] == str(pipeline(k=2)) and traced["trace"][0]["stage"] == "dense(100)"


def test_the_snapshot_is_given_back():
    store = FakeStore()
    index(store).search("q", pipeline())
    assert store.snapshots.asked[-1] == ("exit",)
    with pytest.raises(ModelNotFound):
        index(store, without_model).search("q", pipeline("dense"))


def test_words_stand_in_for_a_model_but_not_in_a_measurement():
    found = index(embedder=without_model).search("q", pipeline())
    assert found.mode == "lexical" and found.notices == ("Searched by words only: the model has gone.",)
    with pytest.raises(ModelNotFound):
        index(embedder=without_model).search("q", pipeline(), measured=True)


def test_words_need_no_model():
    assert index(embedder=without_model).search("q", pipeline("lexical"), measured=True).hits


@pytest.mark.parametrize("query", ["", " \n", "\0", "x" * 100_001])
def test_what_is_no_query(query):
    with pytest.raises(QueryError):
        index().search(query, pipeline())


def test_past_every_cache():
    """A query that is measured is embedded anew."""
    from embassay.embedders.wrap.wrapper import Wrapper

    asked = []

    class Cache(Wrapper):
        remembers = True

        def stream(self, texts, role, on_long="truncate"):
            asked.append(role)
            return super().stream(texts, role, on_long)

    searched = index(embedder=lambda: Cache(MODEL))
    searched.search("q", pipeline())
    searched.search("q", pipeline(), cached=False)
    assert asked == ["query"]


def test_who_listens_is_told():
    events, told = Events(), []
    searched = index(events=events)
    searched.search("before", pipeline())
    events.subscribe(Searched, told.append)
    searched.search("after", pipeline(k=1))
    (event,) = told
    assert (event.set, event.query, len(event.hits)) == ("mine", "after", 1)
    assert event.pipeline == str(pipeline(k=1)) and event.trace[-1]["stage"] == "fetch"


def test_a_closed_index_says_so():
    store = FakeStore()
    searched = index(store)
    searched.close()
    searched.close()
    assert store.closed == 1
    with pytest.raises(UsageError, match="the index of set 'mine' is closed"):
        searched.search("q", pipeline())


def test_a_store_that_cannot_be_opened():
    def broken():
        raise OSError("no such file")

    searched = Index("mine", MODEL.space, broken, lambda: MODEL)
    with pytest.raises(OSError, match="no such file"):
        searched.search("q", pipeline())
    searched.close()


def test_one_index_in_many_threads():
    searched = index()
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda n: searched.search(f"query {n}", pipeline()), range(64)))
    assert {tuple(hit.chunk.key for hit in result.hits) for result in results} == {("a", "c", "b", "d")}
    assert [result.query for result in results] == [f"query {n}" for n in range(64)]


def test_two_dense_arms_over_two_kinds_of_vectors():
    """A row with a fine and a coarse vector, in the exact store: each arm compares its own."""
    import numpy as np

    from embassay.search.parse import parse_pipeline
    from embassay.stores.opening import open_collection
    from embassay.stores.values import Collection, VectorSpec
    from tests.search.fakes import chunk

    collection = Collection("two", {"vector": VectorSpec(64), "coarse": VectorSpec(64)})
    store = open_collection("memory", Path(), collection, create=True)
    asked = MODEL.embed(["q"], "query").vectors[0]
    rows = {"vector": np.stack([asked, -asked]), "coarse": np.stack([-asked, asked])}
    store.upsert([chunk("a"), chunk("b")], rows)
    both = parse_pipeline('dense(1) | coarse=dense(1, vectors="coarse") >> rrf >> top')
    found = index(store).search("q", both)
    assert {hit.chunk.key: set(hit.arms) for hit in found.hits} == {"a": {"dense"}, "b": {"coarse"}}
    with pytest.raises(StoreError, match="no vectors that are called 'corse'"):
        index(store).search("q", parse_pipeline('dense(1, vectors="corse") >> top'))


@pytest.mark.parametrize(
    ("chunks", "where", "said"),
    [(0, None, "is empty"), (3, "yaer = 2", "Did you mean 'year'?"), (3, "year = 2", "None of the 3 chunks")],
)
def test_a_search_that_finds_nothing_says_why(tmp_path, chunks, where, said):
    store = open_collection("memory", tmp_path, Collection.single("one", 64), create=True)
    rows, vectors = sample_chunks(chunks, 64)
    store.upsert(rows, {VECTOR: vectors})
    found = index(store).search("key", pipeline(), parse(where) if where else None)
    assert not found.hits and said in found.notices[-1]
    assert not index(store).search("key", pipeline(), parse("year = 1"), measured=True).notices
    assert not chunks or not index(store).search("key", pipeline()).notices
