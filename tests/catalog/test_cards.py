from __future__ import annotations

import csv
from pathlib import Path

import msgspec
import pytest

from embassay.catalog.card import ModelCard, inconsistencies
from embassay.catalog.catalog import read_cards, shipped
from embassay.errors import CardError, ModelNotFound

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts"


def test_the_shipped_catalog_is_large_and_consistent():
    catalog = shipped()
    assert len(catalog.models) >= 60
    assert len(catalog.rerankers) >= 8
    assert [problem for card in catalog.models.values() for problem in inconsistencies(card)] == []
    assert all(card.sources for card in catalog.rerankers.values())


GOOD = shipped().models["BAAI/bge-small-en-v1.5"]
BAD = {
    "a prompt without its space": {"prompts": {"query": "query:"}},
    "a prompt for no role": {"prompts": {"passage": "passage: "}},
    "commercial use of a non-commercial licence": {"licence": "cc-by-nc-4.0"},
    "limit above the architecture": {"max_tokens": 512, "max_tokens_architecture": 256},
    "cuts above its dimensions": {"matryoshka": (256, 768)},
    "cuts out of order": {"matryoshka": (256, 128)},
    "an empty range": {"matryoshka_range": (512, 128)},
    "a score of 700": {"scores": {"retrieval": 700.0}},
    "scores without a source": {"scores_source": ""},
    "no source": {"sources": ""},
    "nobody runs it": {"provider_ids": {}},
    "size of another model": {"size_mb": 13_300},
    "no such dimensions": {"dimensions": 0},
    "an id without an owner": {"id": "bge-small"},
    "open weights with a price": {"usd_per_million_tokens": 0.1, "price_date": "2026-08-06"},
    "a limit and none": {"unlimited_tokens": True},
    "prompts and unknown": {"prompts_known": False},
}


@pytest.mark.parametrize("name", BAD)
def test_a_card_that_contradicts_itself_is_refused(name):
    assert list(inconsistencies(GOOD)) == []
    assert list(inconsistencies(msgspec.structs.replace(GOOD, **BAD[name])))


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
    assert set(rows) == set(models)
    for name, row in rows.items():
        card = models[name]
        assert str(card.dimensions or "") == row["dims"]
        assert (card.usd_per_million_tokens is None) or float(row["price_usd_per_1m"]) == card.usd_per_million_tokens
        for role in ("query", "document"):
            fact = row[f"{role}_prompt"].replace("\\n", "\n")
            if name != "google/gemini-embedding-2":  # its prompts come from the provider facts
                assert card.prompts.get(role, "") + card.role_parameter.get(role, "") == fact


def test_names_that_are_nearly_right():
    with pytest.raises(ModelNotFound, match=r"Did you mean BAAI/bge-small-en-v1\.5\?"):
        shipped().show("BAAI/bge-smal-en-v1.5")
    with pytest.raises(ModelNotFound, match="Did you mean sentence-transformers/all-MiniLM-L6-v2"):
        shipped().show("all-minilm-l6-v2")


def test_own_cards_join_and_replace(tmp_path):
    file = tmp_path / "ours.toml"
    file.write_text(
        '[[model]]\nid = "ours/tickets"\nprovider_ids = { openai = "tickets-v2" }\ndimensions = 512\nmax_tokens = 2048\n'
        'matryoshka = [128, 256]\nprompts = { query = "ticket: " }\nsources = "our wiki"\n'
    )
    catalog = shipped().with_files([file])
    assert catalog.named("openai", "tickets-v2").prompts == {"query": "ticket: "}
    assert catalog.get("ours/tickets").family == "ours"
    assert len(catalog.models) == len(shipped().models) + 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[model]]\nid = 3", "ours.toml, 3"),
        ('[[model]]\nid = "a/b"\ndimension = 3', "unknown field `dimension`"),
        ("[[model", "cannot be read"),
        ('[model]\nid = "a/b"', r"write \[\[model\]\]"),
        (
            '[[model]]\nid = "a/b"\nprovider_ids = {local = "a/b"}\nprompts = {query = "q:"}\nsources = "x"',
            "without white space",
        ),
    ],
)
def test_own_cards_that_are_wrong(tmp_path, text, words):
    file = tmp_path / "ours.toml"
    file.write_text(text)
    with pytest.raises(CardError, match=words):
        shipped().with_files([file])
    with pytest.raises(CardError):
        read_cards(tmp_path / "none.toml")


def test_unknown_is_said_to_be_unknown():
    card = ModelCard(id="a/b")
    assert card.to_dict()["dimensions"] is None
    assert card.speaks("de") is None
    assert card.retrieval is None
