"""Which models are recommended, in which order, and what is said of them."""

from __future__ import annotations

from embassay.catalog.advice import advise
from embassay.catalog.catalog import shipped
from embassay.catalog.rules import Needs

CARDS = shipped().models


def test_what_was_asked_for_orders_and_its_own_models_are_told():
    code = advise(CARDS.values(), Needs(domain="code", hosted=True))
    assert code.recommended[0].card.id == "voyage/voyage-code-3"
    assert "mistral/codestral-embed" in [pick.card.id for pick in code.specialists]
    legal = [pick.card.id for pick in advise(CARDS.values(), Needs(domain="legal")).recommended]
    assert {"voyage/voyage-law-2", "voyage/voyage-3-large", "voyage/voyage-3.5"} <= set(legal)
    german = advise(CARDS.values(), Needs(languages=("de",), privacy=True), count=50).recommended
    (own,) = (pick for pick in german if pick.card.id.startswith("mixedbread-ai/deepset-mxbai-embed-de"))
    assert "made for de" in own.why


def test_scores_that_do_not_compare_come_behind_those_that_do():
    picks = advise(CARDS.values(), Needs(domain="legal", gpu=True), count=200).recommended
    asked = [pick.standing.asked for pick in picks]
    assert asked == sorted(asked, reverse=True) and not asked[-1]
    assert "no comparable score for legal was found" in picks[-1].why[0]


def test_open_weights_may_be_hosted_by_a_company():
    needs = Needs(hosted=True, languages=("de",), max_usd=0.01)
    (pick,) = (pick for pick in advise(CARDS.values(), needs).recommended if pick.card.id == "BAAI/bge-m3")
    assert pick.to_dict()["usd_per_million_tokens"] == 0.01
    assert pick.to_dict()["settings"]["card"] == "BAAI/bge-m3"
    assert pick.to_dict()["settings"]["base_url"].startswith("https://")
    private = advise(CARDS.values(), Needs(privacy=True, languages=("de",)), count=200)
    (own,) = (pick for pick in private.recommended if pick.card.id == "BAAI/bge-m3")
    assert own.card.open_weights and not own.to_dict()["settings"]


def test_every_model_is_recommended_or_excluded_once():
    advice = advise(CARDS.values(), Needs(), count=7)
    shown = [*advice.recommended, *advice.specialists]
    names = [p.card.id for p in shown] + [name for name, _ in advice.excluded]
    assert sorted(names) == sorted(CARDS)
    assert len(advice.recommended) == 7
    assert all(why for _, why in advice.excluded)
    assert all(p.why for p in advice.recommended)


def test_evidence_orders_and_a_stage_behind_prefers_the_small():
    plain = advise(CARDS.values(), Needs(gpu=True, privacy=True), count=3).recommended
    reranked = advise(CARDS.values(), Needs(gpu=True, privacy=True, rerank="llm"), count=3).recommended
    assert plain[0].card.id == "Qwen/Qwen3-Embedding-8B"
    assert sum(pick.card.parameters < 60e6 for pick in reranked) >= 2 > sum(p.card.parameters < 60e6 for p in plain)
    assert any("small and fast" in why for why in reranked[0].why)


def test_a_domain_prefers_its_own_models_and_speaks_of_fine_tuning():
    advice = advise(CARDS.values(), Needs(domain="code", gpu=True), count=20)
    assert any(pick.card.domain == "code" for pick in (*advice.recommended, *advice.specialists))
    assert "voyage/voyage-law-2" in dict(advice.excluded)
    assert "fine-tune" in advice.fine_tuning


def test_it_ends_with_the_command_that_measures():
    advice = advise(CARDS.values(), Needs())
    first = " ".join(p.card.id for p in advice.recommended[:3])
    assert advice.next == f"embassay compare {first} --judged judged/"
    assert advise(CARDS.values(), Needs(max_mb=1, api=False)).next == ""
