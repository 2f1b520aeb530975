"""What goes wrong around a server, by mischief or by misfortune: each has a name, and everybody else is served on."""

import asyncio
import json
import shutil
import socket
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.wrap import lane
from embassay.errors import ConfigError
from embassay.server import connection, pool
from embassay.server import serving as serving_module
from embassay.server.keys.entrance import Entrance
from embassay.server.keys.key import Grant
from embassay.server.keys.store import KeyStore
from embassay.server.limits import Limits
from embassay.server.serving import Serving
from embassay.server.sockets import Address
from tests.server.conftest import DOCUMENTS, running
from tests.servers import hash_openai, serving

LINES = b"POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\n"
BODY = b'{"input": "a", "model": "words"}'
WHOLE = LINES + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
MODELS = {"words": {"provider": "hash", "dimensions": 64}}


def config(**models):
    return Config(embeddings=EmbeddingsConfig(models=MODELS | models, default_model="words"))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with running(tmp_path_factory.mktemp("faults") / ".embassay", config=config()) as made:
        made.home.set("animals").upsert(DOCUMENTS)
        yield made


@contextmanager
def connected(found):
    host, port = found.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as line:
        yield line


def replies(found, sent):
    """The statuses and the bodies of what a server answers, until it closes the connection."""
    with connected(found) as line:
        got = b""
        try:
            line.sendall(sent)
            while more := line.recv(1 << 16):
                got += more
        except (ConnectionResetError, BrokenPipeError):  # it was closed while more was on its way
            pass
    made = []
    while got:
        head, _, rest = got.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        made.append((int(head.split(b" ")[1]), json.loads(rest[:length])))
        got = rest[length:]
    return made


@pytest.mark.parametrize("sent", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", LINES + b"x-a: b\r\n  c\r\n\r\n", LINES + b"x-a: \0\r\n\r\n",
    LINES + b"content-length: -1\r\n\r\n", LINES + b"transfer-encoding: xchunked\r\n\r\n{}",
    LINES + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    LINES + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
])  # fmt: skip
def test_what_is_no_http_is_refused_in_the_shape_of_a_dialect(found, sent, caplog):
    ((status, body),) = replies(found, sent)
    assert status == 400 and body["error"]["code"] == "request_invalid"
    assert not caplog.records, "whoever sends garbage fills the log"


def test_garbage_behind_a_request_is_not_taken_for_its_answer(found):
    answers = replies(found, WHOLE + b"\0garbage\r\n\r\n")
    assert [status for status, _ in answers] in ([], [400])  # one that was not answered yet is closed, or
    assert not answers or answers[0][1]["error"]["code"] == "request_invalid"


def test_a_request_to_change_the_protocol_is_answered_in_this_one(found, caplog):
    asked = b"GET /version HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n"
    ((status, _),) = replies(found, asked)
    assert status == 200 and not caplog.records


@pytest.mark.parametrize("more", [
    b"x-a: " + b"a" * (connection.MOST_HEAD + 1) + b"\r\n\r\n", b"x: y\r\n" * 20_000 + b"\r\n",
    b"x-a: " + b"a" * (1 << 22),
])  # fmt: skip
def test_a_head_that_is_too_large(found, more):
    answers = replies(found, LINES + more)
    assert [(status, body["error"]["code"]) for status, body in answers] in ([(431, "head_too_large")], [])
    assert answers or len(more) > 1 << 20, "the answer may be lost where the client still sends"
    assert httpx.get(f"{found.url}/version").status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET /version HTTP/1.1\r\nho"])
def test_a_head_that_never_ends(tmp_path, monkeypatch, sent):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(connection, "LOOK_SECONDS", 0.05)
    with running(tmp_path / ".embassay", config=config()) as found:
        ((status, body),) = replies(found, sent)
        assert status == 408 and body["error"]["code"] == "head_timed_out"
        with connected(found) as kept:  # one that waits for the next request is another matter
            kept.sendall(WHOLE)
            assert b" 200 " in kept.recv(1 << 16)
            time.sleep(0.6)
            kept.sendall(WHOLE)
            assert b" 200 " in kept.recv(1 << 16)


def test_a_client_that_does_not_read_what_it_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "READ_SECONDS", 0.4)
    monkeypatch.setattr(connection, "LOOK_SECONDS", 0.05)
    with running(tmp_path / ".embassay", config=config()) as found:
        body = json.dumps({"input": [f"text {i}" for i in range(2048)], "model": "words"}).encode()
        open_now = found.server._uvicorn.server_state.connections
        with socket.socket() as never, socket.socket() as slowly:
            for line in (never, slowly):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                line.connect(("127.0.0.1", int(found.url.rpartition(":")[2])))
                line.sendall(LINES + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            got = 0
            while more := slowly.recv(1 << 15):  # it reads, bit by bit, for longer than the other is borne
                got += len(more)
                time.sleep(0.004)
            assert got > 1_000_000
            until = time.monotonic() + 10
            while open_now and time.monotonic() < until:
                time.sleep(0.05)
            assert not open_now


def test_a_body_that_is_compressed(found):
    reply = httpx.post(f"{found.url}/v1/embeddings", content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert reply.status_code == 415 and "gzip" in reply.json()["error"]["message"]


def test_the_set_that_is_not_there_is_the_one_that_is_named(found):
    reply = httpx.post(f"{found.url}/api/v1/search", json={"q": "keys", "sets": ["animals", "../etc"]})
    assert reply.status_code == 404 and "'../etc'" in reply.json()["error"]["message"]


@pytest.fixture
def keyed(tmp_path):
    """A server with a model whose weights are gone, the set `animals`, and a key."""
    gone = {"provider": "local", "model_id": str(tmp_path / "weights")}
    with running(tmp_path / ".embassay", config=config(gone=gone)) as made:
        made.home.set("animals").upsert(DOCUMENTS)
        made.headers = {"authorization": f"Bearer {KeyStore(made.home.folder).create('ci', Grant('write'))[1]}"}
        yield made


def test_a_model_that_cannot_be_loaded(keyed, caplog):
    asked = {"input": "a", "model": "gone"}
    for _ in range(2):
        reply = httpx.post(f"{keyed.url}/v1/embeddings", json=asked, headers=keyed.headers, timeout=30)
        assert reply.status_code == 503 and reply.json()["error"]["code"] == "model_error"
        assert "gone cannot be loaded" in reply.text and str(keyed.home.folder.parent) not in reply.text
    assert "gone cannot be loaded" in caplog.text and "weights" in caplog.text
    words = {"input": "a", "model": "words"}
    assert httpx.post(f"{keyed.url}/v1/embeddings", json=words, headers=keyed.headers).status_code == 200


def test_vectors_that_vanish_under_a_server(keyed, caplog):
    shutil.rmtree(keyed.home.folder / "vectors")
    put = {"documents": [{"id": "new", "text": "Otters."}]}
    with httpx.Client(base_url=keyed.url, headers=keyed.headers, timeout=30) as client:
        for reply in (
            client.get("/api/v1/search", params={"q": "otters", "set": "animals"}),
            client.post("/api/v1/embedding-sets/animals/documents", json=put),
        ):
            assert reply.status_code == 503 and reply.json()["error"]["code"] == "store_error"
            assert ".cargo" not in reply.text and str(keyed.home.folder) not in reply.text
        assert client.post("/v1/embeddings", json={"input": "a", "model": "words"}).status_code == 200
        assert client.get("/health").status_code == 200
    assert "store_error" in caplog.text


def test_a_model_that_is_set_up_wrongly_is_told_at_the_start(tmp_path):
    with pytest.raises(ConfigError, match="encoding"):
        with running(tmp_path / ".embassay", config=config(far={"provider": "openai", "encoding": "float"})):
            pass


def test_metrics_are_for_no_key_of_some_sets_alone(tmp_path):
    """They name the sets of all."""
    entrance = Entrance.of(trusted_proxy=["127.0.0.1"])
    serving = Serving((Address(port=0),), entrance=entrance)
    with running(tmp_path / ".embassay", config=config(), serving=serving) as found:
        keys = KeyStore(found.home.folder)
        for grant, status in (
            (Grant(sets=("animals",)), 403), (Grant(models=("words",)), 403), (Grant(), 200),
        ):  # fmt: skip
            headers = {
                "x-forwarded-for": "203.0.113.9",
                "authorization": f"Bearer {keys.create(str(grant)[:60], grant)[1]}",
            }
            reply = httpx.get(f"{found.url}/metrics", headers=headers)
            assert reply.status_code == status, reply.text


def test_no_more_searches_wait_than_are_borne(found, monkeypatch):
    monkeypatch.setattr(pool, "MOST_WAITING", 3)
    gate = threading.Event()
    threads = found.server.service.limits.threads

    async def hold():
        await found.server.service.in_worker(gate.wait, 20)

    loop = found.server._uvicorn.servers[0].get_loop()
    held = [asyncio.run_coroutine_threadsafe(hold(), loop) for _ in range(threads + 3)]
    try:
        until = time.monotonic() + 10
        while found.server.service._pool("").taken < threads + 3 and time.monotonic() < until:
            time.sleep(0.01)
        reply = httpx.get(f"{found.url}/api/v1/search?q=keys&set=animals", timeout=30)
    finally:
        gate.set()
    assert reply.status_code == 429 and int(reply.headers["retry-after"]) >= 1
    assert reply.json()["error"]["code"] == "overloaded"
    for one in held:
        one.result(20)
    assert httpx.get(f"{found.url}/api/v1/search?q=keys&set=animals", timeout=30).status_code == 200


def test_a_service_that_hangs_holds_up_nobody_else(tmp_path):
    """More searches wait for it than there are threads."""
    hangs, answers = threading.Event(), hash_openai()

    def answer(received):
        hangs.wait(20) if hung else None
        return answers(received)

    hung = False
    with serving(answer) as service:
        hosted = {"provider": "openai", "model_id": "m", "base_url": f"{service.url}/v1", "api_key": "k",
                  "encoding_format": "float"}  # fmt: skip
        with running(tmp_path / ".embassay", config=config(far=hosted), limits=Limits(threads=3)) as found:
            found.home.set("near").upsert(DOCUMENTS)
            with httpx.Client(base_url=found.url, timeout=30) as client:
                made = client.post("/api/v1/embedding-sets", json={"name": "far", "embedding_config_id": "far"})
                assert made.status_code == 201, made.text
                put = {"documents": [{"id": "a", "text": "Otters."}]}
                assert client.post("/api/v1/embedding-sets/far/documents", json=put).status_code == 200
                found.server.service.models._looked = -10.0
                assert client.get("/api/v1/search", params={"q": "otters", "set": "far"}).status_code == 200
                hung = True
                asked = {"x-request-timeout": "4"}
                waiting = [
                    threading.Thread(
                        target=httpx.get,
                        args=(f"{found.url}/api/v1/search?q=keys+{i}&set=far",),
                        kwargs={"headers": asked, "timeout": 30},
                    )
                    for i in range(8)
                ]
                for one in waiting:
                    one.start()
                time.sleep(0.5)
                started = time.monotonic()
                assert client.get("/api/v1/search", params={"q": "keys", "set": "near"}).status_code == 200
                assert client.post("/v1/embeddings", json={"input": "a", "model": "words"}).status_code == 200
                assert client.post("/api/v1/embedding-sets/near/documents", json=put).status_code == 200
                assert client.get("/health").status_code == 200
                assert time.monotonic() - started < 3.5, "before any of those that wait is given up"
                hangs.set()
                for one in waiting:
                    one.join()


def test_it_ends_although_a_service_hangs(tmp_path, monkeypatch):
    """Those who wait are told by name; the thread that waits for the service is left behind."""
    monkeypatch.setattr(serving_module, "GRACE_SECONDS", 1)
    monkeypatch.setattr(lane, "END_SECONDS", 0.5)
    came, hangs, answers = threading.Event(), threading.Event(), hash_openai()

    def answer(received):
        came.set()
        hangs.wait(20)
        return answers(received)

    replies = []
    with serving(answer) as service:
        hosted = {"provider": "openai", "model_id": "m", "base_url": f"{service.url}/v1", "api_key": "k",
                  "encoding_format": "float"}  # fmt: skip
        with running(tmp_path / ".embassay", config=config(far=hosted)) as found:
            ask = {"input": "a", "model": "far"}
            thread = threading.Thread(
                target=lambda: replies.append(httpx.post(f"{found.url}/v1/embeddings", json=ask, timeout=30))
            )
            thread.start()
            assert came.wait(10)
            started = time.monotonic()
        assert time.monotonic() - started < 15, "before the service answers"
        thread.join()
        hangs.set()
    assert replies[0].status_code == 503 and replies[0].json()["error"]["code"] == "interrupted"
