"""Generations whose vectors are made of those that are stored: no text is embedded for them."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

import embassay
from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.providers.hash import HashEmbedder
from embassay.errors import HomeCorrupt, UsageError
from embassay.home import Home
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from embassay.sets.followers import behind
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.switching import rollback, switch
from embassay.sets.migration.target import MigrationTarget
from embassay.stores.values import VECTOR
from embassay.vectors import cosines
from tests.servers import Swappable, serving

TEXTS = [f"Text {i} says how key {i % 7} and lock {i % 5} are rotated in house {i}." for i in range(60)]


@pytest.fixture
def embedded(monkeypatch):
    """Every text that the model was asked for as a document, canaries left out."""
    from embassay.canaries import CANARY_TEXTS

    found = []
    plain = HashEmbedder.stream

    def counted(self, texts, role, on_long="truncate"):
        texts = list(texts)
        found.extend(text for text in texts if role == "document" and text not in CANARY_TEXTS)
        return plain(self, texts, role, on_long)

    monkeypatch.setattr(HashEmbedder, "stream", counted)
    return found


@pytest.fixture
def home(tmp_path, embedded):
    with embassay.open(tmp_path / ".embassay") as home:
        home.set("docs").upsert([{"id": str(i), "text": text} for i, text in enumerate(TEXTS)], model="hash/64")
        embedded.clear()
        yield home


def moved(home, **how):
    sets = home._sets
    begin(sets, "docs", MigrationTarget.of(how.pop("model", None), **how))
    assert run(sets, "docs").state == "ready"
    return switch(sets, "docs")


def stored(home, generation):
    with closing(home._sets.folder.store(generation)) as store, store.snapshot() as version:
        return {
            chunk.document: row for chunks, by in version.scan() for chunk, row in zip(chunks, by[VECTOR], strict=True)
        }


@pytest.mark.parametrize(
    ("how", "space"),
    [
        ({"pca": 16}, ":16+pca-16:"),
        ({"dtype": "float16"}, ":64"),
        ({"dtype": "int8"}, ":64"),
        ({"pca": 16, "dtype": "int8"}, ":16+pca-16:"),
        ({"model": "hash/64", "dtype": "float16"}, ":64"),
    ],
)
def test_a_set_is_derived_written_and_taken_back(home, embedded, how, space):
    done, docs = moved(home, **how), home.set("docs")
    assert embedded == [], "nothing is embedded but canaries"
    assert space in str(done.now.space) and done.now.spec.dtype == how.get("dtype", "float32")
    assert behind(home._sets.state, done.was, done.now) == 0
    assert docs.search(TEXTS[7], k=1, mode="dense").hits[0].chunk.document == "7"
    docs.upsert([{"id": "new", "text": "A word of elephants."}])
    assert embedded.count("A word of elephants.") >= 1
    assert docs.search("A word of elephants.", k=1, mode="dense").hits[0].chunk.document == "new"
    back = rollback(home._sets, "docs")
    assert back.now == done.was
    assert docs.search("A word of elephants.", k=1, mode="dense").hits[0].chunk.document == "new"


def test_heads_of_matryoshka_vectors_are_cut_from_those_that_are_stored(tmp_path):
    """Of a served model whose card says that it was trained to be cut, behind a layer normalisation."""
    service = Swappable(768)
    with serving(service) as server:
        model = {"provider": "openai", "model_id": "nomic-ai/nomic-embed-text-v1.5", "base_url": server.url}
        embeddings = EmbeddingsConfig(models={"served": {**model, "cache_enabled": False}}, default_model="served")
        with Session(Config(embeddings=embeddings)) as session, Home(HomeFolder(tmp_path / "h"), session) as home:
            docs = home.set("docs")
            docs.upsert([{"id": str(i), "text": text} for i, text in enumerate(TEXTS)])
            for dimensions in (256, 64):  # the second time from heads that were cut already
                begin(home._sets, "docs", MigrationTarget.of(None, truncate_dim=dimensions))
                before = service.requests
                assert run(home._sets, "docs").state == "ready"
                assert service.requests == before, "nothing is embedded"
                done = switch(home._sets, "docs")
                assert f":{dimensions}+layer-norm+matryoshka" in str(done.now.space)
                docs.upsert([{"id": "again", "text": TEXTS[5]}])
                rows = stored(home, done.now)
                assert float(cosines(rows["5"][None], rows["again"][None])[0]) > 0.9999
            with pytest.raises(UsageError, match="cannot be made of those"):
                begin(home._sets, "docs", MigrationTarget.of(None, truncate_dim=512))


def test_a_derived_set_is_searched_by_another_process(home, tmp_path):
    moved(home, pca=12)
    with embassay.open(tmp_path / ".embassay") as again:
        found = again.set("docs").search(TEXTS[3], k=1, mode="dense").hits[0]
        assert found.chunk.document == "3" and found.score == pytest.approx(1, abs=1e-3)


def test_derived_vectors_are_what_the_model_makes_now(home):
    """Of a document that was derived, and of the same text that is embedded afterwards."""
    done = moved(home, pca=12)
    home.set("docs").upsert([{"id": "again", "text": TEXTS[5]}])
    rows = stored(home, done.now)
    assert float(cosines(rows["5"][None], rows["again"][None])[0]) > 0.9999
    assert np.allclose([np.linalg.norm(row) for row in rows.values()], 1, atol=1e-4)


def test_writes_reach_a_derived_generation_without_its_model(home, embedded):
    sets = home._sets
    begin(sets, "docs", MigrationTarget.of(None, pca=12))
    run(sets, "docs")
    home.set("docs").upsert([{"id": "new", "text": "A word of elephants."}])
    assert embedded == ["A word of elephants."], "once, for the live generation"
    done = switch(sets, "docs")
    assert "new" in stored(home, done.now) and done.words_only == 0


def test_a_reduced_set_can_be_kept_in_fewer_bytes(home, embedded):
    first = moved(home, pca=12)
    second = moved(home, dtype="int8")
    assert embedded == [] and second.now.space == first.now.space
    assert (second.now.spec.pca, second.now.spec.dtype) == (12, "int8")
    assert home.set("docs").search(TEXTS[9], k=1, mode="dense").hits[0].chunk.document == "9"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"pca": 64}, "64 were asked for"),
        ({"pca": 61, "model": "hash/64"}, "more vectors than that; here are 60"),
        ({"pca": 8, "model": "hash/96"}, "as its model makes them"),
        ({"dtype": "float32"}, "already"),
        ({"dtype": "float8"}, "Did you mean|float16"),
        ({"pca": 8, "truncate_dim": 8}, "either cut"),
        ({}, "not said where"),
    ],
)
def test_what_cannot_be_derived_is_refused_before_anything_is_made(home, how, message):
    with pytest.raises(UsageError, match=message):
        begin(home._sets, "docs", MigrationTarget.of(how.pop("model", None), **how))
    assert home._sets.state.set("docs").building is None


def test_a_reduced_set_is_not_reduced_again(home):
    moved(home, pca=12)
    with pytest.raises(UsageError, match="as its model makes them"):
        begin(home._sets, "docs", MigrationTarget.of(None, pca=6))


def test_a_projection_that_was_changed_by_hand_is_noticed(home, tmp_path):
    import sqlite3

    moved(home, pca=12)
    with closing(sqlite3.connect(tmp_path / ".embassay" / "state.db")) as db, db:
        db.execute("UPDATE projections SET normalised = 1 - normalised")
    with embassay.open(tmp_path / ".embassay") as again, pytest.raises(HomeCorrupt, match="changed by hand"):
        again.set("docs").search(TEXTS[0], k=1, mode="dense")
