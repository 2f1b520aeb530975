"""What a hosted model is: its settings and its space."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest

from embassay.catalog.card import ModelCard
from embassay.config.reading import checked
from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.providers.http import Settings as HttpService
from embassay.embedders.providers.http import open_api as open_service
from embassay.embedders.providers.openai import Settings, open_api
from embassay.errors import ConfigError, EmbassayError
from embassay.models.provider import load_provider
from tests.embedders.http.services import GOOD, model
from tests.servers import serving

CARD = ModelCard(id="ours/m", provider_ids={"http": "m"}, dimensions=4)


def test_what_changes_the_vector_is_part_of_the_space():
    with serving(GOOD) as server:
        base = {"base_url": server.url, "model_id": "m", "dimensions": 64}
        spaces = [
            HttpEmbedder(open_service(HttpService(**base, **more), None)).space
            for more in ({}, {"path": "/e5"}, {"extra_body": {"task": "x"}})
        ]
        spaces += [
            model(server, dimensions=64, **more).space
            for more in ({}, {"extra_body": {"task": "x"}}, {"headers": {"X-Route": "b"}})
        ]
        assert len(set(spaces)) == 6
        assert (
            model(server, dimensions=64, headers={"X-Api-Key": "a"}).space
            == model(server, dimensions=64, headers={"X-Api-Key": "b"}).space
        )


def space_of(**settings):
    return model(SimpleNamespace(url="http://127.0.0.1:9"), dimensions=64, **settings).space


def test_a_header_that_may_choose_a_model_is_part_of_the_space():
    """A name that looks secret says nothing of what the header does."""
    headers = [{}, {"X-Model-Token": "a"}, {"X-Model-Token": "b"}, {"X-Secret-Variant": "b"}, {"X-Route": "a"}]
    assert len({space_of(headers=one) for one in headers}) == 5


@pytest.mark.parametrize(
    "name", ["Authorization", "proxy-authorization", "API-Key", "x-api-key", "X_Api_Key", "Cookie", "x-goog-api-key"]
)
def test_a_credential_is_rotated_without_another_space(name):
    assert space_of(headers={name: "a"}) == space_of(headers={name: "b"}) == space_of()
    assert space_of(api_key="a") == space_of(api_key="b") == space_of()


def test_a_credential_of_another_name_is_named():
    headers = [{"X-Gate": "a"}, {"x-gate": "b"}]
    assert len({space_of(headers=one) for one in headers}) == 2
    assert len({space_of(headers=one, rotating_headers=["x-gate"]) for one in headers}) == 1


def test_a_header_counts_with_the_value_that_is_sent(monkeypatch):
    spaces = set()
    for value in ("a", "b"):
        monkeypatch.setenv("VARIANT", value)
        spaces.add(space_of(headers={"X-Variant": "${VARIANT}"}))
        assert space_of(headers={"X-Variant": value}) in spaces
    assert len(spaces) == 2
    monkeypatch.delenv("VARIANT")
    with pytest.raises(ConfigError, match=r"header X-Variant refers to .*VARIANT"):
        space_of(headers={"X-Variant": "${VARIANT}"})


def test_the_parts_of_a_service_are_told_apart():
    """Spaces within them, a key of the reply, and what JSON would look like."""
    parts = [
        {},
        {"response_key": "other"},
        {"path": "/a b", "request_key": "c"},
        {"path": "/a", "request_key": "b c"},
        {"path": "/encode texts", "request_key": ""},
        {"path": '["/a",', "request_key": '"b",', "role_key": '"c"]'},
        {"path": "/a", "request_key": "b", "role_key": "c"},
    ]
    made = [
        HttpEmbedder(open_service(HttpService(base_url="http://127.0.0.1:9", model_id="m", **one), CARD))
        for one in parts
    ]
    assert len({one.space for one in made}) == len(parts)


def test_digests_of_sets_that_were_paid_for_stay():
    """Each is of a set that an earlier version made: another one would ask for all of its vectors again."""
    service = HttpEmbedder(open_service(HttpService(base_url="http://127.0.0.1:9", model_id="m"), CARD))
    assert service.space.weights == "hosted:127.0.0.1:9+bece11ba"
    assert space_of().weights == "hosted:127.0.0.1:9/v1"
    assert space_of(headers={"X-Route": "b"}, extra_body={"task": "x"}).weights == "hosted:127.0.0.1:9/v1+57d3f1c2"


DOT = msgspec.structs.replace(CARD, similarity="dot")


def test_how_vectors_are_compared_is_said_by_settings_then_by_the_card():
    def similarity(card, **settings):
        made = HttpEmbedder(open_service(HttpService(base_url="http://127.0.0.1:9", model_id="m", **settings), card))
        return made.space.similarity

    assert similarity(CARD) == similarity(None, dimensions=4) == "cosine"
    assert similarity(DOT) == similarity(CARD, similarity="dot") == "dot"
    assert similarity(DOT, similarity="cosine") == "cosine"
    unit = msgspec.structs.replace(DOT, normalised=True)
    assert similarity(unit) == "cosine", "of vectors of length 1 the dot product is the cosine"
    with pytest.raises(EmbassayError, match="similarity"):
        checked({"provider": "http", "base_url": "http://127.0.0.1:9", "similarity": "l2"}, HttpService, "test")


@pytest.mark.parametrize("name", ["google", "jina", "ollama"])
def test_a_service_that_gives_length_1_is_refused_where_lengths_count(name):
    module = load_provider(name).module
    with pytest.raises(ConfigError, match=r"gives vectors of length 1, and those of m are compared by dot product"):
        HttpEmbedder(module.open_api(module.Settings(model_id="m"), DOT))
    assert HttpEmbedder(module.open_api(module.Settings(model_id="m", similarity="cosine"), DOT))


@pytest.mark.parametrize("name", ["tei", "huggingface"])
def test_a_service_is_asked_for_lengths_where_they_count(name):
    module = load_provider(name).module
    for card, asked in ((CARD, True), (DOT, False)):
        api = module.open_api(module.Settings(model_id="m", base_url="http://127.0.0.1:9"), card)
        assert api.request(["a"], "query").body["normalize"] is asked and api.normalises is asked


def test_settings_that_cannot_be():
    for wrong in (
        {"concurrency": 0},
        {"batch_size": -1},
        {"max_tokens": -5},
        {"timeout": "0s"},
        {"usd_per_million_tokens": -1},
    ):
        with pytest.raises(EmbassayError):
            checked({"provider": "openai", "model_id": "m", **wrong}, Settings, "test")
    with pytest.raises(EmbassayError, match="needs a model_id"):
        HttpEmbedder(open_api(Settings(), None))
