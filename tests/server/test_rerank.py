"""Reranking in the dialects of Cohere, Jina, vLLM, Voyage and TEI, by a real cross-encoder of small random weights."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from embassay.config.values import Config, RerankingConfig
from embassay.reranking.base import Reranked, Reranker
from tests.cross_encoders import SHAPES, write_cross_encoder
from tests.server.conftest import running

QUERY = "rotate the key"
TEXTS = ["the search index", "rotate the key", "a proxy server", "text code"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rerank")
    write_cross_encoder(folder / "tiny", SHAPES["bert"])
    config = Config(reranking=RerankingConfig(models={"tiny": {"model_id": str(folder / "tiny"), "precision": "f32"}}))
    with running(folder / ".embassay", config=config) as found:
        yield found


@pytest.fixture(scope="module")
def known(served):
    """The scores, by the library itself, and the order."""
    made = served.server.service.session.rerank(QUERY, TEXTS, model="tiny")
    return made.scores, made.order, int(made.tokens.sum())


def ok(reply):
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_cohere(client, known):
    scores, order, _ = known
    made = ok(client.post("/v2/rerank", json={"model": "tiny", "query": QUERY, "documents": TEXTS, "top_n": 2}))
    assert [one["index"] for one in made["results"]] == order[:2] and "document" not in made["results"][0]
    assert [one["relevance_score"] for one in made["results"]] == pytest.approx([float(scores[at]) for at in order[:2]])
    assert made["meta"]["billed_units"] == {"search_units": 1} and made["id"]


def test_jina_and_vllm(client, known):
    _scores, order, tokens = known
    documents = [TEXTS[0], *({"text": text} for text in TEXTS[1:])]
    for path in ("/v1/rerank", "/rerank"):
        made = ok(client.post(path, json={"model": "tiny", "query": QUERY, "documents": documents}))
        assert [one["index"] for one in made["results"]] == order
        assert [one["document"]["text"] for one in made["results"]] == [TEXTS[at] for at in order]
        assert made["usage"]["total_tokens"] == tokens and made["model"] == "tiny"
        asked = {"query": QUERY, "documents": TEXTS, "top_n": 1, "return_documents": False}
        assert "document" not in ok(client.post(path, json=asked))["results"][0]
        assert len(ok(client.post(path, json=asked | {"top_n": 0}))["results"]) == 4


def test_voyage(client, known):
    _, order, tokens = known
    asked = {"model": "tiny", "query": QUERY, "documents": TEXTS, "top_k": None, "truncation": True}
    made = ok(client.post("/v1/rerank", json=asked))
    assert [one["index"] for one in made["data"]] == order and "results" not in made
    assert made["usage"]["total_tokens"] == tokens and made["object"] == "list"
    made = ok(client.post("/v1/rerank", json=asked | {"top_k": 1, "return_documents": True}))
    assert made["data"][0]["document"] == TEXTS[order[0]] and len(made["data"]) == 1


def test_tei(client, known):
    scores, order, tokens = known
    reply = client.post("/rerank", json={"query": QUERY, "texts": TEXTS})
    assert [one["index"] for one in ok(reply)] == order and reply.headers["x-compute-tokens"] == str(tokens)
    assert [one["score"] for one in reply.json()] == pytest.approx([float(scores[at]) for at in order])
    assert "text" not in reply.json()[0]
    asked = {"query": QUERY, "texts": TEXTS, "return_text": True, "raw_scores": None, "truncate": None}
    assert [one["text"] for one in ok(client.post("/rerank", json=asked))] == [TEXTS[at] for at in order]


def test_vllm_scores(client, known):
    scores, _, _ = known
    for path in ("/score", "/v1/score"):
        made = ok(client.post(path, json={"model": "tiny", "text_1": QUERY, "text_2": TEXTS}))
        assert [one["score"] for one in made["data"]] == pytest.approx([float(one) for one in scores])
    pairs = ok(client.post("/score", json={"text_1": [QUERY, "a", QUERY], "text_2": TEXTS[:3]}))["data"]
    assert [one["index"] for one in pairs] == [0, 1, 2]
    assert [pairs[0]["score"], pairs[2]["score"]] == pytest.approx([float(scores[0]), float(scores[2])])
    assert ok(client.post("/score", json={"text_1": QUERY, "text_2": TEXTS[0]}))["usage"]["completion_tokens"] == 0


def test_long_documents_are_cut_where_that_is_asked_for(client):
    long = "rotate the key search index of a model " * 3
    scored = {}
    for most in (None, 4):
        asked = {"query": QUERY, "documents": [long, "rotate"], "max_tokens_per_doc": most}
        made = ok(client.post("/v2/rerank", json=asked))
        scored[most] = {one["index"]: one["relevance_score"] for one in made["results"]}
    assert scored[None][1] == pytest.approx(scored[4][1]) and abs(scored[None][0] - scored[4][0]) > 1e-4


@pytest.mark.parametrize(
    ("path", "fields", "status", "message"),
    [
        ("/v2/rerank", {"query": "", "documents": ["a"]}, 400, "message"),
        ("/v2/rerank", {"query": "a" * 100_001, "documents": ["a"] * 2000}, 400, "message"),
        ("/v2/rerank", {"query": "\0", "documents": ["a"]}, 400, "message"),
        ("/v2/rerank", {"query": "a", "documents": []}, 400, "message"),
        ("/v2/rerank", {"query": "a", "documents": ["a", ""]}, 400, "message"),
        ("/v2/rerank", {"query": "a", "documents": ["a"], "model": "none"}, 404, "message"),
        ("/v2/rerank", {"query": "a", "documents": ["a"], "max_tokens_per_doc": 0}, 400, "message"),
        ("/v2/rerank", {"query": "a", "documents": ["a"] * 2049}, 400, "message"),
        ("/v1/rerank", {"query": "a", "documents": [5]}, 400, "detail"),
        ("/v1/rerank", {"query": "a", "documents": ["a"], "top_n": -1}, 400, "message"),
        ("/rerank", {"query": "a"}, 422, "error"),
        ("/rerank", {"query": "a", "texts": []}, 400, "error"),
        ("/rerank", {"query": "a", "texts": ["a"], "documents": ["a"]}, 422, "error"),
        ("/score", {"text_1": ["a", "b"], "text_2": ["a"]}, 400, "error"),
        ("/score", {"text_1": "a", "text_2": []}, 400, "error"),
    ],
)
def test_what_is_wrong_is_said(client, path, fields, status, message):
    reply = client.post(path, json=fields)
    assert reply.status_code == status and reply.json()[message] and reply.json()["code"], reply.text


def test_without_a_reranker_it_is_said_which_kind_of_model_is_there(tmp_path):
    with running(tmp_path / ".embassay", config=Config()) as none:
        reply = httpx.post(f"{none.url}/rerank", json={"query": "a", "texts": ["a"]})
        assert reply.status_code == 424 and "reranker" in reply.json()["error"]
        assert httpx.post(f"{none.url}/v2/rerank", json={"query": "a", "documents": ["a"]}).status_code == 404


class Slow(Reranker):
    """Takes its time, and knows how many ask it at once."""

    name = "slow"

    def __init__(self):
        self.at_once = self.most = self.texts = 0
        self.lock = threading.Lock()

    def score(self, query, texts):
        with self.lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(0.01 * len(texts) / 64)
        with self.lock:
            self.at_once -= 1
            self.texts += len(texts)
        return Reranked(
            np.arange(len(texts), dtype=np.float32), np.ones(len(texts), np.int64), np.zeros(len(texts), bool), "slow"
        )


@pytest.fixture
def slow(served):
    made = Slow()
    served.server.service.session.models.rerankers.register("tiny", made)
    yield made
    served.server.service.session.models.rerankers._registered.pop("tiny")
    served.server.service.session.models.rerankers._opened.pop("tiny", None)


def test_a_reranker_has_one_request_at_a_time_and_embedding_goes_on(served, slow):
    def rank(_):
        return httpx.post(f"{served.url}/v2/rerank", json={"query": "a", "documents": ["a"] * 2000}, timeout=60)

    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(rank, at) for at in range(12)]
        while not slow.texts:
            time.sleep(0.01)
        made = httpx.post(f"{served.url}/v1/embeddings", json={"input": "meanwhile"}, timeout=60)
        still = [one for one in asked if not one.done()]
        replies = [one.result() for one in asked]
    assert made.status_code == 200 and still and slow.most == 1
    assert {one.status_code for one in replies} <= {200, 429} and replies[0].status_code == 200
    busy = [one for one in replies if one.status_code == 429]
    assert all(one.headers["retry-after"] for one in busy) and all(one.json()["code"] == "overloaded" for one in busy)


def test_scoring_ends_when_nobody_waits(served, slow):
    with pytest.raises(httpx.TimeoutException):
        httpx.post(f"{served.url}/v2/rerank", json={"query": "a", "documents": ["a"] * 2000}, timeout=0.1)
    reply = httpx.post(f"{served.url}/v2/rerank", json={"query": "a", "documents": ["a"]}, timeout=60)
    assert reply.status_code == 200 and slow.texts < 2000
    late = {"x-request-timeout": "0.1"}
    reply = httpx.post(
        f"{served.url}/v2/rerank", json={"query": "a", "documents": ["a"] * 2000}, headers=late, timeout=60
    )
    assert reply.status_code == 504 and reply.json()["code"] == "deadline_passed"
