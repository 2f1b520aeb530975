"""An address that leads to no service is answered with what to change."""

from __future__ import annotations

import pytest

from embassay.embedders.http.destination import meant
from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.providers import ollama, openai
from embassay.errors import BadReply, ProviderError, RequestRefused
from tests.embedders.http.services import GOOD, TEXTS
from tests.servers import Answer, Received, Server, serving


def elsewhere(answer: Answer):
    """A server whose embeddings are at ``/v1/embeddings`` alone."""
    return lambda request: GOOD(request) if request.path == "/v1/embeddings" else answer


def at(server: Server, path: str) -> HttpEmbedder:
    return HttpEmbedder(openai.open_api(openai.Settings(model_id="m", base_url=server.url + path, retries=0), None))


NOT_HERE = {
    "404": Answer({"error": {"message": "Not Found"}}, 404),
    "404 in plain text": Answer(b"404 page not found", 404),
    "405": Answer({"detail": "Method Not Allowed"}, 405),
    "200 with an error": Answer({"error": "Unexpected endpoint or method. (POST /embeddings)"}),
    "200 with a page": Answer(b"<!doctype html><html><head><title>Chat</title></head></html>"),
    "200 with nothing": Answer(b""),
}


@pytest.mark.parametrize("path", ["", "/", "/v1/embeddings", "/v1/embeddings/"])
@pytest.mark.parametrize("name", NOT_HERE)
def test_a_base_url_that_leads_nowhere(name, path):
    with serving(elsewhere(NOT_HERE[name])) as server:
        with pytest.raises(ProviderError) as caught:
            at(server, path).embed(TEXTS, "document")
        assert str(caught.value.remedy) == f"Try base_url: {server.url}/v1."
        assert at(server, "/v1").embed(TEXTS, "document").vectors.any()


def test_a_model_that_is_not_there_is_no_matter_of_the_address():
    with serving(lambda request: Answer({"error": {"message": "The model `m` does not exist"}}, 404)) as server:
        with pytest.raises(RequestRefused, match=r"`m` does not exist. Check model_id and base_url"):
            at(server, "/v1").embed(TEXTS, "document")


def test_an_address_that_has_answered_is_right():
    with serving(GOOD) as server:
        embedder = at(server, "/api")
        embedder.embed(TEXTS, "document")
        server.handle = lambda request: Answer(b"", 404)
        with pytest.raises(RequestRefused) as caught:
            embedder.embed(TEXTS, "document")
    assert "/v1" not in str(caught.value)


def test_a_login_is_no_address_of_a_service():
    with serving(lambda request: Answer(b"", 302, {"Location": "https://sso.example/login?next=/v1"})) as server:
        with pytest.raises(RequestRefused, match=r"redirects to https://sso.example/login.*where people log in"):
            at(server, "/v1").embed(TEXTS, "document")


def test_the_native_address_of_a_server_that_is_taken_for_a_compatible_one():
    """``/embeddings`` without ``/v1`` gives a bare list of nested vectors there."""
    from embassay.embedders.providers.hash import hashed

    def native(request: Received) -> Answer:
        made = hashed(request.json["input"], 64)
        return Answer([{"index": i, "embedding": [v.tolist()]} for i, v in enumerate(made)])

    with serving(native) as server:
        made = at(server, "").embed(TEXTS, "document")
    assert abs(made.vectors - hashed(TEXTS, 64)).max() < 1e-6


def test_a_compatible_address_that_is_given_to_a_native_provider():
    def native(request: Received) -> Answer:
        return Answer(b"404 page not found", 404)

    with serving(native) as server:
        api = ollama.open_api(ollama.Settings(model_id="m", base_url=f"{server.url}/v1", retries=0), None)
        with pytest.raises(RequestRefused) as caught:
            HttpEmbedder(api).embed(TEXTS, "document")
    assert str(caught.value.remedy) == f"Try base_url: {server.url}."


@pytest.mark.parametrize(
    ("base", "path", "ending", "found"),
    [
        ("http://h:1", "/embeddings", "/v1", "http://h:1/v1"),
        ("http://h:1?key=k", "/embeddings", "/v1", "http://h:1/v1?key=k"),
        ("http://h:1/v1/embeddings", "/embeddings", "/v1", "http://h:1/v1"),
        ("http://h:1/v1", "/embeddings", "/v1", ""),
        ("http://h:1/api/v3", "/embeddings", "/v1", ""),
        ("http://h:1/v1", "/api/embed", "", "http://h:1"),
        ("http://h:1/api/embed", "/api/embed", "", "http://h:1"),
        ("http://h:1", "/embed", "", ""),
    ],
)
def test_what_was_probably_meant(base, path, ending, found):
    assert meant(base, path, ending) == found


def test_a_password_of_the_address_is_not_shown():
    with serving(elsewhere(NOT_HERE["404"])) as server:
        url = server.url.replace("//", "//me:secret-word@")
        embedder = HttpEmbedder(openai.open_api(openai.Settings(model_id="m", base_url=url, retries=0), None))
        with pytest.raises((RequestRefused, BadReply)) as caught:
            embedder.embed(TEXTS, "document")
    assert "secret-word" not in str(caught.value) and "/v1" in str(caught.value.remedy)
