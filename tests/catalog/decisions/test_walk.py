"""What a walk says of each step, of answers that its path does not ask for, and of a funnel."""

from __future__ import annotations

import pytest

from embassay.catalog.catalog import shipped
from embassay.catalog.decisions.facts import Facts, of_card
from embassay.catalog.decisions.tree import load_tree
from embassay.catalog.decisions.walk import sift_all, table_of, walk
from embassay.errors import UsageError

CARDS = shipped().models
RAG, FUNNEL = load_tree("rag"), load_tree("funnel")


def remarks(decision, model):
    return " | ".join(next(one.remarks for one in decision.models if one.id == model))


def test_each_step_says_how_it_was_answered_and_whom_it_leaves_out():
    decision = walk(RAG, CARDS, {"code": True}, ask=lambda question: False if question.name == "privacy" else None)
    assert [(step.name, step.answer, step.how) for step in decision.steps] == [
        ("privacy", "no", "asked"), ("multilingual", "no", "default"), ("code", "yes", "given"),
    ]  # fmt: skip
    excluded = dict(decision.steps[-1].excluded)
    assert excluded["BAAI/bge-m3"] == "made for no domain, not for code"
    assert excluded["voyage/voyage-law-2"] == "made for legal, not for code"
    assert "voyage/voyage-code-3" in decision.not_named
    private = walk(RAG, CARDS, {"privacy": True})
    assert dict(private.steps[0].excluded)["openai/text-embedding-3-small"] == "only its provider runs it"
    numbers = walk(RAG, CARDS, {"chunk-tokens": 800})
    assert numbers.steps[-1].answer == "800 tokens"
    assert dict(numbers.steps[-1].excluded)["BAAI/bge-small-en-v1.5"] == "token limit 512, at least 800"


@pytest.mark.parametrize(
    ("tree", "answers", "model", "words"),
    [
        ("rag", {"code": True}, "voyage/voyage-code-2", "superseded by voyage/voyage-code-3 (2024-12-04)"),
        ("rag", {"code": True}, "microsoft/codebert-base", "not trained for retrieval"),
        ("rag", {"cost-first": False}, "voyage/voyage-large-2", "superseded by voyage/voyage-3"),
        ("rag", {"quality": True}, "intfloat/e5-mistral-7b-instruct", "needs a GPU"),
        ("rag", {"quality": True}, "intfloat/e5-mistral-7b-instruct", "longer than 4096 tokens not recommended"),
        ("rag", {"quality": True}, "intfloat/e5-mistral-7b-instruct", "higher: Qwen/Qwen3-Embedding-8B 62.8"),
        ("rag", {"quality": True}, "voyage/voyage-large-2", "no published mean over BEIR places it"),
        ("rag", {"cost-first": True}, "openai/text-embedding-3-small", "cheaper: "),
        ("rag", {"chunk-tokens": 800}, "nomic-ai/nomic-embed-text-v2-moe", "token limit 512, at least 800"),
        ("rag", {"chunk-tokens": 8192}, "openai/text-embedding-3-small", "token limit 8,191, at least 8,192"),
        ("rag", {"multilingual": True}, "cohere/embed-multilingual-v3.0", "newer of its provider: cohere/embed-v4.0"),
        ("rerank", {"storage": True}, "mixedbread-ai/mxbai-embed-xsmall-v1", "no source read says that"),
    ],
)
def test_where_the_facts_contradict_the_tree_it_is_said(tree, answers, model, words):
    assert words in remarks(walk(load_tree(tree), CARDS, answers), model)


def test_what_the_facts_do_not_contradict_has_no_remark():
    long = walk(RAG, CARDS, {"chunk-tokens": 800})
    assert remarks(long, "openai/text-embedding-3-small") == remarks(long, "BAAI/bge-m3") == ""


def test_an_answer_that_the_path_does_not_ask_for_is_held_against_its_models():
    decision = walk(RAG, CARDS, {"privacy": True, "multilingual": True})
    assert "made for en" in remarks(decision, "BAAI/bge-small-en-v1.5")
    assert "made for" not in remarks(decision, "BAAI/bge-m3")
    assert decision.remarks == ("multilingual was answered, and this path does not ask it",)


def test_the_next_command_takes_what_superseded_a_model_and_no_model_that_is_none():
    assert walk(RAG, CARDS, {"code": True}).next == (
        "embassay compare voyage/voyage-code-2 voyage/voyage-code-3 --judged judged/"
    )


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"privacy": 1}, "must be yes or no"),
        ({"privacy": "yes"}, "must be yes or no"),
        ({"chunk-tokens": True}, "must be a number"),
        ({"chunk-tokens": -1}, "must be a number from 0"),
        ({"chunk-tokens": float("nan")}, "must be a number from 0"),
        ({"privat": True}, "does not ask 'privat'"),
    ],
)
def test_answers_of_the_wrong_kind(answers, words):
    with pytest.raises(UsageError, match=words):
        walk(RAG, CARDS, answers)


def test_a_row_of_the_table_is_two_models_and_says_whose_table_it_is():
    legal = table_of(RAG, [one for one in RAG.use_cases if one.name == "legal"], CARDS)
    assert [(model.named, model.id) for model in legal.models] == [
        ("legal, primary", "voyage/voyage-law-2"), ("legal, budget", "BAAI/bge-large-en-v1.5"),
    ]  # fmt: skip
    assert "we do" in legal.remarks[0]
    assert [one.name for one in RAG.use_cases] == [
        "general", "enterprise", "support", "code", "legal", "multilingual", "long", "volume",
    ]  # fmt: skip


def test_without_a_count_of_downloads_no_model_passes_and_none_is_made_up():
    decision = sift_all(FUNNEL, [of_card(card) for card in CARDS.values()], CARDS)
    assert decision.models == ()
    assert "BAAI/bge-small-en-v1.5" in decision.undecided and "BAAI/bge-m3" not in decision.undecided
    first = decision.steps[0]
    assert {name for name, _ in first.unknown} == {card.id for card in CARDS.values() if card.open_weights}
    assert "nobody downloads it" in dict(first.excluded)["openai/text-embedding-3-small"]
    assert "date and a source" in decision.remarks[0]


def test_a_funnel_takes_the_first_ten_that_are_known_to_pass():
    passing = {"domain": "general", "languages": ("en",), "size_mb": 500.0, "updated": "2023-01-01"}
    models = [Facts(f"a/m{at:02}", downloads=100_000.0 + at, **passing) for at in range(12)]
    failing = {
        "few": {"downloads": 99_999.0},
        "old": {"updated": "2022-12-31"},
        "legal": {"domain": "legal"},
        "german": {"languages": ("de",)},
        "large": {"size_mb": 500.1},
    }
    models += [Facts(f"a/{name}", **{"downloads": 1e6, **passing, **facts}) for name, facts in failing.items()]
    models += [Facts("a/nobody-knows", **{**passing, "downloads": 1e6, "size_mb": None})]
    decision = sift_all(FUNNEL, models, {})
    assert [model.id for model in decision.models] == [f"a/m{at:02}" for at in range(11, 1, -1)]
    assert decision.undecided == ("a/nobody-knows",)
    assert [name for step in decision.steps for name, _ in step.excluded] == [f"a/{name}" for name in failing]


def test_what_was_released_since_a_day_was_changed_since_then():
    steps = {step.name: step for step in sift_all(FUNNEL, [of_card(card) for card in CARDS.values()], CARDS).steps}
    unknown = dict(steps["updated"].unknown)
    assert "released 2021-08-30" in unknown["sentence-transformers/all-MiniLM-L6-v2"]
    assert "BAAI/bge-small-en-v1.5" not in unknown
