"""Every failure that services are known to report: what is asked again, when, and what is not."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

import numpy as np
import pytest

from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.providers.hash import hashed
from embassay.embedders.providers.openai import Settings, open_api
from embassay.errors import (
    EmbassayError,
    KeyRejected,
    ProviderDown,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    SpaceMismatch,
)
from tests.embedders.http.services import EXPECTED, GOOD, TEXTS, body, first, model
from tests.servers import Answer, Received, serving


def google_429() -> bytes:
    error = {"code": 429, "message": "Please retry in 0.2s.", "status": "RESOURCE_EXHAUSTED"}
    return json.dumps(
        {"error": error | {"details": [{"@type": "x/google.rpc.RetryInfo", "retryDelay": "0.25s"}]}}
    ).encode()


def google_billing_429() -> Answer:
    """An ordinary limit per minute, in words that speak of plans and billing."""
    details = [
        {"@type": "x/google.rpc.QuotaFailure", "violations": [{"quotaId": "EmbedContentRequestsPerMinutePerProject"}]},
        {"@type": "x/google.rpc.RetryInfo", "retryDelay": "0.25s"},
    ]
    message = "You exceeded your current quota, please check your plan and billing details. Please retry in 0.25s."
    return Answer({"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}}, 429)


LIMITED = {
    "Retry-After seconds": (Answer(b'{"error": {"message": "slow down"}}', 429, {"Retry-After": "0.3"}), 0.3),
    "Retry-After date": (Answer(b"{}", 429, {"Retry-After": "DATE"}), 0.5),
    "retry-after-ms": (Answer(b"{}", 429, {"retry-after-ms": "400", "Retry-After": "60"}), 0.4),
    "no header": (Answer(b"{}", 429), 0.0),
    "Google's RetryInfo": (Answer(google_429(), 429), 0.25),
    "Gemini's words of billing": (google_billing_429(), 0.25),
    "Voyage without a card on file": (
        Answer(
            {"detail": "You have not yet added your payment method in the billing page."}, 429, {"Retry-After": "0.2"}
        ),
        0.2,
    ),
    "Azure's words": (Answer({"error": {"code": "429", "message": "Please retry after 0.3 seconds."}}, 429), 0.3),
}


@pytest.mark.parametrize("name", LIMITED)
def test_rate_limits_are_waited_for(name):
    answer, wait = LIMITED[name]
    if answer.headers.get("Retry-After") == "DATE":
        answer = Answer(answer.body, 429, {"Retry-After": formatdate(time.time() + 2, usegmt=True)})
    with serving(first(answer)) as server:
        made = model(server).embed(TEXTS, "document")
        waited = server.received[1].at - server.received[0].at
    assert np.allclose(made.vectors, EXPECTED, atol=1e-6)
    assert waited >= wait
    assert made.usage.requests == 2
    assert all(r.json["input"] == TEXTS for r in server.received)


def test_a_wait_beyond_the_deadline_is_not_begun():
    limited = Answer({"error": {"message": "Please retry after 86400 seconds"}}, 429, {"Retry-After": "86400"})
    with serving(lambda request: limited) as server:
        started = time.monotonic()
        with pytest.raises(RateLimited, match=r"asks to wait 86400 s; the deadline is 6 s"):
            model(server).embed(TEXTS, "document")
    assert time.monotonic() - started < 2
    assert len(server.received) == 1


RETRIED = {
    "500 then fine": [Answer({"error": {"message": "boom"}}, 500)],
    "503 loading": [Answer({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, 503)] * 2,
    "502 HTML": [Answer(b"<html><head><title>502 Bad Gateway</title></head></html>", 502)],
    "408": [Answer(b"", 408)],
    "cut connection": [Answer(body(), cut=40)],
    "cut before a byte": [Answer(body(), cut=0)],
}


@pytest.mark.parametrize("name", RETRIED)
def test_passing_failures_are_retried(name):
    with serving(first(*RETRIED[name])) as server:
        made = model(server).embed(TEXTS, "document")
    assert np.allclose(made.vectors, EXPECTED, atol=1e-6)


def test_a_dripping_answer_ends_at_the_timeout():
    with serving(lambda request: Answer(body(), drip=0.05)) as server, pytest.raises(ProviderDown, match="too slowly"):
        started = time.monotonic()
        model(server, timeout=0.4, retries=0).embed(TEXTS, "document")
    assert time.monotonic() - started < 3


def test_a_service_that_is_down():
    with serving(GOOD) as server:
        url = server.url
    with pytest.raises(ProviderDown, match=r"did not answer.*Check base_url, and whether"):
        HttpEmbedder(open_api(Settings(model_id="m", base_url=url, retries=1), None)).embed(TEXTS, "document")


STOPPED = {
    "401": (Answer({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, 401), KeyRejected),
    "403": (Answer({"detail": "no access"}, 403), KeyRejected),
    "Google's bad key": (Answer({"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}, 400), KeyRejected),
    "402": (Answer({"error": "You have exceeded your monthly credits"}, 402), QuotaExhausted),
    "no quota": (Answer({"error": {"message": "You exceeded your quota", "type": "insufficient_quota", "code": "insufficient_quota"}}, 429), QuotaExhausted),
    "quota of the day": (Answer({"error": {"message": "Quota", "details": [{"quotaId": "EmbedRequestsPerDay"}]}}, 429), QuotaExhausted),
    "404": (Answer({"error": {"message": "The model `m` does not exist"}}, 404), RequestRefused),
    "501": (Answer(b"", 501), RequestRefused),
    "redirect": (Answer(b"", 307, {"Location": "https://elsewhere.example/v1"}), RequestRefused),
    "x-should-retry": (Answer(b"", 500, {"x-should-retry": "false"}), ProviderDown),
    "LiteLLM's own": (Answer({"error": {"message": "litellm.UnsupportedParamsError: dimensions"}}, 500), RequestRefused),
}  # fmt: skip


@pytest.mark.parametrize("name", STOPPED)
def test_what_is_not_retried(name):
    answer, kind = STOPPED[name]
    with serving(lambda request: answer) as server, pytest.raises(kind):
        model(server).embed(TEXTS[:1], "document")
    assert len(server.received) <= 2  # one for the text, one to see whether it is the text's fault


def test_a_flapping_service_loses_nothing():
    """Every second request fails."""
    count = iter(range(10**6))
    fails = [Answer(b"", 500), Answer(b"", 503), Answer(b"x", cut=0)]
    flap = lambda request: fails[n // 2 % 3] if (n := next(count)) % 2 else GOOD(request)  # noqa: E731
    texts = [f"t{i}" for i in range(40)]
    with serving(flap) as server:
        made = model(server, batch_size=2, concurrency=2, deadline=60.0, retries=8).embed(texts, "document")
    assert np.allclose(made.vectors, hashed(texts, 64), atol=1e-6)


def test_a_silent_server_costs_the_deadline_not_the_timeout():
    with serving(lambda request: Answer(body(), delay=8)) as server:
        started = time.monotonic()
        with pytest.raises(EmbassayError):
            model(server, deadline=1.0, timeout=6.0).embed(["a"], "document")
    assert time.monotonic() - started < 3


def test_a_wait_of_a_day_does_not_poison_the_embedder():
    left = [Answer(b"{}", 429, {"Retry-After": "100000"})]
    with serving(lambda request: left.pop() if left else GOOD(request)) as server:
        embedder = model(server, deadline=1.0)
        with pytest.raises(RateLimited):
            embedder.embed(["a"], "document")
        embedder.exchange.attempts.gate._hold_until -= 60
        assert embedder.embed(["a"], "document").vectors.any()


def test_a_server_that_comes_back_with_another_model_is_noticed():
    from embassay.embedders.providers.tei import Settings as TeiSettings
    from embassay.embedders.providers.tei import open_api as open_tei

    info = {"model_sha": "sha-one", "max_input_length": 512}
    state = {"down": False}

    def handle(request: Received) -> Answer:
        if state["down"]:
            return Answer(b"", 503)
        return Answer(info) if request.path == "/info" else Answer(hashed(request.json["inputs"], 64).tolist())

    with serving(handle) as server:
        embedder = HttpEmbedder(open_tei(TeiSettings(model_id="m", base_url=server.url, retries=0), None))
        assert embedder.embed(["a"], "query").space.weights == "sha-one"
        state["down"] = True
        with pytest.raises(ProviderDown):
            embedder.embed(["b"], "query")
        state["down"], info["model_sha"] = False, "sha-two"
        with pytest.raises(SpaceMismatch, match="now runs sha-two, it was sha-one"):
            embedder.embed(["b"], "query")
        info["model_sha"] = "sha-one"
        assert embedder.embed(["b"], "query").vectors.any()
