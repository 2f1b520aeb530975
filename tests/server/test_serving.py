"""A server from its start to its end: a graceful one, ports that are taken, models that are unloaded."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.batched import Batching
from embassay.server.limits import Limits
from embassay.server.residency import Residency, free_share
from tests.embedders.fakes import Gate, counting
from tests.embedders.wrap.test_batched import until
from tests.server.conftest import running

TEXT = "Otters sleep afloat."


@pytest.fixture
def slow(tmp_path):
    """A server with a model that waits at a gate, and one that does not."""
    gate = Gate()
    with running(tmp_path / ".embassay", limits=Limits(batching=Batching(workers=1, waiting=50))) as found:
        found.home.session.models.register("slow", counting(gate=gate))
        found.home.session.models.register("fast", HashEmbedder(64))
        yield found, gate
        gate.open()


def post(url, **fields):
    return httpx.post(f"{url}/v1/embeddings", json=fields, timeout=30)


def in_background(work, *arguments, **named):
    results = []
    thread = threading.Thread(target=lambda: results.append(work(*arguments, **named)))
    thread.start()
    return thread, results


def test_a_slow_model_does_not_hold_up_others(slow):
    found, gate = slow
    thread, results = in_background(post, found.url, model="slow", input=TEXT)
    assert gate.came(1)
    assert post(found.url, model="fast", input=TEXT).status_code == 200
    gate.open()
    thread.join()
    assert results[0].status_code == 200


def test_beyond_the_bound_a_client_is_told_when_to_come_again(slow):
    found, gate = slow
    threads = [in_background(post, found.url, model="slow", input="word " * 30)]
    assert gate.came(1)
    threads.append(in_background(post, found.url, model="slow", input="word " * 30))
    model = found.home.session.models.get("slow")
    until(lambda: model.waiting["document"] > 0)
    reply = post(found.url, model="slow", input="word " * 30)
    assert reply.status_code == 429 and int(reply.headers["retry-after"]) >= 1
    assert reply.json()["error"]["code"] == "overloaded" and reply.json()["error"]["type"] == "rate_limit_error"
    gate.open()
    for thread, results in threads:
        thread.join()
        assert results[0].status_code == 200


def test_a_request_may_say_how_long_it_waits(slow):
    found, gate = slow
    thread, _ = in_background(post, found.url, model="slow", input=TEXT)
    assert gate.came(1)
    headers = {"x-request-timeout": "0.2"}
    late = httpx.post(f"{found.url}/v1/embeddings", json={"model": "slow", "input": "late"}, headers=headers)
    assert late.status_code == 504 and late.json()["error"]["code"] == "deadline_passed"
    for wrong in ("soon", "-1", "nan"):
        headers = {"x-request-timeout": wrong}
        assert httpx.post(f"{found.url}/v1/embeddings", json={"input": "a"}, headers=headers).status_code == 400
    gate.open()
    thread.join()


def test_what_a_client_that_has_gone_asked_for_is_not_computed(slow):
    found, gate = slow
    model = found.home.session.models.get("slow").inner.inner
    thread, _ = in_background(post, found.url, model="slow", input=TEXT)
    assert gate.came(1)
    with socket.create_connection(found.url.removeprefix("http://").split(":")) as gone:
        body = json.dumps({"model": "slow", "input": "given up"}).encode()
        gone.sendall(
            b"POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        time.sleep(0.3)
    time.sleep(0.3)
    gate.open()
    thread.join()
    assert post(found.url, model="slow", input="another").status_code == 200
    assert "given up" not in model.texts and "another" in model.texts


def test_requests_carry_an_id(slow):
    found, _ = slow
    given = httpx.get(f"{found.url}/version", headers={"x-request-id": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    assert len(httpx.get(f"{found.url}/version", headers={"x-request-id": "<script>"}).headers["x-request-id"]) == 16


def test_what_was_sent_in_small_pieces_and_what_never_ends(slow):
    found, _ = slow
    host = found.url.removeprefix("http://").split(":")
    body = json.dumps({"model": "fast", "input": TEXT}).encode()
    with socket.create_connection(host) as slowly:
        slowly.sendall(b"POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n" % len(body))
        for at in range(0, len(body), 7):
            slowly.sendall(body[at : at + 7])
            time.sleep(0.01)
        assert b" 200 OK" in slowly.recv(4096)
    with socket.create_connection(host) as never:
        never.sendall(
            b"POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\nx-request-timeout: 0.3\r\ncontent-length: 90\r\n\r\n{"
        )
        assert b" 504 " in never.recv(4096)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with running(tmp_path / ".embassay", limits=Limits(body=1000)) as found:
        host = found.url.removeprefix("http://").split(":")
        with socket.create_connection(host) as large:
            large.sendall(b"POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000000\r\n\r\n")
            assert b" 413 " in large.recv(4096)
        with socket.create_connection(host) as chunked:
            chunked.sendall(b"POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
            for _ in range(3):
                chunked.sendall(b"200\r\n" + b"x" * 512 + b"\r\n")
            assert b" 413 " in chunked.recv(4096)


def test_models_that_nobody_asks_are_unloaded_and_come_back(tmp_path):
    with running(tmp_path / ".embassay") as found:
        before = post(found.url, input=TEXT).json()["data"]
        service = found.server.service
        (name,) = (name for name, _ in service.models.loaded())
        local = found.home.session.models.get(name)
        assert Residency(service.models, 300.0).unload() == []
        time.sleep(0.01)
        assert Residency(service.models, 0.001).unload() == [name]
        assert service.models.ready(name) is None
        inner = local
        while hasattr(inner, "inner"):
            inner = inner.inner
        assert "engine" not in vars(inner.model)
        assert post(found.url, input=TEXT).json()["data"] == before
    assert 0 < free_share() <= 1


def test_a_defect_is_told_without_its_words(slow, caplog):
    found, _ = slow

    async def broken(_call):
        raise ZeroDivisionError("the secret text")

    route, _ = found.server.app.paths.find("GET", "/version", {})
    kept = route.routes["GET"]
    route.routes["GET"] = type(kept)("GET", "/version", broken, "broken", needs="open")
    try:
        reply = httpx.get(f"{found.url}/version")
    finally:
        route.routes["GET"] = kept
    assert reply.status_code == 500 and "secret" not in reply.text
    assert reply.json()["error"]["code"] == "internal"


def serve(*options, home):
    return subprocess.Popen(
        [sys.executable, "-m", "embassay", "serve", "--home", str(home), *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )


def address_of(process) -> str:
    told = process.stderr.readline()
    assert told.startswith("Serving on http://"), told
    return told.split()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_what_it_took_and_ends_well(tmp_path, number):
    process = serve("--port", "0", "--model", "minilm", home=tmp_path / ".embassay")
    url = address_of(process)
    texts = [f"{TEXT} {i} " + "word " * 100 for i in range(300)]

    async def main():
        async with httpx.AsyncClient(timeout=60) as client:
            calls = [
                asyncio.ensure_future(client.post(f"{url}/v1/embeddings", json={"input": texts[at : at + 50]}))
                for at in range(0, 300, 50)
            ]
            await asyncio.sleep(0.5)
            process.send_signal(number)
            return await asyncio.gather(*calls)

    replies = asyncio.run(main())
    assert [reply.status_code for reply in replies] == [200] * 6
    assert sum(len(reply.json()["data"]) for reply in replies) == 300
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in err and out == ""


def test_several_ports_answer_alike_and_a_taken_one_is_named(tmp_path):
    first = serve("--port", "0", "--encode-port", "0", home=tmp_path / ".embassay")
    try:
        url = address_of(first)
        port = url.rpartition(":")[2]
        second = serve("--port", port, home=tmp_path / ".embassay")
        _, told = second.communicate(timeout=60)
        assert second.returncode == 2 and "cannot be listened on" in told and "--port 0" in told
        third = serve("--port", "0", home=tmp_path / ".embassay")  # two servers over one home
        other = address_of(third)
        assert httpx.get(f"{url}/version").json() == httpx.get(f"{other}/version").json()
        third.kill()
        third.communicate()
        assert httpx.get(f"{url}/version").status_code == 200
    finally:
        first.terminate()
        first.communicate(timeout=60)
    assert first.returncode == 0


@pytest.mark.parametrize("option", ["--keep-alive", "--deadline", "--max-body-mb"])
def test_options_that_make_no_sense(option, tmp_path):
    process = serve(option, "0", home=tmp_path / ".embassay")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2 and "must be above 0" in told
