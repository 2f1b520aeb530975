"""Coarse vectors find, whole ones rank."""

import numpy as np
import pytest

from embassay.catalog.card import ModelCard
from embassay.embedders.wrap.projected import fit
from embassay.errors import UsageError
from embassay.search.coarse import projected_form, trained_form
from embassay.search.context import Context
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.space import Space
from embassay.stores.opening import exact_store
from embassay.types import Chunk
from embassay.vectors import unit_rows

SPACE = Space("made", "aa", 32)
ROWS = 400


@pytest.fixture(scope="module")
def rows():
    """Most of what tells them apart is in a few directions, as PCA needs it."""
    made = np.random.default_rng(1)
    mixed = made.standard_normal((ROWS, 32)) * np.geomspace(1, 0.02, 32)
    return unit_rows((mixed @ np.linalg.qr(made.standard_normal((32, 32)))[0]).astype(np.float32))


@pytest.fixture(scope="module")
def store(rows):
    opened = exact_store(32)
    text = [f"word{at % 7} word{at}" for at in range(ROWS)]
    chunks = [Chunk(f"k{at}", f"d{at}", f"d{at}", "", text[at], 0, (1, 1), (0, 5), 0) for at in range(ROWS)]
    opened.upsert(chunks, {"vector": rows})
    return opened


def found(store, rows, written, *, query=0, form=None):
    """The documents that a pipeline finds for one of the rows, in another direction by a little."""
    asked = unit_rows(rows[query : query + 1] + 0.05)[0]
    coarse = (
        (lambda dimensions: form or projected_form(SPACE, fit([rows], SPACE, dimensions)))
        if form is not False
        else None
    )
    with store.snapshot() as version:
        context = Context("word3 word9", lambda: version, lambda *_: asked, coarse=coarse)
        ranked = run(parse_pipeline(written), context)
        return [(hit.chunk.document, hit.score) for hit in ranked.hits]


def test_two_stages_find_what_whole_vectors_find(store, rows):
    for query in range(0, 60, 6):
        exact = found(store, rows, "dense(10) >> top(10)", query=query)
        staged = found(store, rows, "coarse(60, dims=8) >> exact >> top(10)", query=query)
        assert [name for name, _ in staged] == [name for name, _ in exact]
        assert [score for _, score in staged] == pytest.approx([score for _, score in exact], rel=1e-5)


def test_coarse_alone_ranks_by_its_own_scores(store, rows):
    alone = found(store, rows, "coarse(10, dims=2) >> top(10)")
    assert alone != found(store, rows, "dense(10) >> top(10)")
    assert [score for _, score in alone] == sorted((score for _, score in alone), reverse=True)


def test_words_join_behind_exact_scores(store, rows):
    joined = "coarse(400, dims=2) | lexical(50) >> exact >> convex(0.75) >> top(10)"
    whole = "dense(400) | lexical(50) >> convex(0.75) >> top(10)"
    staged, exact = found(store, rows, joined), found(store, rows, whole)
    assert [name for name, _ in staged] == [name for name, _ in exact]


def test_what_only_words_found_has_its_exact_score_too(store, rows):
    staged = dict(found(store, rows, "coarse(20, dims=8) | lexical(400) >> exact >> zscore(0.99) >> top(60)"))
    exact = [name for name, _ in found(store, rows, "dense(30) >> top(30)")]
    both = [name for name in exact if name in staged]
    order = sorted(both, key=lambda name: -staged[name])
    assert len(both) >= 15 and order[:5] == both[:5]


def test_only_dimensions_that_a_model_was_trained_for():
    trained = ModelCard(id="a/b", dimensions=32, matryoshka=(8, 32))
    form = trained_form(SPACE, trained, 8)
    assert form.space.dimensions == 8 and form.space.transform == "matryoshka"
    assert trained_form(SPACE, trained, 7) is None and trained_form(SPACE, None, 8) is None


def test_the_space_of_a_pca_has_its_digest(rows):
    ours, other = (projected_form(SPACE, fit([of], SPACE, 8)).space for of in (rows, rows[:200]))
    assert ours.transform.startswith("pca-8:") and ours.digest != other.digest != SPACE.digest


def test_where_there_are_no_coarse_vectors(store, rows):
    with pytest.raises(UsageError, match="several sets have no coarse vectors in common"):
        found(store, rows, "coarse(10) >> exact >> top(3)", form=False)


@pytest.mark.parametrize("written", ["dense(10) >> exact >> top(3)", "lexical(10) >> exact >> top(3)"])
def test_exact_needs_something_coarse(written):
    with pytest.raises(UsageError, match="no arm is coarse"):
        parse_pipeline(written)
