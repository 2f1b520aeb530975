"""The shipped cards: what they say, and what is often said wrongly."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from embassay.catalog.card import ModelCard
from embassay.catalog.catalog import shipped
from embassay.catalog.consistency import inconsistencies
from embassay.catalog.scores import every_score
from embassay.catalog.tasks import find_task

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts"


def test_the_shipped_catalog_is_large_and_consistent():
    catalog = shipped()
    assert len(catalog.models) >= 60
    assert len(catalog.rerankers) >= 8
    assert [problem for card in catalog.models.values() for problem in inconsistencies(card)] == []
    assert all(card.sources for card in catalog.rerankers.values())


@pytest.mark.parametrize(
    ("model", "role", "prompt"),
    [
        ("intfloat/e5-small-v2", "query", "query: "),
        ("intfloat/e5-small-v2", "document", "passage: "),
        ("BAAI/bge-large-en-v1.5", "query", "Represent this sentence for searching relevant passages: "),
        ("nomic-ai/nomic-embed-text-v1.5", "document", "search_document: "),
        ("Qwen/Qwen3-Embedding-0.6B", "query",
         "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"),
        ("intfloat/e5-mistral-7b-instruct", "query",
         "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "),
        ("dunzhang/stella_en_400M_v5", "query",
         "Instruct: Given a web search query, retrieve relevant passages that answer the query.\nQuery: "),
        ("google/embeddinggemma-300m", "query", "task: search result | query: "),
        ("google/embeddinggemma-300m", "document", "title: none | text: "),
        ("nomic-ai/nomic-embed-code", "query", "Represent this query for searching relevant code: "),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", "query", "query: "),
    ],
)  # fmt: skip
def test_prompts_to_the_letter(model, role, prompt):
    assert shipped().models[model].prompts[role] == prompt


WRONG_IN_THE_WILD = {
    "sentence-transformers/all-mpnet-base-v2": {"licence": "apache-2.0", "max_tokens": 384},
    "nomic-ai/nomic-embed-text-v2-moe": {"max_tokens": 512, "dimensions": 768},
    "google/embeddinggemma-300m": {"licence": "gemma"},
    "sentence-transformers/all-MiniLM-L6-v2": {"max_tokens": 256},
    "openai/text-embedding-3-small": {"matryoshka_range": (1, 1536)},
    "openai/text-embedding-ada-002": {"matryoshka_range": None, "matryoshka": ()},
    "Alibaba-NLP/gte-multilingual-base": {"licence": "apache-2.0"},
    "sentence-transformers/allenai-specter": {"pooling": "cls", "normalised": False},
    "BAAI/bge-small-en-v1.5": {"dimensions": 384},
    "cohere/embed-multilingual-v3.0": {"dimensions": 1024, "max_tokens": 512},
    "jinaai/jina-embeddings-v3": {"commercial": False},
}


@pytest.mark.parametrize("model", WRONG_IN_THE_WILD)
def test_facts_that_are_often_wrong(model):
    card = shipped().models[model]
    assert {name: getattr(card, name) for name in WRONG_IN_THE_WILD[model]} == WRONG_IN_THE_WILD[model]


def test_every_card_agrees_with_the_facts():
    """The cards were taken from the collected facts; prompts, dimensions and prices must still be theirs."""
    if not FACTS.is_dir():
        pytest.skip("needs ../shared/facts, which is not part of the repository")
    with (FACTS / "models.csv").open(encoding="utf-8") as stream:
        rows = {row["id"]: row for row in csv.DictReader(stream)}
    models = shipped().models
    assert set(rows) <= set(models)
    for name, row in rows.items():
        card = models[name]
        assert str(card.dimensions or "") == row["dims"]
        assert card.similarity == row["similarity"]
        assert (card.usd_per_million_tokens is None) or float(row["price_usd_per_1m"]) == card.usd_per_million_tokens
        for role in ("query", "document"):
            fact = row[f"{role}_prompt"].replace("\\n", "\n")
            if name != "google/gemini-embedding-2":  # its prompts come from the provider facts
                assert card.prompts.get(role, "") + card.role_parameter.get(role, "") == fact


def test_no_figure_stands_without_its_source():
    for card in shipped().models.values():
        assert all(scores.source and (scores.date or scores.note) for scores in card.scores), card.id
        assert card.usd_per_million_tokens is None or (card.price_date and card.price_source), card.id
        assert all(offer.price_date and offer.price_source for offer in card.hosted.values()), card.id
    for reranker in shipped().rerankers.values():
        assert all(find_task(score.task).reranked for score in every_score(reranker.scores)), reranker.id
        assert not reranker.price or (reranker.price_date and reranker.price_source), reranker.id


def test_unknown_is_said_to_be_unknown():
    card = ModelCard(id="a/b")
    assert card.to_dict()["dimensions"] is None
    assert card.speaks("de") is None
    assert card.retrieval is None
