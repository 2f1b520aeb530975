"""SigV4 recomputed step by step from its specification, for a model id whose colon is encoded twice."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote, urlsplit

import pytest

from embassay.embedders.providers.bedrock import Bedrock, Settings

pytest.importorskip("botocore", reason="needs the extra bedrock")


@pytest.mark.parametrize("token", ["", "session-token"])
def test_signature(monkeypatch, tmp_path, token):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    api = Bedrock(Settings(provider="bedrock", model_id="amazon.titan-embed-text-v2:0", region="eu-west-1"), None)
    body = b'{"inputText":"hi"}'
    url = api.base_url() + api.request(["hi"], "query").path
    sent = {name.lower(): value for name, value in api.sign(url, body, "").items()}

    path = urlsplit(url).path
    assert path == "/model/amazon.titan-embed-text-v2%3A0/invoke"
    given = {"content-type": "application/json", "host": urlsplit(url).netloc, "x-amz-date": sent["x-amz-date"]}
    if token:
        given["x-amz-security-token"] = sent["x-amz-security-token"]
        assert sent["x-amz-security-token"] == token
    names = ";".join(sorted(given))
    lines = "".join(f"{name}:{given[name]}\n" for name in sorted(given))
    digest = hashlib.sha256(body).hexdigest()
    canonical = f"POST\n{quote(path, safe='/-_.~')}\n\n{lines}\n{names}\n{digest}"
    day = sent["x-amz-date"][:8]
    scope = f"{day}/eu-west-1/bedrock/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{sent['x-amz-date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    for part in (day, "eu-west-1", "bedrock", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    assert sent["authorization"] == (
        f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={names}, Signature={signature}"
    )


def test_the_model_behind_a_profile_or_an_arn():
    from embassay.config.values import Config, EmbeddingsConfig
    from embassay.models.registry import Registry

    arn = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/us.cohere.embed-v4:0"
    models = {
        name: {"provider": "bedrock", "model_id": name, "region": "eu-west-1"} for name in ("us.cohere.embed-v4:0", arn)
    }
    registry = Registry(Config(embeddings=EmbeddingsConfig(models=models)))
    for name in models:
        embedder = registry.bare(name)
        assert embedder.card.id == "cohere/embed-v4.0"
        assert embedder.price == 0.12
        assert embedder.tokens.max_tokens == 128_000
        assert embedder.api.request(["a"], "query").body["input_type"] == "search_query"
