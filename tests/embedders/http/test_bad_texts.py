"""One text that a service cannot embed is named; all others are embedded, whatever the service makes of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from embassay.embedders.providers.hash import hashed
from embassay.errors import BadReply, KeyRejected, ProviderDown, ProviderError, TextRefused
from tests.embedders.http.bad_texts import BAD, KINDS, fails, in_place, service
from tests.embedders.http.services import GOOD, TEXTS, model
from tests.servers import Answer, serving

MANY = [f"text {at}" if at not in (11, 40) else f"{BAD} {at}" for at in range(64)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Pauses between attempts are not what is tested here."""
    monkeypatch.setattr("embassay.embedders.http.connection.BACKOFF", 0.001)


@pytest.mark.parametrize("name", KINDS)
def test_one_bad_text_costs_itself_alone(name):
    with serving(service(KINDS[name])) as server:
        embedder = model(server)
        embedder.embed(TEXTS, "document")
        (block,) = embedder.stream(MANY, "document")
    assert sorted(block.refused) == [11, 40]
    good = [at for at in range(64) if at not in block.refused]
    assert np.abs(block.vectors[good] - hashed(MANY, 64)[good]).max() < 1e-6
    assert not block.vectors[[11, 40]].any()
    assert len(server.received) <= 2 * (2 * math.log2(64) + 9), "two for each halving, and its own retries"


@pytest.mark.parametrize("name", KINDS)
def test_a_bad_text_that_comes_alone(name):
    """As where a request holds no more than one."""
    with serving(service(KINDS[name])) as server:
        embedder = model(server, batch_size=1)
        embedder.embed(TEXTS[:1], "document")
        (block,) = embedder.stream([BAD, *TEXTS], "document")
    assert list(block.refused) == [0] and block.vectors[1:].any(axis=1).all()


@pytest.mark.parametrize("name", KINDS)
def test_a_call_for_few_texts_names_the_one(name):
    with serving(service(KINDS[name])) as server:
        embedder = model(server)
        embedder.embed(TEXTS, "document")
        with pytest.raises(TextRefused) as caught:
            embedder.embed([*TEXTS, BAD], "document")
    assert caught.value.position == 7 and caught.value.reason.startswith("openai/m")


@pytest.mark.parametrize("name", ["null", "NaN", "zero", "no vector", "NaN in base64"])
def test_good_vectors_of_a_reply_are_not_paid_for_again(name):
    with serving(service(KINDS[name])) as server:
        (block,) = model(server).stream([*TEXTS[:3], BAD, *TEXTS[3:]], "document")
    sent = [request.json["input"] for request in server.received]
    assert sent[1] == [BAD] and not {*TEXTS} & {text for texts in sent[1:] for text in texts}
    assert list(block.refused) == [3]


@pytest.mark.parametrize("name", [kind for kind in KINDS if kind != "a shorter one"])
def test_what_every_text_meets_is_blamed_on_the_service(name):
    """No text is quarantined for a service that is down, and it is not asked for ever."""
    failing = KINDS[name]

    def handle(request):
        return failing(request, [*range(len(request.json["input"]))])

    with serving(handle) as server:
        embedder = model(server)
        with pytest.raises(ProviderError) as caught:
            list(embedder.stream(MANY, "document"))
    assert not isinstance(caught.value, TextRefused)
    assert len(server.received) <= 8


@pytest.mark.parametrize("failing", [fails(b""), fails({"error": "x"}, 200), in_place(None)])
def test_a_service_that_goes_down_while_a_bad_text_is_looked_for(failing):
    """The texts are not to blame for what it does from then on."""
    requests = iter(range(10**6))

    def handle(request):
        everything = [*range(len(request.json["input"]))]
        bad = [at for at in everything if BAD in request.json["input"][at]]
        down = next(requests) > 5
        return failing(request, everything if down else bad) if down or bad else GOOD(request)

    with serving(handle) as server, pytest.raises((ProviderDown, BadReply)):
        list(model(server, batch_size=64).stream([f"{BAD} {at}" for at in range(64)], "document"))
    assert len(server.received) <= 20


def test_a_text_that_passes_at_the_second_look_is_kept():
    left = [KINDS["NaN"]]
    handle = service(lambda request, bad: left.pop()(request, bad) if left else GOOD(request))
    with serving(handle) as server:
        (block,) = model(server).stream([*TEXTS, BAD], "document")
    assert not block.refused and np.allclose(block.vectors, hashed([*TEXTS, BAD], 64), atol=1e-6)


def test_a_length_that_a_service_fails_on_is_cut_and_not_refused():
    """It answers 500 without a word to whatever is longer than it bears."""
    long = lambda request: max(map(len, request.json["input"])) > 600  # noqa: E731
    with serving(lambda request: Answer(b"", 500) if long(request) else GOOD(request)) as server:
        (block,) = model(server).stream([*TEXTS, "word " * 200], "document")
    assert not block.refused and block.vectors.any(axis=1).all() and block.truncated[7]


def test_a_refused_key_is_told_at_once():
    with serving(lambda request: Answer({"error": "no"}, 403)) as server, pytest.raises(KeyRejected):
        list(model(server).stream(MANY, "document"))
    assert len(server.received) == 1


def test_a_key_that_is_withdrawn_is_no_fault_of_the_texts():
    with serving(GOOD) as server:
        embedder = model(server)
        embedder.embed(TEXTS, "document")
        server.handle = lambda request: Answer({"error": "no"}, 403)
        with pytest.raises(KeyRejected):
            list(embedder.stream(MANY, "document"))
    assert len(server.received) == 3
