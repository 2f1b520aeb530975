"""Every reranker over HTTP, against a service that answers as its documentation says, faults included."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.errors import (
    BadReply,
    BillingMismatch,
    ConfigError,
    KeyMissing,
    ProviderDown,
    ProviderError,
    RequestRefused,
    SpendCapReached,
)
from tests.reranking.making import session
from tests.reranking.services import KINDS, handle, is_about, overlap
from tests.servers import Answer, Received, serving

QUERY = "how do I rotate a key"
TEXTS = ["keys are rotated by keyctl", "a cat", "", "rotate a key now", "how do I rotate a key", "apples and pears"]
BY_SCORE = sorted(KINDS.keys() - {"llm"})


@pytest.mark.parametrize("kind", BY_SCORE)
def test_each_text_has_its_own_score(kind, server, tmp_path):
    with session(kind, server.url, tmp_path) as models:
        made = models.rerank(QUERY, TEXTS)
    expected = [overlap(QUERY, text) for text in TEXTS]
    assert made.scores.dtype == np.float32 and np.allclose(made.scores, expected, atol=1e-6)
    assert made.order[0] == 4 and not made.truncated.any() and not made.refused
    assert made.tokens[2] == 0 and all(made.tokens[[0, 1, 3, 4, 5]] > 5)


def test_a_blank_text_is_not_sent(server, tmp_path):
    with session("cohere", server.url, tmp_path) as models:
        assert len(models.rerank(QUERY, ["", " \n", "key"])) == 3
        (sent,) = server.received
        assert is_about(sent) == ["key"]
        assert models.rerank(QUERY, [" "]).scores.tolist() == [0.0] and len(server.received) == 1


def test_no_texts_have_no_scores(server, tmp_path):
    with session("jina", server.url, tmp_path) as models:
        assert models.rerank(QUERY, []).scores.shape == (0,)
    assert not server.received


def test_requests_hold_what_the_service_says_that_it_takes(server, tmp_path):
    texts = [f"text {n} of a key" for n in range(11)]
    with session("tei", server.url, tmp_path) as models:
        made = models.rerank(QUERY, texts)
    sizes = sorted(len(is_about(one)) for one in server.received if one.method == "POST")
    assert sizes == [3, 4, 4] and made.usage.requests == 3
    assert np.allclose(made.scores, [overlap(QUERY, text) for text in texts], atol=1e-6)


def test_what_is_too_long_for_a_server_that_does_not_cut_is_cut_here(server, tmp_path):
    with session("vllm", server.url, tmp_path) as models:
        made = models.rerank(QUERY, ["key " * 900, "key"])
    (long, short) = is_about(next(one for one in server.received if one.method == "POST"))
    assert len(long) < 4 * 900 and short == "key"
    assert made.truncated.tolist() == [True, False] and made.tokens[0] <= 300


def test_a_batch_that_is_too_large_is_halved(tmp_path):
    def narrow(request: Received) -> Answer:
        return Answer({"message": "too many documents"}, 413) if len(is_about(request)) > 3 else handle(request)

    texts = [f"key {n}" for n in range(8)]
    with serving(narrow) as server, session("cohere", server.url, tmp_path) as models:
        models.rerank(QUERY, ["a key"])
        made = models.rerank(QUERY, texts)
    assert np.allclose(made.scores, [overlap(QUERY, text) for text in texts], atol=1e-6)


def test_a_text_that_is_refused_is_named_and_stops_no_other(tmp_path):
    def squeamish(request: Received) -> Answer:
        return Answer({"message": "bad text"}, 400) if "poison key" in is_about(request) else handle(request)

    with serving(squeamish) as server, session("jina", server.url, tmp_path) as models:
        made = models.rerank(QUERY, ["how do I", "poison key", "a key"])
        assert list(made.refused) == [1] and "bad text" in made.refused[1]
        assert made.scores[1] == made.scores.min() and made.order[0] == 0
        asked = len(server.received)
        models.rerank(QUERY, ["how do I", "a key"])
        assert len(server.received) == asked, "those that were scored are kept"


def test_a_refused_set_up_is_told_after_two_requests(tmp_path):
    refusal = Answer({"message": "model 'rerank-v3.5' not found"}, 400)
    with serving(lambda request: refusal) as server, session("cohere", server.url, tmp_path) as models:
        with pytest.raises(RequestRefused, match="not found"):
            models.rerank(QUERY, [f"key {n}" for n in range(50)])
        assert len(server.received) == 2


BAD = {
    "fewer": (lambda found: found[:-1], "2 scores for 3 texts"),
    "more": (lambda found: [*found, found[0]], "4 scores for 3 texts"),
    "twice": (lambda found: [found[0], found[0], found[1]], "two scores for text"),
    "out of range": (lambda found: [*found[:-1], found[-1] | {"index": 7}], "text 7, and those asked for are 0 to 2"),
    "negative": (lambda found: [*found[:-1], found[-1] | {"index": -1}], "text -1"),
    "no index": (lambda found: [*found[:-1], found[-1] | {"index": None}], "which is no index"),
    "null": (lambda found: [found[0], found[1], {"index": found[2]["index"], "score": None}], "no finite number"),
    "nan": (lambda found: [{"index": one["index"], "score": float("nan")} for one in found], "no finite number"),
    "infinite": (lambda found: [{"index": one["index"], "score": "Infinity"} for one in found], "no finite number"),
    "huge": (lambda found: [{"index": one["index"], "score": 1e300} for one in found], "no finite number"),
    "words": (lambda found: ["good", "bad", "ugly"], "no score of a text"),
    "empty": (lambda found: [], "0 scores for 3 texts"),
    "object": (lambda found: {"scores": [1, 2, 3]}, "no list of scores"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_reply_that_may_rank_wrongly_is_an_error_that_says_why(name, tmp_path):
    spoil, words = BAD[name]

    def spoilt(request: Received) -> Answer:
        answer = handle(request)
        return Answer(spoil(answer.body)) if request.method == "POST" else answer

    with serving(spoilt) as server, session("tei", server.url, tmp_path) as models:
        with pytest.raises(BadReply, match=words):
            models.rerank(QUERY, ["a key", "rotate a key", "a cat"])
        assert len([one for one in server.received if one.method == "POST"]) == 1


def test_the_order_in_which_scores_come_does_not_matter(tmp_path):
    def shuffled(request: Received) -> Answer:
        answer = handle(request)
        return Answer(answer.body[::-1]) if request.method == "POST" else answer

    with serving(shuffled) as server, session("tei", server.url, tmp_path) as models:
        texts = ["a key", "how do I rotate a key", "a cat"]
        assert np.allclose(models.rerank(QUERY, texts).scores, [overlap(QUERY, text) for text in texts], atol=1e-6)


PASSING = {
    "busy": Answer({"message": "slow down"}, 429, {"Retry-After": "0.05"}),
    "failing": Answer(b"oops", 500),
    "loading": Answer({"error": "loading", "error_type": "unhealthy"}, 503),
    "broken": Answer(b'{"results": [', cut=5),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_asked_again(name, tmp_path):
    left = [PASSING[name]]
    with serving(lambda request: left.pop() if left else handle(request)) as server:
        with session("jina", server.url, tmp_path) as models:
            made = models.rerank(QUERY, ["a key", "a cat"])
    assert made.order == [0, 1] and len(server.received) == 2


LASTING = {
    "page": (Answer(b"<html><title>Sign in</title></html>"), BadReply, "web page .Sign in"),
    "no json": (Answer(b"hello"), BadReply, "not what its documentation says"),
    "error in 200": (Answer({"error": {"message": "no such model", "code": 404}}), ProviderError, "no such model"),
    "down": (Answer(b"", 502), ProviderDown, "502"),
    "slow": (Answer({}, delay=3), ProviderDown, "did not answer"),
    "reset": (Answer(b"0123456789", cut=0), ProviderDown, "did not answer"),
    "wrong key": (Answer({"detail": "invalid key"}, 401), ProviderError, "401"),
}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_an_error_of_ours(name, tmp_path):
    answer, error, words = LASTING[name]
    with serving(lambda request: answer) as server:
        with session("jina", server.url, tmp_path, timeout=0.5, deadline=2) as models:
            with pytest.raises(error, match=words):
                models.rerank(QUERY, ["a key", "a cat"])


def test_a_missing_key_is_named_before_anything_is_sent(tmp_path, monkeypatch):
    for name in ("CO_API_KEY", "COHERE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with session("cohere", "", tmp_path, api_key="") as models:
        with pytest.raises(KeyMissing, match="CO_API_KEY"):
            models.rerank(QUERY, ["a key"])
        with pytest.raises(KeyMissing):
            models.models.rerankers.get("r").check_ready()


def test_searches_are_counted_below_the_cap(server, tmp_path):
    price = {"usd_per_thousand_searches": 1000.0}  # a dollar each
    with session("cohere", server.url, tmp_path, spend=2.5, **price) as models:
        first = models.rerank(QUERY, ["a key"])
        assert first.usage.usd == 1.0 and first.usage.tokens is None
        models.rerank(QUERY, ["another key"])
        with pytest.raises(SpendCapReached):
            models.rerank(QUERY, ["a third key"])
        assert models.rerank(QUERY, ["a key"]).usage.usd == 0.0, "what is kept costs nothing"
        assert models.budget.spent == pytest.approx(2.0)
    assert len(server.received) == 2


def test_without_a_price_no_cap_can_be_kept(server, tmp_path):
    with session("cohere", "https://api.cohere.com", tmp_path, spend=1.0, model_id="rerank-next") as models:
        with pytest.raises(ConfigError, match="price of cohere/rerank-next is not known"):
            models.rerank(QUERY, ["a key"])


def test_a_service_that_bills_what_cannot_be_is_found_out(tmp_path):
    def greedy(request: Received) -> Answer:
        body = handle(request).body
        body["meta"]["billed_units"]["search_units"] = 10**9
        return Answer(body)

    with serving(greedy) as server:
        with session("cohere", server.url, tmp_path, usd_per_thousand_searches=2.0) as models:
            with pytest.raises(BillingMismatch, match="searches"):
                models.rerank(QUERY, ["a key"])


def test_a_setting_of_embedding_models_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="dimensions is a setting of embedding models"):
        with session("cohere", "http://127.0.0.1:9", tmp_path, dimensions=3) as models:
            models.rerank(QUERY, ["a key"])
