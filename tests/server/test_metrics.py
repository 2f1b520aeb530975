"""What a real server counts, read by Prometheus's own parser."""

from types import SimpleNamespace

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from embassay.events import Events, FellBack, RerankRan
from embassay.server.keys.entrance import Entrance
from embassay.server.limits import Limits
from embassay.server.metrics import MOST_VALUES, OTHER, FewValues, Metrics
from embassay.server.serving import Address, Serving
from tests.server.conftest import running

TEXTS = ["Keys are rotated on Mondays.", "Otters sleep afloat."]


def read(client) -> dict[tuple, float]:
    """Every sample of /metrics by its name and its labels."""
    reply = client.get("/metrics")
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def value(samples, name, **labels):
    return samples.get((name, *sorted(labels.items())), 0)


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """A server of its own: what others ask of one is counted as well."""
    with running(tmp_path_factory.mktemp("counted") / ".embassay") as found:
        found.home.set("animals").upsert([{"id": "a", "text": TEXTS[0]}, {"id": "b", "text": TEXTS[1]}])
        yield found


@pytest.fixture
def client(counted):
    with httpx.Client(base_url=counted.url, timeout=30) as made:
        yield made


def model_of(samples):
    """By which name the model is counted."""
    (found,) = {dict(key[1:])["model"] for key in samples if key[0] == "embassay_batch_texts_count"}
    return found


def test_requests_batches_and_texts_are_counted(client):
    before = read(client)
    for _ in range(3):
        client.post("/v1/embeddings", json={"input": TEXTS})
    client.post("/v1/embeddings", json={"input": "word " * 600, "truncation": True})
    client.post("/v1/embeddings", json={"input": "a", "model": "nobody/knows"})
    after = read(client)

    def more(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)

    route = "/v1/embeddings"
    assert more("embassay_requests_total", route=route, method="POST", status="200") == 4
    assert more("embassay_requests_total", route=route, method="POST", status="404") == 1
    assert more("embassay_errors_total", code="model_not_found") == 1
    assert more("embassay_request_seconds_count", route=route) == 5
    lane = {"model": model_of(after), "role": "document"}
    assert more("embassay_texts_total", **lane) == 7
    assert more("embassay_texts_truncated_total", **lane) == 1
    assert more("embassay_batch_texts_sum", **lane) == 7
    assert more("embassay_batch_requests_sum", **lane) == 4
    assert more("embassay_inference_seconds_count", **lane) >= 1
    assert more("embassay_waited_seconds_count", **lane) >= 1
    assert value(after, "embassay_models_loaded") == 1
    assert value(after, "embassay_spend_usd_total") == 0
    assert value(after, "embassay_requests_in_flight") == 1  # this one
    assert value(after, "process_resident_memory_bytes") > 1e7


def test_the_names_of_text_embeddings_inference(client):
    before = read(client)
    client.post("/v1/embeddings", json={"input": TEXTS})
    client.post("/v1/embeddings", json={"input": TEXTS[0]})
    client.post("/v1/embeddings", json={"input": 5})
    after = read(client)

    def more(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)

    assert more("te_request_count", method="batch") == more("te_request_count", method="single") == 1
    assert more("te_request_success", method="batch") == more("te_request_success", method="single") == 1
    assert more("te_request_failure", err="validation") == 1
    assert more("te_embed_count") == more("te_embed_success") == 3
    assert more("te_request_duration_count") == more("te_request_input_length_count") == 2
    assert more("te_batch_next_size_sum") == 3
    assert ("te_queue_size",) in after and value(after, "te_predict_count") == 0


def test_searches_are_counted_by_set_and_stage(counted, client):
    counted.home.set("animals").search("who sleeps afloat")
    after = read(client)
    assert value(after, "embassay_search_seconds_count", set="animals") == 1
    stages = {dict(key[1:])["stage"] for key in after if key[0] == "embassay_search_stage_seconds_count"}
    assert {"dense", "lexical", "fetch"} <= stages


def test_what_a_client_makes_up_becomes_no_label(client):
    for at in range(5):
        client.request("PROPFIND", f"/zebra/{at}", headers={"x-request-id": f"zebra-{at}"})
        client.post("/v1/embeddings", json={"model": f"zebra-{at}", "input": "zebra"})
    text = client.get("/metrics").text
    assert "zebra" not in text.lower()
    assert f'embassay_requests_total{{method="{OTHER}",route="{OTHER}",status="404"}} 5.0' in text


def test_labels_have_so_many_values():
    bounded = FewValues(2)
    assert [bounded(name) for name in ("a", "b", "c", "a", "d")] == ["a", "b", OTHER, "a", OTHER]
    assert MOST_VALUES == 100


def test_open_metrics_is_answered(client):
    reply = client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.text.endswith("# EOF\n")


def test_another_machine_needs_a_key_unless_the_server_was_told_otherwise(tmp_path):
    proxied = {"x-forwarded-for": "203.0.113.9"}
    for open_metrics, status in ((False, 401), (True, 200)):
        entrance = Entrance.of(trusted_proxy=["127.0.0.1"], open_metrics=open_metrics)
        serving = Serving((Address(port=0),), Limits(), entrance=entrance)
        with running(tmp_path / f"{open_metrics}" / ".embassay", serving=serving) as found:
            assert httpx.get(f"{found.url}/metrics").status_code == 200
            assert httpx.get(f"{found.url}/metrics", headers=proxied).status_code == status
            assert httpx.get(f"{found.url}/v1/models", headers=proxied).status_code == 401


def test_a_stand_in_is_counted_and_what_a_reranker_scored():
    events = Events()
    metrics = Metrics(events, SimpleNamespace(loaded=lambda: []), lambda: 0, lambda: 0.25)
    events.tell(FellBack("a", "b"))
    events.tell(RerankRan("c", 3, 0.02))
    events.tell(RerankRan("c", 2, 0.02, failed=True))
    page = metrics.page("")[0].decode()
    for line in (
        'embassay_fallbacks_total{answered="b",model="a"} 1.0',
        'embassay_reranked_texts_total{model="c"} 5.0',
        "te_predict_count 5.0",
        "te_predict_success 3.0",
        "embassay_spend_usd_total 0.25",
    ):
        assert line in page.splitlines()
