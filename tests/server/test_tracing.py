"""Spans of a real server: in memory, and over HTTP to a receiver on loopback."""

import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from embassay.events import Events
from embassay.server.tracing import SWITCHES, Tracing, started_tracing
from tests.server.conftest import running

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "zebra crossing"


@pytest.fixture
def spans(served):
    """The spans that are made while a test runs."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = Tracing(provider, served.home.session.events)
    yield exporter.get_finished_spans
    tracing.close()


def named(spans, name):
    (found,) = ended(spans, name)
    return found


def ended(spans, name, count=1):
    """The spans of a name: that of a request ends after its answer was sent, which may be later than a test reads on."""
    until = time.monotonic() + 30
    while len(found := [span for span in spans() if span.name == name]) < count and time.monotonic() < until:
        time.sleep(0.01)
    assert len(found) == count, [span.name for span in spans()]
    return found


def test_a_request_has_a_batch_and_what_was_embedded(client, spans):
    client.post("/v1/embeddings", json={"input": [SECRET, "two"], "input_type": "query"})
    request, batch, embed = (named(spans, name) for name in ("POST /v1/embeddings", "batch", "embed"))
    assert request.parent is None and request.kind.name == "SERVER"
    assert batch.parent.span_id == request.context.span_id and embed.parent.span_id == batch.context.span_id
    assert {span.context.trace_id for span in (request, batch, embed)} == {request.context.trace_id}
    assert request.attributes["http.response.status_code"] == 200 and request.attributes["embassay.texts"] == 2
    assert batch.attributes["embassay.role"] == "query" and embed.attributes["embassay.texts"] == 2
    assert request.start_time <= batch.start_time <= embed.start_time <= embed.end_time <= batch.end_time
    assert SECRET not in "".join(span.to_json() for span in spans())


def test_a_request_takes_part_in_the_trace_of_its_client(client, spans):
    client.get("/v1/models", headers={"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=b"})
    span = named(spans, "GET /v1/models")
    assert f"{span.context.trace_id:032x}" == TRACE and f"{span.parent.span_id:016x}" == PARENT
    assert span.context.trace_state["a"] == "b"


@pytest.mark.parametrize("given", ["", "x", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", "00-" * 1000])
def test_a_trace_that_is_none_begins_a_new_one(client, spans, given):
    assert client.get("/v1/models", headers={"traceparent": given}).status_code == 200
    assert named(spans, "GET /v1/models").parent is None


def test_a_failure_is_named_by_its_code(client, spans):
    client.post("/v1/embeddings", json={"input": SECRET, "model": "nobody/knows"})
    span = named(spans, "POST /v1/embeddings")
    assert span.attributes["error.type"] == "model_not_found" and span.attributes["http.response.status_code"] == 404
    assert not span.events  # no message, which may quote what was sent


def test_batches_of_several_requests_are_linked_to_all(served, spans):
    def ask(at):
        httpx.post(f"{served.url}/v1/embeddings", json={"input": f"text {at} " * 40}, timeout=30)

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    requests = {span.context.span_id for span in ended(spans, "POST /v1/embeddings", 12)}
    batches = [span for span in spans() if span.name == "batch"]
    belong = [span.parent.span_id for span in batches] + [
        link.context.span_id for span in batches for link in span.links
    ]
    assert len(requests) == 12 and sorted(belong) == sorted(requests)
    assert sum(span.attributes["embassay.requests"] for span in batches) == 12


def test_a_search_has_its_stages(served, spans):
    served.home.set("animals").search(f"who sleeps afloat {SECRET}")
    search = named(spans, "search")
    stages = [span for span in spans() if span.parent and span.parent.span_id == search.context.span_id]
    assert {"dense", "lexical", "fetch"} <= {span.name for span in stages}
    assert search.attributes["embassay.set"] == "animals"
    assert all(search.start_time <= span.start_time <= span.end_time for span in stages)
    assert SECRET not in "".join(span.to_json() for span in spans())


class Receiver(BaseHTTPRequestHandler):
    """An OTLP endpoint."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, self.headers["content-type"], ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_spans_go_where_the_environment_says(tmp_path, monkeypatch):
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    receiver.got = []
    thread = threading.Thread(target=receiver.serve_forever)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{receiver.server_port}")
    try:
        with running(tmp_path / ".embassay") as found:
            httpx.get(f"{found.url}/v1/models")
    finally:
        receiver.shutdown()
        receiver.server_close()
        thread.join()
    assert {(path, media) for path, media, _ in receiver.got} == {("/v1/traces", "application/x-protobuf")}
    sent = [one for _, _, request in receiver.got for one in request.resource_spans]
    names = {span.name for one in sent for scope in one.scope_spans for span in scope.spans}
    assert "GET /v1/models" in names
    known = {item.key: item.value.string_value for item in sent[0].resource.attributes}
    assert known["service.name"] == "embassay" and known["service.version"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
    ],
)
def test_nothing_is_sent_unless_that_is_asked_for(monkeypatch, settings):
    for name in SWITCHES:
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert started_tracing(Events()) is None


def test_without_the_packages_the_log_names_them(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert started_tracing(Events()) is None
    assert "pip install" in caplog.text and "[otel]" in caplog.text


def test_nothing_of_it_is_imported_without_need():
    script = "import sys, embassay.server.serving; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
