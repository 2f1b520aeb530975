"""Which models are recommended, in which order, and what is said of them."""

from __future__ import annotations

from embassay.catalog.advice import advise
from embassay.catalog.catalog import shipped
from embassay.catalog.rules import Needs

CARDS = shipped().models


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
