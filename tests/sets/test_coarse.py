"""Coarse vectors of sets: refused where a model was not trained for them, unless a PCA was fitted."""

import random

import pytest

import embassay
from embassay.errors import HomeCorrupt, UsageError
from embassay.search.modes import two_stage

WORDS = [f"word{at}" for at in range(60)]


@pytest.fixture
def home(tmp_path):
    made = random.Random(2)
    with embassay.open(tmp_path / ".embassay") as opened:
        texts = [" ".join(made.choices(WORDS, k=9)) for _ in range(90)]
        opened.set("words").upsert([{"id": f"d{at}", "text": text} for at, text in enumerate(texts)], model="hash/64")
        yield opened


def test_two_stages_of_a_set(home, tmp_path):
    with pytest.raises(UsageError, match=r"not trained to be cut to 32 dimensions.*0\.600.*0\.632") as refused:
        home.search("word1 word2", set="words", pipeline=two_stage(5, 32))
    assert "compress --set words --coarse 32" in refused.value.remedy.in_shell()
    space = home.set("words").fit_coarse(32)
    assert space.dimensions == 32 and space.transform.startswith("pca-32:")
    exact = home.search("word1 word2", set="words", mode="dense")
    found = home.search("word1 word2", set="words", pipeline=two_stage(10, 32, 60))
    assert str(found.pipeline) == "coarse(60, dims=32) >> exact >> top(10)"
    shared = {hit.chunk.document for hit in found.hits} & {hit.chunk.document for hit in exact.hits}
    assert len(shared) >= 9
    best = {hit.chunk.document: hit.score for hit in exact.hits}
    assert all(hit.score == pytest.approx(best[hit.chunk.document], abs=1e-5) for hit in found.hits[:3])
    assert home.set("words").fit_coarse(32) == space, "fitted again to the same rows"
    with embassay.open(tmp_path / ".embassay") as again:
        assert len(again.search("word1", set="words", pipeline=two_stage(4, 32)).hits) == 4


def test_what_is_written_later_is_found(home):
    home.set("words").fit_coarse(32)
    home.search("zebra", set="words", pipeline=two_stage(3, 32))
    home.set("words").upsert([{"id": "late", "text": "zebra crossing zebra"}])
    found = home.search("zebra crossing zebra", set="words", pipeline=two_stage(3, 32))
    assert found.hits[0].chunk.document == "late"
    home.set("words").delete(["late"])
    found = home.search("zebra crossing zebra", set="words", pipeline=two_stage(3, 32))
    assert "late" not in {hit.chunk.document for hit in found.hits}


@pytest.mark.parametrize("dimensions", [0, 64, 100])
def test_dimensions_that_cannot_be(home, dimensions):
    with pytest.raises(UsageError, match=f"from 1 to 63 dimensions, not {dimensions}"):
        home.set("words").fit_coarse(dimensions)


def test_a_new_generation_has_none_of_the_old_one(home):
    home.set("words").fit_coarse(32)
    home.set("words").migrate("hash/128")
    home.set("words").switch()
    with pytest.raises(UsageError, match="compress"):
        home.search("word1", set="words", pipeline=two_stage(3, 32))
    home.set("words").rollback()
    assert home.search("word1", set="words", pipeline=two_stage(3, 32)).hits


def test_a_projection_that_was_changed_by_hand(home):
    import sqlite3
    from contextlib import closing

    home.set("words").fit_coarse(32)
    with closing(sqlite3.connect(home.folder / "state.db")) as db:
        db.execute("UPDATE coarse_projections SET normalised = 1 - normalised")
        db.commit()
    with pytest.raises(HomeCorrupt):
        home.search("word1", set="words", pipeline=two_stage(3, 32))
