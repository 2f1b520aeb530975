"""Canaries: another model behind the same name alarms, another precision of the same weights is recorded."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from embassay.canaries import CANARY_TEXTS
from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.providers.hash import hashed
from embassay.evaluate.data.judged import JudgedSet
from embassay.home import open_home
from embassay.monitor.baselines import make_baseline
from embassay.monitor.monitor import Monitor
from embassay.session import Session
from embassay.types import Document
from tests.conftest import DEFAULT
from tests.servers import Answer, Server, Swappable, openai_body, serving

DAILY = ("daily",)
SERVED = "served"


@contextmanager
def watched(docs, config=None, model=SERVED, **options):
    """A monitor of a set over `docs`, with nothing of an earlier process but what the home has."""
    with Session(config or Config()) as session, open_home(docs.parent / ".embassay", session=session) as home:
        if not home.holds("default"):
            home.index([docs], model=model, **options)
        yield Monitor(home, "default")


def served_by(url: str, **settings: object) -> Config:
    model = {"provider": "openai", "model_id": "m", "base_url": f"{url}/v1", "api_key": "none"}
    return Config(embeddings=EmbeddingsConfig(models={SERVED: model | settings}))


def canaries(monitor):
    return {one.reading.subject: one.reading for one in monitor.check(DAILY).readings if one.signal == "canary"}


def judged() -> JudgedSet:
    document = Document("docs/keys.md", "keys", "rotate the key")
    return JudgedSet("some", (document,), {"q": "rotate the key"}, {"q": {document.id: 1}})


def test_a_local_model_that_is_as_it_was(docs):
    with watched(docs, model="hash/64") as monitor:
        found = canaries(monitor)
        assert set(found) == {"query", "document"}
        assert {one.state for one in found.values()} == {"ok"}
        assert all(one.value == pytest.approx(1.0) for one in found.values())


@pytest.mark.parametrize("restarted", [False, True])
def test_another_model_behind_the_same_address_alarms_at_the_next_canary(docs, restarted):
    service = Swappable()
    with serving(service) as server:
        config = served_by(server.url)
        with watched(docs, config) as monitor:
            assert {one.state for one in canaries(monitor).values()} == {"ok"}
            if not restarted:
                service.model = "another"
                found = canaries(monitor)
        if restarted:
            service.model = "another"
            with watched(docs, config) as monitor:
                found = canaries(monitor)
        assert {one.state for one in found.values()} == {"alert"}
        assert all("another model" in one.evidence.lower() or "other vectors" in one.evidence for one in found.values())
        with watched(docs, config) as monitor:
            on = monitor.home.monitoring.alerts("default")
            assert {(one.signal, one.subject) for one in on} == {("canary", "query"), ("canary", "document")}
            assert "doctor --set default" in on[0].remedy.in_shell()


class Tilted:
    """A service whose vectors have a given cosine to what they were, once it is told."""

    def __init__(self) -> None:
        self.cosine = 1.0

    def __call__(self, request):
        if request.method == "GET":
            return Answer({"object": "list", "data": [{"id": "m", "object": "model"}]})
        asked = request.json
        made = hashed(asked["input"], 64)
        aside = hashed([f"{text} aside" for text in asked["input"]], 64)
        aside -= (aside * made).sum(axis=1, keepdims=True) * made
        aside /= np.linalg.norm(aside, axis=1, keepdims=True)
        tilted = (self.cosine * made + np.sqrt(1 - self.cosine**2) * aside).astype(np.float32)
        return Answer(openai_body(tilted, base64=asked.get("encoding_format") == "base64", tokens=7))


@pytest.mark.parametrize(("cosine", "state"), [(0.985, "alert"), (0.9895, "alert"), (0.9905, "ok"), (0.999, "ok")])
@pytest.mark.parametrize("believed", [False, True])
def test_a_cosine_below_the_bound_alarms(docs, cosine, state, believed):
    service = Tilted()
    with serving(service) as server:
        config = served_by(server.url, **({"canaries": False} if believed else {}))
        with watched(docs, config) as monitor:
            if believed:
                assert {one.state for one in canaries(monitor).values()} == {"unknown"}, "nobody has noted them"
                make_baseline(monitor, judged(), "")
            assert {one.state for one in canaries(monitor).values()} == {"ok"}
            service.cosine = cosine
            found = canaries(monitor)
            assert {one.state for one in found.values()} == {state}
            if believed:
                assert all(one.value == pytest.approx(cosine, abs=1e-4) for one in found.values())
                assert all(f"{cosine:.4f}" in one.evidence for one in found.values())


def test_what_was_no_alarm_is_none_again(docs):
    service = Tilted()
    with serving(service) as server, watched(docs, served_by(server.url, canaries=False)) as monitor:
        make_baseline(monitor, judged(), "")
        service.cosine = 0.97
        canaries(monitor)
        for alert in monitor.home.monitoring.alerts("default"):
            monitor.dismiss(alert.id)
        assert {one.state for one in canaries(monitor).values()} == {"ok"}
        service.cosine = 0.9
        assert {one.state for one in canaries(monitor).values()} == {"alert"}


def test_a_service_that_is_down_says_nothing_and_ends_nothing(docs):
    service = Swappable()
    server = Server(service)
    config = served_by(server.url, timeout=2)
    with watched(docs, config) as monitor:
        service.model = "another"
        canaries(monitor)
        before = {one.id for one in monitor.home.monitoring.alerts("default")}
        assert len(before) == 2
        server.close()
    with watched(docs, config) as monitor:
        for _ in range(3):
            (found,) = canaries(monitor).values()
            assert found.state == "unknown" and found.evidence
        assert {one.id for one in monitor.home.monitoring.alerts("default")} == before


def test_another_precision_of_the_same_weights_is_recorded_and_is_no_alarm(docs):
    with watched(docs, model=DEFAULT, precision="bf16") as monitor:
        make_baseline(monitor, judged(), "")
        assert {one.value > 0.9999 for one in canaries(monitor).values()} == {True}
        monitor.home.set("default").relink(DEFAULT, precision="int8")
    with watched(docs) as monitor:
        found = canaries(monitor)
        assert {one.state for one in found.values()} == {"ok"}
        assert all(0.99 < one.value < 0.9999 and "int8, was bf16" in one.evidence for one in found.values())
        assert not monitor.home.monitoring.alerts("default")


def test_the_texts_are_asked_past_every_cache(docs):
    service = Swappable()
    with serving(service) as server, watched(docs, served_by(server.url)) as monitor:
        canaries(monitor)
        before = len(server.received)
        canaries(monitor)
        asked = [text for one in server.received[before:] if one.method == "POST" for text in one.json["input"]]
        assert all(asked.count(text) >= 2 for text in CANARY_TEXTS)
