"""An evaluation ranks what a search finds: both run their pipelines in one place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embassay.embedders.providers.hash import HashEmbedder
from embassay.errors import ModelNotFound
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.filling import fill
from embassay.evaluate.score.ranking import rank_documents
from embassay.search.index import Index
from embassay.search.modes import pipeline
from embassay.search.parse import parse_pipeline
from embassay.search.pipeline import Pipeline
from embassay.search.stages.top import Top
from embassay.stores.opening import exact_store
from embassay.types import Document
from tests.search.strategies import pipelines

WORDS = "key proxy cat report server index vector search cache token model query".split()
MODEL = HashEmbedder(64)


def document(n):
    text = " ".join(WORDS[(n * step) % len(WORDS)] for step in range(1, 4 + n % 5)) + f" only{n}"
    return Document(f"d{n}", f"d{n}", text)


JUDGED = JudgedSet(
    "made/test", tuple(map(document, range(40))), {"q1": "key proxy", "q2": "cat report only7", "d3": "server"}, {}
)
STORE = exact_store(64)
FILLED = fill(JUDGED, MODEL, STORE)


@settings(max_examples=60)
@given(pipelines(st.integers(1, 60)))
def test_evaluation_and_search_rank_alike(chosen):
    """Every hit of a search, in its order, stands first in the ranking of an evaluation."""
    run = rank_documents(FILLED, chosen, depth=40)
    index = Index("s", MODEL.space, lambda: STORE, lambda: MODEL)
    for name, query in JUDGED.queries.items():
        hits = [hit.chunk.document for hit in index.search(query, chosen, measured=True).hits]
        assert list(run.rankings[name][: len(hits)]) == hits[:40]


def test_two_dense_arms_are_ranked_as_one():
    one = rank_documents(FILLED, pipeline("dense", 40), depth=40)
    two = rank_documents(FILLED, parse_pipeline("a=dense(40) | b=dense(40) >> convex >> top(40)"), depth=40)
    assert one.rankings == two.rankings


def test_what_is_not_found_at_first_is_looked_for_deeper():
    shallow = Pipeline(pipeline("hybrid", 5, depth=5).arms, pipeline("hybrid", 5).stages)
    run = rank_documents(FILLED, shallow, depth=40)
    assert all(len(ranked) == len(set(ranked)) == 40 for ranked in run.rankings.values())
    assert isinstance(shallow.stages[-1], Top) and set(run.search_ms) == set(JUDGED.queries)


def test_the_document_that_is_the_query_is_left_out():
    run = rank_documents(FILLED, pipeline("dense"), depth=39, drop_same_id=True)
    assert "d3" not in run.rankings["d3"] and len(run.rankings["d3"]) == 39 and "d3" in run.rankings["q1"]


def test_no_words_stand_in_for_a_model():
    """Nothing is embedded for words; what needs a model then fails, and does not rank something else."""

    class Gone(HashEmbedder):
        def stream(self, *args, **kwargs):
            raise ModelNotFound("the model has gone.")

    filled = fill(JUDGED, Gone(64), exact_store(64), vectors=False)
    assert not filled.queries.any() and rank_documents(filled, pipeline("lexical")).rankings["q1"]
    with pytest.raises(ModelNotFound):
        fill(JUDGED, Gone(64), exact_store(64))
