"""The trees as they are written: whatever one names is there, and every leaf can be reached."""

from __future__ import annotations

import itertools

import pytest

from embassay.catalog.catalog import shipped
from embassay.catalog.decisions.facts import FACTS
from embassay.catalog.decisions.remarks import CLAIMS
from embassay.catalog.decisions.tree import Tree, load_tree, tree_names
from embassay.catalog.decisions.walk import walk
from embassay.errors import UsageError

CARDS = shipped().models
TREES = [load_tree(name) for name in tree_names()]


def test_the_three_trees_are_there():
    assert tree_names() == ("funnel", "rag", "rerank")
    with pytest.raises(UsageError, match="no tree") as refused:
        load_tree("rga")
    assert "Did you mean 'rag'?" in str(refused.value.remedy)


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_whatever_a_tree_names_is_there(tree: Tree):
    questions, branches = {q.name for q in tree.questions}, []
    for question in tree.questions:
        branches += [one for one in (question.yes, question.no, question.open) if one]
        assert question.default != "open" or question.open, question.name
    for branch in branches:
        assert bool(branch.leaf) != bool(branch.next), "a branch leads to one place"
        assert branch.leaf in {"", *tree.leaves} and branch.next in {"", *questions}
    conditions = [*tree.funnel, *(one for branch in branches for one in branch.keep)]
    assert {one.fact for one in conditions} <= FACTS and tree.order in {"", *FACTS}
    for leaf in tree.leaves.values():
        assert set(leaf.claims) <= set(CLAIMS)
        for choice in leaf.models:
            assert set(choice.ids) <= set(CARDS)
            assert choice.ids or any(card.family == choice.family for card in CARDS.values()), choice.name
    assert {name for one in tree.use_cases for name in (one.primary, one.budget)} <= set(CARDS)


PATHS = {
    "rag": [
        ({"privacy": True}, "open models: BGE, E5 or GTE"),
        ({"multilingual": True}, "multilingual-e5-large or Cohere multilingual"),
        ({"code": True}, "voyage-code-2 or CodeBERT"),
        ({"chunk-tokens": 513}, "nomic-embed, BGE-M3 or text-embedding-3"),
        ({"chunk-tokens": 512, "cost-first": True}, "text-embedding-3-small or a local model"),
        ({"cost-first": False}, "text-embedding-3-large or voyage-large-2"),
        ({"quality": True}, "E5-mistral-7b or voyage-large-2"),
        ({"quality": False}, "BGE-large or text-embedding-3-small"),
        ({}, "BGE-large or text-embedding-3-small"),
    ],
    "rerank": [
        ({"llm-rerank": True}, "MiniLM with 384 dimensions: the language model orders what it finds"),
        ({"storage": True}, "a Matryoshka model: nomic or mxbai"),
        ({"domain-specific": True, "recall-at-10": 59.9}, "fine-tune a base model"),
        ({"domain-specific": True, "recall-at-10": 60}, "bge-large or e5-mistral"),
        ({"domain-specific": True}, "bge-large or e5-mistral"),
        ({}, "bge-large or e5-mistral"),
    ],
}
"""Answers to the leaf in the tree's own words, as the trees were drawn."""


@pytest.mark.parametrize(("tree", "answers", "leaf"), [(t, *path) for t, paths in PATHS.items() for path in paths])
def test_every_path_leads_where_it_was_drawn(tree, answers, leaf):
    decision = walk(load_tree(tree), CARDS, answers)
    assert decision.leaf == leaf
    assert decision.models and all(model.card for model in decision.models)


@pytest.mark.parametrize("tree", [tree for tree in TREES if tree.questions], ids=lambda tree: tree.name)
def test_every_leaf_is_reached_and_every_model_accounted_for(tree: Tree):
    """Over all answers there are: each model is left out by one step, named by the leaf, or said not to be named."""
    values = [(1, 10**6) if q.is_number else (True, False, *([None] if q.open else [])) for q in tree.questions]
    reached = set()
    for answers in itertools.product(*values):
        decision = walk(tree, CARDS, dict(zip([q.name for q in tree.questions], answers, strict=True)))
        reached.add(decision.leaf)
        left_out = [name for step in decision.steps for name, _ in step.excluded]
        assert len(left_out) == len(set(left_out))
        assert decision.steps[-1].left == len(CARDS) - len(left_out)
        assert {*left_out, *decision.not_named, *(model.id for model in decision.models)} == set(CARDS)
        assert not set(decision.not_named) & {*left_out, *(model.id for model in decision.models)}
    assert reached == {leaf.says for leaf in tree.leaves.values()}
