"""Addresses, keys and proxies: what cannot work is a named error, and no secret is ever repeated."""

from __future__ import annotations

import pytest

from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.providers.openai import Settings, open_api
from embassay.errors import (
    EmbassayError,
    KeyRejected,
)
from tests.embedders.http.services import model
from tests.servers import Answer, Received, serving


def test_a_key_is_never_repeated(caplog):
    def echo(request: Received) -> Answer:
        return Answer({"error": {"message": f"Incorrect API key provided: {request.headers['authorization']}"}}, 401)

    with serving(echo) as server, pytest.raises(KeyRejected) as caught, caplog.at_level("DEBUG"):
        model(server, api_key="sk-secret-123").embed(["a"], "query")
    assert "secret" not in str(caught.value)
    assert "secret" not in caplog.text
    assert "secret" not in repr(caught.value.__context__)


SECRETS = {
    "JSON escaped": lambda key, r: Answer(
        ('{"error": {"message": "bad key ' + key.replace("/", "\\/") + '"}}').encode(), 401
    ),
    "HTML page": lambda key, r: Answer(f"<title>denied {key}</title>".encode(), 403),
    "cut in the middle": lambda key, r: Answer(f"{'x' * 70}{key}".encode()),
    "redirect": lambda key, r: Answer(b"", 302, {"Location": f"https://u:{key}@elsewhere/"}),
    "a header": lambda key, r: Answer({"error": r.headers["x-extra"]}, 400),
}


@pytest.mark.parametrize("name", SECRETS)
def test_no_way_to_see_a_secret(name):
    key = "sk-abc/def/ghijklmnop"
    with serving(lambda r: SECRETS[name](key, r)) as server, pytest.raises(EmbassayError) as caught:
        model(server, api_key=key, headers={"X-Extra": "token-98765"}, retries=0).embed(["a"], "query")
    assert "ghijkl" not in str(caught.value)
    assert "98765" not in str(caught.value)


ODD = {
    "a port beyond": "http://localhost:99999",
    "an empty label": "http://a..b/v1",
    "a password in it": "http://user:PASSWORD-1@local host/v1",
    "no host": "http:///v1",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_addresses_are_named_errors(name):
    with pytest.raises(EmbassayError) as caught:
        HttpEmbedder(open_api(Settings(model_id="m", base_url=ODD[name], retries=0), None)).embed(["a"], "query")
    assert "PASSWORD-1" not in str(caught.value)


def test_a_wrong_address_says_so():
    for url in ("not an address", "ftp://127.0.0.1/", "http://127.0.0.1:1"):
        with pytest.raises(EmbassayError):
            HttpEmbedder(open_api(Settings(model_id="m", base_url=url, retries=0), None)).embed(["a"], "query")


def test_a_proxy_that_cannot_be_used(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "strange://127.0.0.1:1")
    with pytest.raises(EmbassayError, match="no request can be made"):
        HttpEmbedder(open_api(Settings(model_id="m", base_url="http://127.0.0.1:9", retries=0), None)).embed(
            ["a"], "query"
        )
