"""A decision tree run on the catalog of a configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from embassay.arguments import checked
from embassay.catalog.decisions.tree import Answer, Tree, load_tree, tree_names
from embassay.errors import UsageError
from embassay.files import expanded
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.catalog.decisions.tree import Question
    from embassay.catalog.decisions.walk import TreeDecision

EVERY = "all"
"""Stands for every row of a tree's table."""


@checked
def decide(
    tree: str,
    *,
    models: str | os.PathLike[str] | None = None,
    use_case: str | None = None,
    ask: Callable[[Question], Answer] | None = None,
    **answers: Answer,
) -> TreeDecision:
    """Run the decision tree called `tree` (``rag``, ``rerank``, ``funnel``) on the catalog.

    `answers`: by the name of the question, ``privacy=True`` or ``chunk_tokens=800``; one that is missing is asked with
    `ask`, and else has the tree's default. `models`: a CSV file for a funnel, in place of the catalog. `use_case`: a
    row of the tree's table, or ``all``, in place of its questions.

    >>> decide("rag", multilingual=True).leaf                                        # doctest: +SKIP
    'multilingual-e5-large or Cohere multilingual'

    Raises UsageError for a tree, a question or a use case that there is not, for an answer of the wrong kind, and for a
    file that cannot be read; ConfigError for a configuration with faults.
    """
    from embassay.catalog.decisions.walk import walk

    found = load_tree(tree)
    given = {name.replace("_", "-"): answer for name, answer in answers.items() if answer is not None}
    _check_fits(found, given, models, use_case)
    cards = _cards()
    if use_case is not None:
        return _of_use_case(found, use_case, cards)
    if found.funnel:
        return _of_funnel(found, models, cards)
    return walk(found, cards, given, ask)


def _cards() -> Mapping[str, ModelCard]:
    from embassay.config.reading import load_config
    from embassay.models.lookup import Lookup

    return Lookup(load_config()).catalog.models


def _check_fits(tree: Tree, answers: Mapping[str, Answer], models: object, use_case: str | None) -> None:
    """Raises UsageError for what would be ignored."""
    if answers and (tree.funnel or use_case is not None):
        what = f"{tree.name} asks nothing" if tree.funnel else "a use case is looked up, and asks nothing"
        raise UsageError(f"{what}: {', '.join(sorted(answers))} would be ignored.", remedy="Leave it out.")
    if models is not None and not tree.funnel:
        raise UsageError(
            f"{tree.name} names models of the catalog, and reads no table.",
            remedy=_trees_with("funnel", "A table is for"),
        )
    if use_case is not None and not tree.use_cases:
        raise UsageError(f"{tree.name} has no use cases.", remedy=_trees_with("use_cases", "They are those of"))


def _trees_with(what: str, words: str) -> str:
    return f"{words} {', '.join(name for name in tree_names() if getattr(load_tree(name), what))}."


def _of_use_case(tree: Tree, name: str, cards: Mapping[str, ModelCard]) -> TreeDecision:
    from embassay.catalog.decisions.walk import table_of

    chosen = [one for one in tree.use_cases if name in (one.name, EVERY)]
    if not chosen:
        known = [*(one.name for one in tree.use_cases), EVERY]
        raise UsageError(f"{tree.name} has no use case {name!r}.", remedy=did_you_mean(name, known))
    return table_of(tree, chosen, cards)


def _of_funnel(tree: Tree, models: str | os.PathLike[str] | None, cards: Mapping[str, ModelCard]) -> TreeDecision:
    from embassay.catalog.decisions.facts import of_card
    from embassay.catalog.decisions.table import read_table
    from embassay.catalog.decisions.walk import sift_all

    if models is None:
        return sift_all(tree, [of_card(card) for card in cards.values()], cards)
    file = expanded(os.fspath(models))
    table = read_table(file, cards)
    return sift_all(tree, table.models, cards, table)
