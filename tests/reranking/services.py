"""Services that rerank, on loopback, each in the shape of its documentation: the score is the share of shared words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from embassay.embedders.texts.estimate import EstimatedTokens
from tests.servers import Answer, Received


def overlap(query: str, text: str) -> float:
    """The share of the words of a query that a text has, from 0 to 1."""
    asked, there = (set(re.findall(r"\w+", one.lower())) for one in (query, text))
    return len(asked & there) / max(1, len(asked))


def tokens(query: str, texts: list[str]) -> int:
    """As services bill them: those of the query with each of the texts."""
    counts = EstimatedTokens(1 << 20).count([query, *texts])
    return counts[0] * len(texts) + sum(counts[1:])


def ranked(query: str, texts: list[str], name: str) -> list[dict[str, Any]]:
    """Best first, as most services answer."""
    scores = [{"index": at, name: overlap(query, text)} for at, text in enumerate(texts)]
    return sorted(scores, key=lambda one: -one[name])


def cohere(asked: dict[str, Any]) -> Any:
    assert set(asked) <= {"model", "query", "documents", "top_n", "max_tokens_per_doc"}
    results = ranked(asked["query"], asked["documents"], "relevance_score")
    units = {"search_units": -(-len(results) // 100)}
    return {
        "id": "1",
        "results": results[: asked["top_n"]],
        "meta": {"api_version": {"version": "2"}, "billed_units": units},
    }


def jina(asked: dict[str, Any]) -> Any:
    assert asked["return_documents"] is False
    results = ranked(asked["query"], asked["documents"], "relevance_score")
    used = tokens(asked["query"], asked["documents"])
    return {"model": asked["model"], "usage": {"total_tokens": used}, "results": results[: asked["top_n"]]}


def voyage(asked: dict[str, Any]) -> Any:
    assert "top_n" not in asked and asked["truncation"] is True
    data = ranked(asked["query"], asked["documents"], "relevance_score")
    used = {"total_tokens": tokens(asked["query"], asked["documents"])}
    return {"object": "list", "data": data[: asked["top_k"]], "model": asked["model"], "usage": used}


def tei(asked: dict[str, Any]) -> Any:
    return ranked(asked["query"], asked["texts"], "score")


def vllm_score(asked: dict[str, Any]) -> Any:
    data = ranked(asked["text_1"], asked["text_2"], "score")
    used = tokens(asked["text_1"], asked["text_2"])
    return {"id": "score-1", "object": "list", "model": asked["model"], "data": data, "usage": {"total_tokens": used}}


def vllm_rerank(asked: dict[str, Any]) -> Any:
    found = ranked(asked["query"], asked["documents"], "relevance_score")
    results = [one | {"document": {"text": asked["documents"][one["index"]]}} for one in found]
    used = tokens(asked["query"], asked["documents"])
    return {"id": "rerank-1", "model": asked["model"], "usage": {"total_tokens": used}, "results": results}


def chat(asked: dict[str, Any]) -> Any:
    """Orders the passages of a message by the words that they share with the question."""
    message = asked["messages"][0]["content"]
    query = re.search(r"Question: (.*)", message)[1]
    passages = re.findall(r"^\[(\d+)\] (.*)$", message, re.MULTILINE)
    order = sorted(passages, key=lambda one: -overlap(query, one[1]))
    text = "<think>[1] > [2]?</think>" + " > ".join(f"[{number}]" for number, _ in order)
    counts = EstimatedTokens(1 << 20).count([message, text])
    usage = {"prompt_tokens": counts[0], "completion_tokens": counts[1]}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": asked["model"],
        "choices": [choice],
        "usage": usage,
    }


SHAPES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "/v2/rerank": cohere,
    "/v1/rerank": jina,
    "/voyage/rerank": voyage,
    "/rerank": tei,
    "/vllm/score": vllm_score,
    "/vllm/rerank": vllm_rerank,
    "/chat/chat/completions": chat,
}
PAGES: dict[str, Any] = {
    "/info": {
        "model_id": "BAAI/bge-reranker-base",
        "model_sha": "abc",
        "max_input_length": 512,
        "max_client_batch_size": 4,
    },
    "/vllm/models": {"object": "list", "data": [{"id": "m", "max_model_len": 300}]},
}
KINDS: dict[str, dict[str, Any]] = {
    "cohere": {"model_id": "rerank-v3.5", "api_key": "k"},
    "jina": {"model_id": "jina-reranker-v3", "api_key": "k"},
    "voyage": {"model_id": "rerank-2.5", "api_key": "k", "base": "/voyage"},
    "tei": {},
    "vllm": {"model_id": "m", "base": "/vllm"},
    "vllm-rerank": {"provider": "vllm", "path": "rerank", "model_id": "m", "base": "/vllm"},
    "llm": {"model_id": "chat", "api_key": "k", "base": "/chat"},
}
"""What is set for each of them; `base` is put behind the address of the server."""


def settings(kind: str, url: str, **more: Any) -> dict[str, Any]:
    """What a configuration says of a reranker that `url` plays."""
    chosen = {"provider": kind, **KINDS[kind], "retries": 1, "deadline": 5, "timeout": 2, **more}
    return chosen | {"base_url": url + chosen.pop("base", "")}


def handle(request: Received) -> Answer:
    """The answer of whichever service the path is of."""
    if request.method == "GET":
        return Answer(PAGES[request.path]) if request.path in PAGES else Answer({"detail": "Not Found"}, 404)
    shape = SHAPES.get(request.path)
    return Answer({"message": "no such path"}, 404) if shape is None else Answer(shape(request.json))


def is_about(request: Received) -> list[str]:
    """The texts that a request holds."""
    asked = json.loads(request.body)
    return next((asked[name] for name in ("documents", "texts", "text_2") if name in asked), [])
