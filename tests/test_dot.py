"""A model that was made for the dot product, from its settings to a verdict, against the exact definition.

It is a service on loopback whose vectors point to the words of a text and have lengths from a tenth to ten: cosine and dot
product rank quite differently.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

import embassay
from embassay.canaries import CANARY_TEXTS
from embassay.embedders.http.identity import Identity
from embassay.errors import SpaceMismatch, StoreError
from embassay.evaluate.compare.opening import Options, compare
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.evaluation import evaluate
from embassay.models.registry import Registry
from embassay.search.modes import pipeline
from embassay.sets import generation_rows, state
from embassay.stores.backends import lance
from embassay.stores.hot import store as hot_store
from embassay.stores.opening import exact_store, temporary_stores
from embassay.stores.values import VECTOR, Capabilities
from embassay.types import Document
from tests.embedders.fakes import lengthened
from tests.servers import Answer, serving
from tests.sets.indexed import opened
from tests.tiny import write_onnx

WORDS = "key rotate proxy server index vector search cache token model query document chunk space graph layer".split()
DIRECTIONS = dict(zip(WORDS, np.random.default_rng(5).normal(size=(len(WORDS), 24)), strict=True))
QUERIES = ["rotate key", "proxy server cache", "vector search index", "graph layer", "token model query"]


def vectors_of(texts):
    """float32 (len(texts), 24): sums of the directions of words, of a length that the whole text decides."""
    rows = np.array([np.sum([DIRECTIONS.get(w, 0.1) * np.ones(24) for w in re.findall(r"\w+", t)], 0) for t in texts])
    return lengthened(texts, rows / np.linalg.norm(rows, axis=1, keepdims=True))


@contextmanager
def configured(folder, **settings):
    """A folder whose configuration names the service ``ours``; yields the texts that it received."""
    received = []

    def handle(request):
        texts = request.json["texts"]
        received.extend(texts)
        return Answer({"embeddings": vectors_of(texts).tolist()})

    with serving(handle) as server:
        ours = {"provider": "http", "base_url": server.url, "model_id": "m", "similarity": "dot", "max_tokens": 400}
        models = {"ours": ours | settings, "as-cosine": ours | {"similarity": "cosine"}}
        (folder / "embassay.yaml").write_text(json.dumps({"embeddings": {"models": models}}))
        yield received


@pytest.fixture
def project(tmp_path, monkeypatch):
    """400 short files of the words above, each with a length of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "docs").mkdir()
    for n, text in enumerate(sample_texts(400)):
        (tmp_path / "docs" / f"n{n}.txt").write_text(text)
    return tmp_path


def sample_texts(count):
    rng = np.random.default_rng(1)
    return [f"{' '.join(rng.choice(WORDS, size=4))} {n}" for n in range(count)]


def of_documents(received):
    """Those of the texts that are documents: all of them end with their number."""
    return [text for text in received if text[-1].isdigit() and text not in CANARY_TEXTS]


def stored(home):
    """Text and vector of every row."""
    with opened(home, "s") as (_, generation, store), store.snapshot() as version:
        blocks = list(version.scan())
        texts = [chunk.indexed for chunks, _ in blocks for chunk in chunks]
        return generation.space, texts, np.concatenate([rows[VECTOR] for _, rows in blocks]), version.stats()


def local_model(folder):
    """A model on the local engine: vectors of tokens whose lengths lie between a tenth and ten, and their mean."""
    import onnx
    from onnx import numpy_helper

    file = write_onnx(folder) / "onnx/model.onnx"
    model = onnx.load(file)
    table = numpy_helper.to_array(model.graph.initializer[0])
    lengths = np.power(10, np.random.default_rng(3).uniform(-1, 1, (len(table), 1)))
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array((table * lengths).astype(np.float32), "table"))
    onnx.save(model, file)
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([m for m in modules if not m["type"].endswith("Normalize")]))
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"similarity_fn_name": "dot"}))
    return str(folder)


@pytest.mark.parametrize("indexed", [False, True], ids=["exact", "with an index"])
@pytest.mark.parametrize("kind", ["hosted", "local"])
def test_a_set_is_stored_and_searched_by_dot_product(project, monkeypatch, kind, indexed):
    if indexed:
        small = lambda folder: lance.LanceSettings(folder / "vectors", exact_bytes=1, min_fold=1)  # noqa: E731
        monkeypatch.setattr(lance, "settings_in", small)
        monkeypatch.setattr(hot_store, "MOST_ROWS", 0)
    with configured(project), embassay.open() as home:
        name = "ours" if kind == "hosted" else local_model(project / "model")
        home.index(["docs"], set="s", model=name)
        space, texts, rows, stats = stored(home)
        assert (space.similarity, space.normalised) == ("dot", False)
        model = home.session.models.get(name)
        assert stats.unindexed.get("dense") == (0 if indexed else None)
        made = model.embed(texts, "document").vectors
        assert np.allclose(rows, made, rtol=1e-4, atol=1e-5), "the length belongs to the vector"
        assert np.linalg.norm(made, axis=1).max() > 3 * np.linalg.norm(made, axis=1).min()
        for query in QUERIES:
            (vector,) = model.embed([query], "query").vectors
            scores = rows @ vector
            best = np.argsort(-scores, kind="stable")[:10]
            found = home.search(query, set="s", mode="dense").hits
            assert [hit.chunk.indexed for hit in found] == [texts[at] for at in best]
            assert np.allclose([hit.arms["dense"].score for hit in found], scores[best], rtol=1e-4)
            by_cosine = np.argsort(-scores / np.linalg.norm(rows, axis=1), kind="stable")[:10]
            assert len(set(best) & set(by_cosine)) < 8, "the two rank differently"
        hybrid = home.search(QUERIES[0], set="s")
        assert hybrid.mode == "hybrid" and all(0 <= hit.score <= 1 for hit in hybrid.hits)
        assert home.doctor() == [], "lengths other than 1 are no finding here"


def test_an_index_of_one_kind_is_never_searched_with_the_other(project):
    with configured(project), embassay.open() as home:
        home.index(["docs"], set="s", model="as-cosine")
        space, texts, rows, _ = stored(home)
        assert space.similarity == "cosine" and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
    with configured(project) as received, embassay.open() as home:
        config = json.loads((project / "embassay.yaml").read_text())
        config["embeddings"]["models"]["as-cosine"]["similarity"] = "dot"
        (project / "embassay.yaml").write_text(json.dumps(config))
        with pytest.raises(embassay.EmbassayError):
            embassay.open().search(QUERIES[0], set="s", mode="dense")
        assert not set(received) & set(texts)


@contextmanager
def as_before():
    """Sets are written as by a version whose spaces did not say how vectors are compared, nor which headers are sent."""
    space = Identity.space

    def former(self, dimensions, said):
        whole = space(self, dimensions, said)
        weights = self._weights(replace(said, model=""), self._former_variant)
        return replace(whole.of_short_texts, weights=weights, similarity="cosine")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Identity, "space", former)
        for where in (generation_rows, state):  # a row is written in the one, and renewed in the other
            patch.setattr(where, "IDENTITY", 1)
        yield


def test_a_set_made_before_with_rows_of_length_1_is_not_searched_by_dot_product(project):
    with configured(project):
        with as_before(), embassay.open() as home:
            home.index(["docs"], set="s", model="ours")
        with embassay.open() as home, pytest.raises(SpaceMismatch, match=r"compared by cosine .* and dot"):
            home.search(QUERIES[0], set="s", mode="dense")
        with embassay.open() as home:
            home.index(["docs"], set="new", model="ours")
            assert home.search(QUERIES[0], set="new", mode="dense").space.similarity == "dot"


def test_a_set_made_before_its_headers_counted_is_moved_forward_without_embedding(project):
    settings = {"similarity": "cosine", "headers": {"X-Model-Token": "b"}, "cache_enabled": False}
    with configured(project, **settings) as received:
        with as_before(), embassay.open() as home:
            home.index(["docs"], set="s", model="ours")
            (before,) = [one.space_digest for one in home.status()]
        received.clear()
        with embassay.open() as home:
            assert home.search(QUERIES[0], set="s", mode="dense").hits
            assert [one.space_digest for one in home.status()] != [before]
        with embassay.open() as home:
            assert home.index(["docs"], set="s").embedded == 0
        assert len(of_documents(received)) <= 8, "a sample of rows is the proof"
    with configured(project, **settings | {"headers": {"X-Model-Token": "c"}}), embassay.open() as home:
        with pytest.raises(SpaceMismatch, match="weights are"):
            home.search(QUERIES[0], set="s", mode="dense")


def test_a_store_that_cannot_is_refused_before_anything_is_embedded(project, monkeypatch):
    monkeypatch.setattr(lance, "CAPABILITIES", Capabilities())
    with configured(project) as received, embassay.open() as home:
        with pytest.raises(StoreError, match="the store lance compares vectors by cosine, not by dot"):
            home.index(["docs"], set="s", model="ours")
        assert not of_documents(received)
        with Registry(home.session.models.config) as models, temporary_stores("lance", project / "t") as new_store:
            with pytest.raises(StoreError, match="not by dot"):
                new_store(24, models.get("ours").space.similarity)
            judged = judged_set()
            with pytest.raises(StoreError, match=r"compares vectors by cosine, and those of .* by dot"):
                evaluate(judged, models.get("ours"), exact_store(24), pipeline("dense"))
        assert not of_documents(received)


def judged_set():
    """For each query the documents that are nearest to it by dot product."""
    texts = sample_texts(300)
    documents = tuple(Document(f"d{n}", f"d{n}", text) for n, text in enumerate(texts))
    scores = vectors_of(QUERIES) @ vectors_of(texts).T
    qrels = {f"q{at}": {f"d{n}": 1 for n in np.argsort(-row)[:5]} for at, row in enumerate(scores)}
    return JudgedSet("made", documents, {f"q{at}": text for at, text in enumerate(QUERIES)}, qrels)


@pytest.mark.parametrize("name", ["memory", "lance", "lance with an index"])
def test_evaluation_and_comparison_rank_by_dot_product(project, monkeypatch, name):
    if "index" in name:
        small = lambda folder: lance.LanceSettings(folder / "vectors", exact_bytes=1, min_fold=1)  # noqa: E731
        monkeypatch.setattr(lance, "settings_in", small)
        monkeypatch.setattr(hot_store, "MOST_ROWS", 0)
    judged = judged_set()
    with configured(project), temporary_stores(name.split()[0], project / "t") as new_store:
        with Registry() as models:
            space = models.get("ours").space
            store = new_store(space.dimensions, space.similarity)
            found = evaluate(judged, models.get("ours"), store, pipeline("dense"), metrics=("nDCG@5", "R@5"))
            if "lance" in name:
                with store.snapshot() as version:
                    assert version.stats().unindexed.get("dense") == (0 if "index" in name else None)
        assert found.metrics["nDCG@5"] == found.metrics["R@5"] == 1.0 and found.space_digest == space.digest
        verdict = compare(["ours", "as-cosine"], judged, options=Options(new_store=new_store), metrics=("R@5",))
        assert verdict.rows[0].metrics["R@5"] == 1.0, verdict.rows[0].error
        assert verdict.rows[1].metrics["R@5"] < 0.7, verdict.rows[1].error
