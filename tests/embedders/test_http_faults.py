"""Every reply and error that services are known to give, replayed by a real server."""

from __future__ import annotations

import gzip
import json
import time
from email.utils import formatdate
from typing import Any

import numpy as np
import pytest

from embassay.embedders.http.driver import HttpEmbedder
from embassay.embedders.providers.hash import hashed
from embassay.embedders.providers.openai import Settings, open_api
from embassay.errors import (
    BadReply,
    EmbassayError,
    KeyRejected,
    ProviderDown,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    TextTooLong,
)
from tests.servers import Answer, Received, Server, hash_openai, openai_body, serving

TEXTS = [f"text number {i}" for i in range(7)]
EXPECTED = hashed(TEXTS, 64)
GOOD = hash_openai()


def model(server: Server, **settings: Any) -> HttpEmbedder:
    defaults: dict[str, Any] = {"model_id": "m", "base_url": f"{server.url}/v1", "deadline": 6.0, "timeout": 2.0}
    return HttpEmbedder(open_api(Settings(**{**defaults, **settings}), None))


def first(*answers: Answer) -> Any:
    """These answers one after the other, then good ones."""
    left = list(answers)
    return lambda request: left.pop(0) if left else GOOD(request)


def body(vectors: np.ndarray = EXPECTED, **changes: Any) -> dict[str, Any]:
    return openai_body(vectors) | changes


def shuffled() -> dict[str, Any]:
    reply = body()
    reply["data"] = [reply["data"][i] for i in (3, 0, 6, 1, 5, 2, 4)]
    return reply


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in body().items() if k != key}


GOOD_ANSWERS = {
    "float": Answer(body()),
    "base64": Answer(openai_body(EXPECTED, base64=True)),
    "shuffled index": Answer(shuffled()),
    "no usage": Answer(without("usage")),
    "no index": Answer({"data": [{"embedding": v.tolist()} for v in EXPECTED]}),
    "chunked": Answer(body(), chunked=True),
    "gzip": Answer(gzip.compress(json.dumps(body()).encode()), headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("name", GOOD_ANSWERS)
def test_replies_that_are_fine(name):
    with serving(first(GOOD_ANSWERS[name])) as server:
        made = model(server).embed(TEXTS, "document")
    assert np.abs(made.vectors - EXPECTED).max() < 1e-6
    assert made.usage.tokens == (None if name in ("no usage", "no index") else 7)
    assert made.usage.requests == 1


def ragged() -> dict[str, Any]:
    reply = body()
    reply["data"][2]["embedding"] = reply["data"][2]["embedding"][:-1]
    return reply


def same_index() -> dict[str, Any]:
    reply = body()
    reply["data"][1]["index"] = 0
    return reply


NONSENSE = {
    "too few": (Answer(body(EXPECTED[:5])), "5 vectors for 7 texts"),
    "too many": (Answer(body(hashed([str(i) for i in range(9)], 64))), "9 vectors for 7 texts"),
    "none": (Answer({"data": [], "object": "list"}), "0 vectors for 7 texts"),
    "NaN token": (Answer(json.dumps(body()).replace("0.", "NaN,0.", 1).encode()), "not what its documentation says"),
    "NaN in base64": (Answer(openai_body(np.full((7, 64), np.nan, np.float32), base64=True)), "NaN or infinity"),
    "infinite": (Answer(json.dumps(body()).replace("-0.", "-9e39, -0.", 1).encode()), "different lengths"),
    "beyond float32": (Answer(body(hashed(TEXTS, 64).astype(float) * 1e300)), "NaN or infinity"),
    "zero vectors": (Answer(body(np.zeros((7, 64)))), "zero vector"),
    "ragged": (Answer(ragged()), "different lengths: 63, 64"),
    "index twice": (Answer(same_index()), "indexes"),
    "HTML 200": (Answer(b"<html><body>Welcome</body></html>"), "not what its documentation says"),
    "empty": (Answer(b""), "not what its documentation says"),
    "text for a vector": (
        Answer({"data": [{"embedding": "%%%", "index": i} for i in range(7)]}),
        "not what its documentation",
    ),
    "half a number": (
        Answer({"data": [{"embedding": "AAAAAAA=", "index": i} for i in range(7)]}),
        "no float32 numbers",
    ),
    "another shape": (Answer({"embeddings": [[1.0]]}), "not what its documentation says"),
    "a number": (Answer(b"42"), "not what its documentation says"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_never_a_vector(name):
    answer, words = NONSENSE[name]
    with serving(lambda request: answer) as server, pytest.raises(BadReply, match=words):
        model(server).embed(TEXTS, "document")


def test_other_dimensions_than_before_are_refused():
    with serving(first(Answer(body()), Answer(body(hashed(TEXTS, 32))))) as server:
        embedder = model(server)
        embedder.embed(TEXTS, "document")
        with pytest.raises(BadReply, match="32 dimensions, expected 64"):
            embedder.embed(TEXTS, "document")


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
    with pytest.raises(ProviderDown, match=r"did not answer.*Given up after 2 attempts"):
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


def test_a_key_is_never_repeated(caplog):
    def echo(request: Received) -> Answer:
        return Answer({"error": {"message": f"Incorrect API key provided: {request.headers['authorization']}"}}, 401)

    with serving(echo) as server, pytest.raises(KeyRejected) as caught, caplog.at_level("DEBUG"):
        model(server, api_key="sk-secret-123").embed(["a"], "query")
    assert "secret" not in str(caught.value)
    assert "secret" not in caplog.text
    assert "secret" not in repr(caught.value.__context__)


def picky(most: int, status: int, message: str) -> Any:
    def handle(request: Received) -> Answer:
        inputs = request.json["input"]
        return GOOD(request) if len(inputs) <= most else Answer({"error": {"message": message}}, status)

    return handle


TOO_MANY = {
    "OpenAI's token budget": (400, "Requested 453357 tokens, max 300000 tokens per request"),
    "Mistral's inputs": (400, "Too many inputs in request, split into more batches."),
    "TEI's batch": (422, "batch size 40 > maximum allowed batch size 32"),
    "plain 413": (413, "Failed to buffer the request body: length limit exceeded"),
    "old Azure": (400, "Too many inputs. The max number of inputs is 1"),
}


@pytest.mark.parametrize("name", TOO_MANY)
def test_too_much_is_halved(name):
    status, message = TOO_MANY[name]
    with serving(picky(2, status, message)) as server:
        made = model(server).embed(TEXTS, "document")
    assert np.allclose(made.vectors, EXPECTED, atol=1e-6)


def no_text(words: str, message: str, status: int = 400) -> Any:
    def handle(request: Received) -> Answer:
        bad = any(words in text for text in request.json["input"])
        return Answer({"error": {"message": message}}, status) if bad else GOOD(request)

    return handle


def test_one_bad_text_is_named_and_the_others_are_made():
    with serving(no_text("number 4", "'$.input' is invalid")) as server:
        embedder = model(server)
        (block,) = embedder.stream(TEXTS, "document")
        assert list(block.refused) == [4]
        assert "is invalid" in block.refused[4]
        assert np.allclose(np.delete(block.vectors, 4, 0), np.delete(EXPECTED, 4, 0), atol=1e-6)
        assert not block.vectors[4].any()
        with pytest.raises(RequestRefused, match="text 4 was refused"):
            embedder.embed(TEXTS, "document")


def test_a_set_up_that_is_refused_is_not_blamed_on_the_texts():
    with serving(lambda r: Answer({"detail": [{"loc": ["x"], "msg": "extra fields not permitted"}]}, 422)) as server:
        with pytest.raises(RequestRefused, match="extra fields not permitted"):
            model(server).embed(TEXTS, "document")
    assert len(server.received) <= 5


def limit_words(most: int) -> Any:
    """As OpenAI: 400 for a text above the context."""

    def handle(request: Received) -> Answer:
        if any(len(text.split()) > most for text in request.json["input"]):
            message = f"This model's maximum context length is {most} tokens, however you requested more."
            return Answer({"error": {"message": message, "type": "invalid_request_error"}}, 400)
        return GOOD(request)

    return handle


LONG = "word " * 300

WORDS_FOR_TOO_LONG = [
    "too many tokens: size limited to 512",
    "Input id 0 has 9000 tokens, exceeding max 8192 tokens",
    "does not fit into the model's context window",
    "input token count is 25000 but the model supports up to 20000",
    "inputs must have less than 128000 characters",
    "Malformed input request: #/texts/0: expected maxLength: 2048",
    "the input is unacceptable",
]


@pytest.mark.parametrize("message", WORDS_FOR_TOO_LONG)
def test_every_way_to_say_too_long(message):
    """The last says nothing of length: a text near the limit is tried shorter all the same."""

    def handle(request: Received) -> Answer:
        long = any(len(text.split()) > 240 for text in request.json["input"])
        return Answer({"message": message}, 400) if long else GOOD(request)

    with serving(handle) as server:
        made = model(server, max_tokens=330).embed(["short", LONG], "document")
    assert list(made.truncated) == [False, True]
    assert made.vectors.any(axis=1).all()


@pytest.mark.parametrize("max_tokens", [64, 4096])
def test_long_texts_under_each_policy(max_tokens):
    """Whether the count here or the refusal there finds it: a cut is always told."""
    with serving(limit_words(80)) as server:
        embedder = model(server, max_tokens=max_tokens)
        made = embedder.embed(["short", LONG, "short too"], "document", on_long="truncate")
        assert list(made.truncated) == [False, True, False]
        assert np.allclose(made.vectors[[0, 2]], hashed(["short", "short too"], 64), atol=1e-6)
        split = embedder.embed(["short", LONG, "short too"], "document", on_long="split")
        assert not any(split.truncated)
        assert np.allclose(split.vectors[[0, 2]], hashed(["short", "short too"], 64), atol=1e-6)
        with pytest.raises(TextTooLong) as caught:
            embedder.embed(["short", LONG, "short too"], "document", on_long="error")
        assert caught.value.position == 1


MILLION = "word " * 1_000_000


def test_a_text_of_a_million_tokens_under_each_policy():
    with serving(limit_words(100_000)) as server:
        embedder = model(server, max_tokens=512)
        made = embedder.embed([MILLION], "document", "truncate")
        assert list(made.truncated) == [True]
        assert made.tokens[0] > 900_000
        assert len(server.received[0].body) < 10_000, "no more is sent than is read"
        split = embedder.embed([MILLION], "document", "split")
        assert list(split.truncated) == [False]
        sent = sum(text.count("word") for r in server.received[1:] for text in r.json["input"])
        assert sent == 1_000_000, "all of it was read, once"
        asked = len(server.received)
        with pytest.raises(TextTooLong, match="tokens, the model takes 512"):
            embedder.embed([MILLION], "document", "error")
        assert len(server.received) == asked


def test_a_million_tokens_for_the_local_engine(minilm):
    assert list(minilm.embed([MILLION], "document", "truncate").truncated) == [True]
    with pytest.raises(TextTooLong):
        minilm.embed([MILLION], "document", "error")


def test_a_flapping_service_loses_nothing():
    """Every second request fails."""
    count = iter(range(10**6))
    fails = [Answer(b"", 500), Answer(b"", 503), Answer(b"x", cut=0)]
    flap = lambda request: fails[n // 2 % 3] if (n := next(count)) % 2 else GOOD(request)  # noqa: E731
    texts = [f"t{i}" for i in range(40)]
    with serving(flap) as server:
        made = model(server, batch_size=2, concurrency=2, deadline=60.0, retries=8).embed(texts, "document")
    assert np.allclose(made.vectors, hashed(texts, 64), atol=1e-6)


def test_blank_texts_are_not_sent():
    texts = ["", "one", "  \n\t", "two", "\u00a0"]
    with serving(GOOD) as server:
        made = model(server).embed(texts, "document")
    assert [r.json["input"] for r in server.received] == [["one", "two"]]
    assert np.allclose(made.vectors[[1, 3]], hashed(["one", "two"], 64), atol=1e-6)
    assert not made.vectors[[0, 2, 4]].any()
    assert made.tokens[0] == 0


def test_only_blank_texts():
    with serving(GOOD) as server:
        embedder = model(server)
        assert embedder.space.dimensions == 64
        assert embedder.embed(["", " "], "query").vectors.shape == (2, 64)
        assert embedder.embed([], "query").vectors.shape == (0, 64)


def test_a_hundred_thousand_texts_in_one_call():
    texts = [f"{i}" for i in range(100_000)]
    with serving(hash_openai(8)) as server:
        made = model(server, batch_size=2048).embed(texts, "document")
    assert made.vectors.shape == (100_000, 8)
    some = [0, 2047, 2048, 54_321, 99_999]
    assert np.allclose(made.vectors[some], hashed([texts[i] for i in some], 8), atol=1e-6)


def test_batches_keep_both_limits():
    texts = ["word " * 40] * 30
    with serving(GOOD) as server:
        model(server, batch_size=10, batch_tokens=200).embed(texts, "document")
    sizes = [len(r.json["input"]) for r in server.received]
    assert sum(sizes) == 30
    assert max(sizes) <= 5


def test_concurrency_falls_when_it_is_too_much_and_nothing_is_lost():
    def handle(request: Received) -> Answer:
        busy = server.in_flight > 2
        return Answer(b"{}", 429, {"Retry-After": "0.05"}) if busy else Answer(GOOD(request).body, delay=0.02)

    texts = [f"t{i}" for i in range(60)]
    with serving(handle) as server:
        embedder = model(server, batch_size=1, concurrency=16, deadline=30.0)
        made = embedder.embed(texts, "document")
        assert np.allclose(made.vectors, hashed(texts, 64), atol=1e-6)
        assert embedder.exchange.gate.limit < 16


def test_requests_per_minute_are_kept():
    with serving(GOOD) as server:
        started = time.monotonic()
        model(server, batch_size=1, requests_per_minute=600.0).embed([f"t{i}" for i in range(60)], "document")
    assert time.monotonic() - started > 0.8  # 50 at once, then ten a second


def test_a_wrong_address_says_so():
    for url in ("not an address", "ftp://127.0.0.1/", "http://127.0.0.1:1"):
        with pytest.raises(EmbassayError):
            HttpEmbedder(open_api(Settings(model_id="m", base_url=url, retries=0), None)).embed(["a"], "query")


def test_streams_that_end_early_never_hang():
    """Closing drops what is queued while the workers take from the same queue."""
    import sys

    bad = Answer({"error": {"message": "no"}}, 401)
    sys.setswitchinterval(1e-5)
    try:
        with serving(lambda request: bad) as server:
            for _ in range(40):
                with pytest.raises(KeyRejected):
                    model(server, batch_size=4, retries=0).embed([f"t{i}" for i in range(400)], "document")
    finally:
        sys.setswitchinterval(0.005)


def test_what_changes_the_vector_is_part_of_the_space():
    from embassay.embedders.providers.http import Settings as HttpService
    from embassay.embedders.providers.http import open_api as open_service

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


def test_a_text_with_half_a_surrogate():
    with serving(GOOD) as server:
        made = model(server).embed(["fine", "half \ud83d"], "document")
    assert made.vectors.any(axis=1).all()


def test_the_deadline_holds_for_all_halves_of_a_batch():
    slow = lambda request: Answer({"error": {"message": "no"}}, 400, delay=0.4)  # noqa: E731
    with serving(slow) as server:
        embedder = model(server, deadline=1.0, retries=0)
        embedder.exchange.answered = True
        started = time.monotonic()
        with pytest.raises(EmbassayError):
            embedder.embed([f"t{i}" for i in range(64)], "document")
    assert time.monotonic() - started < 4


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
        embedder.exchange.gate._hold_until -= 60
        assert embedder.embed(["a"], "document").vectors.any()


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


def test_a_proxy_that_cannot_be_used(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "strange://127.0.0.1:1")
    with pytest.raises(EmbassayError, match="no request can be made"):
        HttpEmbedder(open_api(Settings(model_id="m", base_url="http://127.0.0.1:9", retries=0), None)).embed(
            ["a"], "query"
        )


def test_settings_that_cannot_be():
    from embassay.config.reading import checked

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


def test_a_prompt_that_leaves_no_room():
    with serving(GOOD) as server, pytest.raises(EmbassayError, match="leaves no room"):
        model(server, max_tokens=4, document_prompt="a prompt of very many words: ").embed([LONG], "document", "split")


def test_one_text_that_no_length_satisfies_does_not_stop_the_others():
    def handle(request: Received) -> Answer:
        bad = any("NEVER" in text for text in request.json["input"])
        return Answer({"error": {"message": "maximum context length"}}, 400) if bad else GOOD(request)

    texts = [*TEXTS, "NEVER" * 3]
    with serving(handle) as server:
        for policy in ("truncate", "split"):
            (block,) = model(server, deadline=60.0).stream(texts, "document", policy)
            assert block.vectors[:7].any(axis=1).all()


def test_a_server_that_comes_back_with_another_model_is_noticed():
    from embassay.embedders.providers.tei import Settings as TeiSettings
    from embassay.embedders.providers.tei import open_api as open_tei
    from embassay.errors import SpaceMismatch

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
