"""Constraints: whom each of them leaves out, and why."""

from __future__ import annotations

import pytest

from embassay.catalog.advice import advise
from embassay.catalog.catalog import shipped
from embassay.catalog.rules import CPU_QUERY_MS, RULES, Needs, limits
from embassay.catalog.sizing import Load

CARDS = shipped().models


def reasons(**needs) -> dict[str, str]:
    return dict(advise(CARDS.values(), Needs(**needs), count=200).excluded)


CONSTRAINTS = {
    "privacy": ({"privacy": True}, "openai/text-embedding-3-small", "texts would go to openai"),
    "no api": ({"api": False}, "voyage/voyage-3.5", "only voyage runs it"),
    "language": ({"languages": ("de",)}, "BAAI/bge-small-en-v1.5", "made for en, not de"),
    "unknown language": ({"languages": ("th",)}, "voyage/voyage-large-2", "not stated"),
    "licence": ({"commercial": True}, "jinaai/jina-embeddings-v3", "cc-by-nc-4.0 forbids commercial use"),
    "one licence": ({"licences": ("mit",)}, "sentence-transformers/all-MiniLM-L6-v2", "its licence is apache-2.0"),
    "memory": ({"max_mb": 500}, "intfloat/multilingual-e5-large", "MB, over 500 MB"),
    "length": ({"chunk_tokens": 300}, "sentence-transformers/all-MiniLM-L6-v2", "reads 256 tokens"),
    "price": ({"max_usd": 0.05}, "openai/text-embedding-3-large", "$0.13 per million"),
    "storage": ({"max_storage_gb": 1.6}, "BAAI/bge-m3", "4.10 GB a million float32 vectors, over 1.6 GB"),
    "latency": ({"max_latency_ms": 20}, "BAAI/bge-large-en-v1.5", "ms a query on this CPU, over 20 ms"),
    "latency of the network": (
        {"max_latency_ms": 50},
        "openai/text-embedding-3-small",
        "a hosted model answers in about 200 ms",
    ),
    "a CPU": ({"api": False}, "Qwen/Qwen3-Embedding-8B", "ms a query on this CPU"),
    "retired": ({}, "google/text-embedding-004", "retired on 2026-01-14"),
    "no sentence pooling": ({}, "microsoft/codebert-base", "no retrieval model"),
    "another domain": ({}, "voyage/voyage-code-3", "made for code"),
    "remote code": ({}, "jinaai/jina-embeddings-v4", "code from its repository"),
    "no evidence": ({}, "mistral/mistral-embed", "no published retrieval score"),
    "weights": ({"hosted": True}, "intfloat/e5-small-v2", "to be run by yourself"),
    "least tokens": ({"min_tokens": 1000}, "BAAI/bge-small-en-v1.5", "it reads 512 tokens"),
    "a load": (
        {"load": Load(10_000_000, 5, 30)},
        "BAAI/bge-large-en-v1.5",
        "ms to search 10,000,000 chunks on 64 cores",
    ),
    "a load on a service": ({"load": Load(1000, 1, 30)}, "openai/text-embedding-3-small", "200 ms to embed a query"),
    "papers": ({"domain": "scientific"}, "sentence-transformers/allenai-specter", "compares papers with papers"),
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_each_constraint_excludes_and_says_why(name):
    needs, model, words = CONSTRAINTS[name]
    assert words in reasons(**needs)[model]


def test_what_meets_a_constraint_stays():
    assert "openai/text-embedding-3-large" not in reasons(max_storage_gb=0.3), "cut it fits"
    assert "Qwen/Qwen3-Embedding-8B" not in reasons(gpu=True)
    assert "intfloat/multilingual-e5-small" not in reasons(languages=("de",))
    assert "jinaai/jina-embeddings-v4" not in reasons(remote_code=True, gpu=True, domain="code")


def test_every_limit_is_told_those_that_nobody_set_too():
    told = {limit.name: limit for limit in limits(Needs())}
    assert f"{CPU_QUERY_MS:g} ms" in told["latency"].what and not told["latency"].asked
    assert "privacy" not in told and not told["code"].asked
    told = {limit.name: limit for limit in limits(Needs(privacy=True, max_latency_ms=20, languages=("de",), gpu=True))}
    assert told["latency"].asked and "20 ms" in told["latency"].what
    assert told["privacy"].asked and "de" in told["languages"].what
    assert "latency" not in {limit.name for limit in limits(Needs(gpu=True))}


def test_each_reason_names_a_limit_that_was_told():
    for needs in (Needs(), Needs(privacy=True, languages=("de",)), Needs(hosted=True, max_usd=0.05, domain="legal")):
        told = {limit.name for limit in limits(needs)}
        reasons = {why.split(":")[0] for _, why in advise(CARDS.values(), needs).excluded}
        assert reasons - {"order"} <= told


def test_a_score_in_a_language_stands_for_a_statement_of_it():
    assert "voyage/voyage-law-2" not in reasons(languages=("en",), domain="legal")
    assert "not stated" in reasons(languages=("ja",), domain="legal")["voyage/voyage-law-2"]


def test_rules_are_rows_of_a_table():
    assert len({rule.name for rule in RULES}) == len(RULES) == 17
