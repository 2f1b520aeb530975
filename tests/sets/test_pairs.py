"""Documents by one model, and queries by another: a service with several models is played by a local server."""

from contextlib import contextmanager

import numpy as np
import pytest

import embassay
from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.providers.hash import hashed
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import SpaceMismatch
from embassay.session import Session
from tests.servers import Answer, openai_body, serving
from tests.tiny import CASES, write_model

LARGE, LITE, LAW = "voyage-4-large", "voyage-4-lite", "voyage-law-2"


class Family:
    """Models of one space: the small one puts a text near to where the large one does, and not quite there."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, list[str]]] = []
        self.lost = ""
        """Put before what the small model reads: then it is of another space."""

    def __call__(self, request):
        body = request.json
        self.asked.append((body["model"], body["input_type"], body["input"]))
        vectors = hashed(body["input"], body.get("output_dimension") or 1024)
        if body["model"] != LARGE:
            vectors = hashed([self.lost + text for text in body["input"]], vectors.shape[1]) + 0.5 * hashed(
                [f"{body['model']} {text}" for text in body["input"]], vectors.shape[1]
            )
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        tokens = sum(EstimatedTokens(512).count(body["input"]))
        return Answer(openai_body(vectors, base64=True, tokens=tokens))

    def models(self, role, text):
        return [model for model, of, texts in self.asked if of == role and text in texts]


@contextmanager
def opened(folder, server, **more):
    url = {"provider": "voyage", "base_url": f"{server.url}/v1", "api_key": "k", "retries": 0}
    models = {name: {**url, "model_id": of} for name, of in (("large", LARGE), ("lite", LITE), ("law", LAW))}
    config = Config(embeddings=EmbeddingsConfig(models=models | more))
    with Session(config, cache_file=folder / "cache.db") as session:
        yield embassay.open(folder / ".embassay", session=session)


@pytest.fixture
def family():
    return Family()


@pytest.fixture
def home(tmp_path, family):
    with serving(family) as server, opened(tmp_path, server) as made:
        texts = ["how to rotate a key", "the cat sleeps all day", "tea is brewed with water"]
        made.set("docs").add([{"id": str(at), "text": text} for at, text in enumerate(texts)], model="large")
        yield made


def test_another_model_of_the_space_makes_the_vector_of_the_query(home, family):
    found = home.search("the cat sleeps all day", set="docs", mode="dense", query_model="lite")
    assert found.hits[0].chunk.document == "1" and not found.notices
    assert family.models("query", "the cat sleeps all day") == [LITE], "the model of the set was not asked"
    assert found.query_space.model != found.space.model and found.answered is None
    assert found.to_dict()["query_space"] == str(found.query_space)
    assert home.search("the cat", set="docs", mode="dense").to_dict()["query_space"] is None
    asked = len(family.asked)
    assert home.search("tea is brewed with water", set="docs", query_model="lite").hits[0].chunk.document == "2"
    assert len(family.asked) - asked == 1, "it was proven before"


def test_sets_of_fewer_dimensions_are_asked_in_as_many(home, family):
    home.set("small").add([{"id": "1", "text": "the cat sleeps all day"}], model="large@dims=256")
    found = home.search("the cat sleeps all day", set="small", mode="dense", query_model="lite")
    assert found.query_space.dimensions == 256 and found.hits[0].score > 0.8
    with pytest.raises(SpaceMismatch, match="their dimensions differ: 256 and 512"):
        home.search("the cat", set="small", query_model="lite@dims=512")


def test_the_word_of_the_catalog_is_proven_by_texts_that_are_known(home, family):
    family.lost = "somewhere else: "
    with pytest.raises(SpaceMismatch, match="texts that are known do not find themselves") as refused:
        home.search("the cat sleeps all day", set="docs", query_model="lite")
    assert LITE in str(refused.value) and LARGE in str(refused.value)


def test_a_model_of_another_space_is_refused_with_both_spaces_named(home, family, tmp_path):
    local = str(write_model(tmp_path / "local", CASES["bert"]))
    for other in ("law", local):
        with pytest.raises(SpaceMismatch, match="no card says that the two share a space") as refused:
            home.search("the cat", set="docs", query_model=other)
        assert "set 'docs' holds vectors of voyage-4-large@" in str(refused.value)
        assert not home.search("the cat", set="docs", mode="lexical", query_model="lite").query_space
    home.set("own").add([{"id": "1", "text": "a cat"}], model=local)
    assert home.search("a cat", set="own", query_model=local).query_space is None, "the model of the set is no other"
    with pytest.raises(SpaceMismatch, match="no card says"):
        home.search("a cat", set="own", query_model="lite")


def test_a_search_goes_on_by_words_where_the_query_model_is_down(tmp_path, family):
    with serving(family) as server, opened(tmp_path, server) as made:
        made.set("docs").add([{"id": "1", "text": "the cat sleeps"}], model="large")
    down = {"provider": "voyage", "base_url": "http://127.0.0.1:9/v1", "api_key": "k", "retries": 0, "model_id": LITE}
    with serving(family) as server, opened(tmp_path, server, lite=down) as made:
        found = made.search("the cat", set="docs", query_model="lite")
        assert len(found.hits) == 1 and "Searched by words only" in found.notices[0]
