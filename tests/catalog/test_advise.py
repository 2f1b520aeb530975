from __future__ import annotations

import pytest

from embassay.catalog.advise import REFERENCE, RETRIEVAL_TASKS, RULES, Needs, advise, evidence
from embassay.catalog.catalog import shipped
from embassay.catalog.cost import Speed, Workload, estimate
from embassay.catalog.machine import Machine, flops_per_token, forms

CARDS = shipped().models


def reasons(**needs) -> dict[str, str]:
    return dict(advise(CARDS.values(), Needs(**needs), count=200).excluded)


CONSTRAINTS = {
    "privacy": ({"privacy": True}, "openai/text-embedding-3-small", "texts would go to openai"),
    "no api": ({"api": False}, "voyage/voyage-3.5", "only voyage runs it"),
    "language": ({"languages": ("de",)}, "BAAI/bge-small-en-v1.5", "made for en, not de"),
    "unknown language": ({"languages": ("de",)}, "voyage/voyage-3", "not stated"),
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
    "a CPU": ({}, "Qwen/Qwen3-Embedding-8B", "ms a query on this CPU"),
    "retired": ({}, "google/text-embedding-004", "retired on 2026-01-14"),
    "no sentence pooling": ({}, "microsoft/codebert-base", "no retrieval model"),
    "another domain": ({}, "voyage/voyage-code-3", "made for code"),
    "remote code": ({}, "jinaai/jina-embeddings-v4", "code from its repository"),
    "no evidence": ({}, "mistral/mistral-embed", "no published retrieval score"),
    "weights": ({"hosted": True}, "BAAI/bge-m3", "to be run by yourself"),
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


def test_some_tasks_place_a_model_by_its_distance_from_the_reference():
    card, reference = CARDS["voyage/voyage-3.5"], CARDS[REFERENCE]
    tasks = [t for t in RETRIEVAL_TASKS if t in card.scores]
    by_hand = reference.retrieval + sum(card.scores[t] - reference.scores[t] for t in tasks) / len(tasks)
    score, words = evidence(card)
    assert score == pytest.approx(by_hand)
    assert f"from {len(tasks)} of its tasks" in words
    assert evidence(CARDS["BAAI/bge-m3"]) == (48.8, "48.8 nDCG@10 on BEIR")


def test_of_equals_the_newest_comes_first():
    picks = [p.card.id for p in advise(CARDS.values(), Needs(domain="code", hosted=True), count=50).recommended]
    assert picks.index("voyage/voyage-code-3") < picks.index("voyage/voyage-code-2")


def test_every_model_is_recommended_or_excluded_once():
    advice = advise(CARDS.values(), Needs(), count=7)
    names = [p.card.id for p in advice.recommended] + [name for name, _ in advice.excluded]
    assert sorted(names) == sorted(CARDS)
    assert len(advice.recommended) == 7
    assert all(why for _, why in advice.excluded)
    assert all(p.why for p in advice.recommended)


def test_evidence_orders_and_a_stage_behind_prefers_the_small():
    plain = advise(CARDS.values(), Needs(gpu=True, privacy=True), count=3).recommended
    reranked = advise(CARDS.values(), Needs(gpu=True, privacy=True, rerank="llm"), count=3).recommended
    assert plain[0].card.id == "Qwen/Qwen3-Embedding-8B"
    assert all(pick.card.parameters < 60e6 for pick in reranked)
    assert any("small and fast" in why for why in reranked[0].why)


def test_a_domain_prefers_its_own_models_and_speaks_of_fine_tuning():
    advice = advise(CARDS.values(), Needs(domain="code", gpu=True), count=20)
    assert any(pick.card.domain == "code" for pick in advice.recommended)
    assert "voyage/voyage-law-2" in dict(advice.excluded)
    assert "fine-tune" in advice.fine_tuning


def test_it_ends_with_the_command_that_measures():
    advice = advise(CARDS.values(), Needs())
    first = " ".join(p.card.id for p in advice.recommended[:3])
    assert advice.next == f"embassay compare {first} --judged judged/"
    assert advise(CARDS.values(), Needs(max_mb=1, api=False)).next == ""


def test_rules_are_rows_of_a_table():
    assert len({rule.name for rule in RULES}) == len(RULES) == 15


def test_forms_and_their_cost():
    full, cut, int8, binary = forms(CARDS["openai/text-embedding-3-small"], Machine(bandwidth=1e10))
    assert (full.bytes_per_million, cut.dimensions, int8.bytes_per_million, binary.bytes_per_million) == (
        6_144_000_000, 256, 1_536_000_000, 192_000_000,
    )  # fmt: skip
    assert full.search_ms_per_million == pytest.approx(614.4)
    assert [f.name for f in forms(CARDS["BAAI/bge-small-en-v1.5"], Machine())] == ["float32", "int8", "binary"]


def test_arithmetic_of_a_model():
    """23.5 MFLOP a token were measured for all-MiniLM-L6-v2, attention included."""
    assert flops_per_token(CARDS["sentence-transformers/all-MiniLM-L6-v2"]) == pytest.approx(22e6, rel=0.05)
    small, large = (Machine().query_ms(CARDS[f"intfloat/e5-{n}-v2"]) for n in ("small", "large"))
    assert small < 10 < large


def test_cost_by_hand():
    work = Workload(documents=10, chunks=1000, tokens=500_000, text_bytes=2_000_000)
    hosted = estimate(
        "m", work, dimensions=1536, price=0.02, monthly_change=0.1, token_error=0.25,
        speed=Speed(None, 100, 300_000, 2, how="x"),
    )  # fmt: skip
    assert hosted.first.usd == pytest.approx(0.01)
    assert hosted.first.seconds == pytest.approx(10 * 0.5 / 2)
    assert (hosted.monthly.chunks, hosted.monthly.tokens) == (100, 50_000)
    assert hosted.monthly.usd == pytest.approx(0.001)
    local = estimate("l", work, dimensions=384, price=0.0, monthly_change=0.0, speed=Speed(10_000.0, how="measured"))
    assert (local.first.seconds, local.first.usd, local.monthly.chunks) == (50.0, 0.0, 0)
    limited = Speed(None, 1000, None, 8, tokens_per_minute=100_000)
    assert limited.seconds(1000, 500_000) == 300
